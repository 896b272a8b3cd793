//! Our script machine against Bitcoin Core's: it may be stricter, never more lenient.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use proptest::collection::vec;
use proptest::prelude::*;
use regtest_bitcoind::consensus_script::verify_inputs;
use regtest_bitcoind::script::{ScriptError, verify_standard};

/// Operations that make interesting scripts often.
fn operation() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0x51_u8..=0x60).prop_map(|code| vec![code]),
        2 => Just(vec![0x00]),
        1 => Just(vec![0x4f]),
        6 => (0x61_u8..=0x7d).prop_map(|code| vec![code]),
        3 => prop_oneof![Just(0x63_u8), Just(0x64), Just(0x67), Just(0x68)].prop_map(|code| vec![code]),
        6 => (0x82_u8..=0xa5).prop_map(|code| vec![code]),
        2 => (0xa6_u8..=0xba).prop_map(|code| vec![code]),
        1 => any::<u8>().prop_map(|code| vec![code]),
        3 => vec(any::<u8>(), 0..6).prop_map(|data| {
            let mut push = vec![u8::try_from(data.len()).unwrap()];
            push.extend(data);
            push
        }),
    ]
}

fn spend(script_sig: ScriptBuf, witness: Witness, lock: u32, sequence: u32) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::from_consensus(lock),
        input: vec![TxIn {
            previous_output: OutPoint {
                txid: bitcoin::hashes::Hash::all_zeros(),
                vout: 0,
            },
            script_sig,
            sequence: Sequence(sequence),
            witness,
        }],
        output: vec![TxOut {
            value: Amount::ONE_SAT,
            script_pubkey: ScriptBuf::new(),
        }],
    }
}

/// Errors that only the relay rules know.
fn is_policy(error: ScriptError, in_witness: bool) -> bool {
    use ScriptError as E;
    match error {
        E::CleanStack => !in_witness,
        // Numbers in too many bytes are consensus, in a needlessly long form they are policy.
        E::Unknown
        | E::MinimalData
        | E::MinimalIf
        | E::NullFail
        | E::PubkeyType
        | E::WitnessPubkeyType
        | E::SigHighS
        | E::SigHashType
        | E::SigFindAndDelete
        | E::OpCodeSeparator
        | E::WitnessUnexpected
        | E::DiscourageUpgradableNops
        | E::DiscourageUpgradableWitnessProgram
        | E::DiscourageUpgradableTaprootVersion
        | E::DiscourageUpgradablePubkeyType
        | E::DiscourageOpSuccess => true,
        _ => false,
    }
}

fn compare(tx: &Transaction, spent: &TxOut, in_witness: bool) -> Result<(), TestCaseError> {
    let spent = std::slice::from_ref(spent);
    let (own, core) = (verify_standard(tx, spent), verify_inputs(tx, spent));
    match own {
        Ok(()) => prop_assert!(core.is_ok(), "we allow what consensus forbids"),
        Err((_, error)) if is_policy(error, in_witness) => {}
        Err((_, error)) => prop_assert!(core.is_err(), "consensus allows it, we say: {error}"),
    }
    Ok(())
}

fn output(script_pubkey: ScriptBuf) -> TxOut {
    TxOut {
        value: Amount::from_sat(1000),
        script_pubkey,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn witness_scripts_agree(
        operations in vec(operation(), 1..12),
        items in vec(vec(any::<u8>(), 0..4), 0..5),
        lock in prop_oneof![Just(0_u32), 0_u32..20, Just(500_000_001)],
        sequence in prop_oneof![Just(u32::MAX), 0_u32..20, Just((1 << 22) | 3)],
    ) {
        let script = ScriptBuf::from_bytes(operations.concat());
        let mut items = items;
        items.push(script.to_bytes());
        let tx = spend(ScriptBuf::new(), Witness::from_slice(&items), lock, sequence);
        compare(&tx, &output(script.to_p2wsh()), true)?;
    }

    #[test]
    fn bare_scripts_agree(
        operations in vec(operation(), 1..12),
        pushes in vec(operation(), 0..4),
        lock in 0_u32..20,
    ) {
        let script = ScriptBuf::from_bytes(operations.concat());
        let tx = spend(ScriptBuf::from_bytes(pushes.concat()), Witness::new(), lock, 5);
        compare(&tx, &output(script), false)?;
    }

    #[test]
    fn tapscripts_agree(
        operations in vec(operation(), 1..12),
        items in vec(vec(any::<u8>(), 0..4), 0..5),
    ) {
        use bitcoin::secp256k1::{Keypair, Secp256k1, SecretKey};
        let secp = Secp256k1::new();
        let key = Keypair::from_secret_key(&secp, &SecretKey::from_slice(&[3; 32]).unwrap());
        let key = key.x_only_public_key().0;
        let script = ScriptBuf::from_bytes(operations.concat());
        let tree = bitcoin::taproot::TaprootBuilder::new()
            .add_leaf(0, script.clone())
            .unwrap()
            .finalize(&secp, key)
            .unwrap();
        let leaf = (script.clone(), bitcoin::taproot::LeafVersion::TapScript);
        let control = tree.control_block(&leaf).unwrap();
        let mut items = items;
        items.push(script.to_bytes());
        items.push(control.serialize());
        let tx = spend(ScriptBuf::new(), Witness::from_slice(&items), 0, 5);
        compare(&tx, &output(ScriptBuf::new_p2tr_tweaked(tree.output_key())), true)?;
    }

    #[test]
    fn rubbish_witnesses_agree(
        version in 0_u8..3,
        program in prop_oneof![vec(any::<u8>(), 20), vec(any::<u8>(), 32), vec(any::<u8>(), 2..41)],
        items in vec(vec(any::<u8>(), 0..70), 0..4),
    ) {
        let mut script = vec![if version == 0 { 0 } else { 0x50 + version }];
        script.push(u8::try_from(program.len()).unwrap());
        script.extend(program);
        let tx = spend(ScriptBuf::new(), Witness::from_slice(&items), 0, 5);
        compare(&tx, &output(ScriptBuf::from_bytes(script)), true)?;
    }
}
