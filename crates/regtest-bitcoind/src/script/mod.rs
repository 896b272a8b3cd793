//! Scripts under Bitcoin Core's standard rules, which are stricter than consensus: low S, minimal
//! pushes and branches, clean stack, empty failed signatures, nothing reserved for upgrades.
//!
//! Consensus itself is judged by [`crate::consensus_script`]; this machine says what policy refuses,
//! and names the rule that broke.

mod error;
mod eval;
mod signature;
mod stack;

pub use error::ScriptError;

use crate::policy::script_kind::{is_push_only, witness_program};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, XOnlyPublicKey};
use bitcoin::sighash::SighashCache;
use bitcoin::taproot::{ControlBlock, TapLeafHash};
use bitcoin::{Script, ScriptBuf, Transaction, TxOut, Witness};
use eval::{Leaf, Machine, has_op_success};
use signature::{Checker, SigVersion};
use stack::{Stack, is_true};

/// First byte of a taproot annex.
const ANNEX_TAG: u8 = 0x50;
/// What the budget for signatures of a tapscript is above the size of its witness.
const VALIDATION_WEIGHT_OFFSET: i64 = 50;

/// Runs all inputs of `tx`, which spends `spent` in order. `Err` is the first failed input and why.
pub fn verify_standard(tx: &Transaction, spent: &[TxOut]) -> Result<(), (usize, ScriptError)> {
    let mut checker = Checker {
        tx,
        cache: SighashCache::new(tx),
        input: 0,
        spent,
    };
    for (index, (input, output)) in tx.input.iter().zip(spent).enumerate() {
        checker.input = index;
        verify_input(
            &mut checker,
            &input.script_sig,
            &input.witness,
            &output.script_pubkey,
        )
        .map_err(|error| (index, error))?;
    }
    Ok(())
}

fn verify_input(
    checker: &mut Checker<'_>,
    script_sig: &Script,
    witness: &Witness,
    script_pubkey: &Script,
) -> Result<(), ScriptError> {
    let run = |script: &Script, stack: Stack, checker: &mut Checker<'_>| {
        Machine::new(script, SigVersion::Base, checker, stack, None).run()
    };
    let pushed = run(script_sig, Stack::default(), checker)?;
    let mut stack = run(script_pubkey, pushed.clone(), checker)?;
    if !stack.peek(0).is_ok_and(is_true) {
        return Err(ScriptError::EvalFalse);
    }
    let mut had_witness = false;
    if let Some((version, program)) = witness_program(script_pubkey) {
        had_witness = true;
        if !script_sig.is_empty() {
            return Err(ScriptError::WitnessMalleated);
        }
        verify_program(checker, witness, version, program, false)?;
        stack = Stack::new(vec![vec![1]]);
    }
    if script_pubkey.is_p2sh() {
        if !is_push_only(script_sig) {
            return Err(ScriptError::SigPushOnly);
        }
        stack = pushed;
        let redeem = ScriptBuf::from_bytes(stack.pop()?);
        stack = run(&redeem, stack, checker)?;
        if !stack.peek(0).is_ok_and(is_true) {
            return Err(ScriptError::EvalFalse);
        }
        if let Some((version, program)) = witness_program(&redeem) {
            had_witness = true;
            let only_redeem = bitcoin::script::PushBytesBuf::try_from(redeem.to_bytes())
                .is_ok_and(|push| ScriptBuf::builder().push_slice(push).as_script() == script_sig);
            if !only_redeem {
                return Err(ScriptError::WitnessMalleatedP2sh);
            }
            verify_program(checker, witness, version, program, true)?;
            stack = Stack::new(vec![vec![1]]);
        }
    }
    if stack.len() != 1 {
        return Err(ScriptError::CleanStack);
    }
    if !had_witness && !witness.is_empty() {
        return Err(ScriptError::WitnessUnexpected);
    }
    Ok(())
}

fn verify_program(
    checker: &mut Checker<'_>,
    witness: &Witness,
    version: u8,
    program: &[u8],
    in_p2sh: bool,
) -> Result<(), ScriptError> {
    let items = witness.to_vec();
    match (version, program.len()) {
        (0, 32) => {
            let (script, rest) = items
                .split_last()
                .ok_or(ScriptError::WitnessProgramWitnessEmpty)?;
            if sha256::Hash::hash(script).as_byte_array() != program {
                return Err(ScriptError::WitnessProgramMismatch);
            }
            run_witness(
                checker,
                Script::from_bytes(script),
                rest,
                SigVersion::WitnessV0,
                None,
            )
        }
        (0, 20) => {
            if items.len() != 2 {
                return Err(ScriptError::WitnessProgramMismatch);
            }
            let mut script = vec![0x76, 0xa9, 0x14];
            script.extend_from_slice(program);
            script.extend_from_slice(&[0x88, 0xac]);
            run_witness(
                checker,
                Script::from_bytes(&script),
                &items,
                SigVersion::WitnessV0,
                None,
            )
        }
        (0, _) => Err(ScriptError::WitnessProgramWrongLength),
        (1, 32) if !in_p2sh => verify_taproot(checker, witness, items, program),
        // Pay to anchor: anybody may spend it, without a witness.
        (1, 2) if !in_p2sh && program == [0x4e, 0x73] => Ok(()),
        _ => Err(ScriptError::DiscourageUpgradableWitnessProgram),
    }
}

fn run_witness(
    checker: &mut Checker<'_>,
    script: &Script,
    items: &[Vec<u8>],
    version: SigVersion,
    leaf: Option<Leaf>,
) -> Result<(), ScriptError> {
    if items.iter().any(|item| item.len() > 520) {
        return Err(ScriptError::PushSize);
    }
    if items.len() > 1000 {
        return Err(ScriptError::StackSize);
    }
    let stack = Machine::new(script, version, checker, Stack::new(items.to_vec()), leaf).run()?;
    match stack.elements() {
        [top] if is_true(top) => Ok(()),
        [_] => Err(ScriptError::EvalFalse),
        _ => Err(ScriptError::CleanStack),
    }
}

fn verify_taproot(
    checker: &mut Checker<'_>,
    witness: &Witness,
    mut items: Vec<Vec<u8>>,
    program: &[u8],
) -> Result<(), ScriptError> {
    let annexed = items.len() >= 2
        && items
            .last()
            .is_some_and(|last| last.first() == Some(&ANNEX_TAG));
    let annex = if annexed { items.pop() } else { None };
    let Some(last) = items.pop() else {
        return Err(ScriptError::WitnessProgramWitnessEmpty);
    };
    let output_key =
        XOnlyPublicKey::from_slice(program).map_err(|_| ScriptError::WitnessProgramMismatch)?;
    let Some(script) = items.pop() else {
        return checker.schnorr(&last, &output_key, annex.as_deref(), None);
    };
    let in_bounds = (33..=33 + 32 * 128).contains(&last.len()) && (last.len() - 33) % 32 == 0;
    if !in_bounds {
        return Err(ScriptError::TaprootWrongControlSize);
    }
    let control = ControlBlock::decode(&last).map_err(|_| ScriptError::WitnessProgramMismatch)?;
    let script = ScriptBuf::from_bytes(script);
    if !control.verify_taproot_commitment(&Secp256k1::verification_only(), output_key, &script) {
        return Err(ScriptError::WitnessProgramMismatch);
    }
    let version = control.leaf_version;
    if version != bitcoin::taproot::LeafVersion::TapScript {
        return Err(ScriptError::DiscourageUpgradableTaprootVersion);
    }
    match has_op_success(script.as_bytes()) {
        Some(false) => {}
        Some(true) => return Err(ScriptError::DiscourageOpSuccess),
        None => return Err(ScriptError::BadOpcode),
    }
    let size = i64::try_from(witness.size()).unwrap_or(i64::MAX);
    let leaf = Leaf {
        hash: TapLeafHash::from_script(&script, version),
        annex,
        budget: size.saturating_add(VALIDATION_WEIGHT_OFFSET),
    };
    run_witness(checker, &script, &items, SigVersion::Tapscript, Some(leaf))
}
