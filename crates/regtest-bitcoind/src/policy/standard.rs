//! Which forms of transaction are relayed.

use super::Policy;
use super::dust::is_dust;
use super::script_kind::{ScriptKind, is_push_only, witness_program};
use bitcoin::script::Instruction;
use bitcoin::{Script, ScriptBuf, Transaction, TxIn, TxOut};

/// Largest weight of a relayed transaction.
const MAX_WEIGHT: u64 = 400_000;
/// Largest script that unlocks an input, in bytes.
const MAX_SCRIPT_SIG: usize = 1650;
/// Most signature operations of a pay-to-script-hash script.
const MAX_P2SH_SIGOPS: usize = 15;
/// Largest script of a version 0 witness, in bytes.
const MAX_WITNESS_SCRIPT: usize = 3600;
/// Most elements before the script of a version 0 witness.
const MAX_WITNESS_ITEMS: usize = 100;
/// Largest of these elements, in bytes; also for tapscript.
const MAX_WITNESS_ITEM: usize = 80;
/// Most outputs below the dust threshold; those must be spent in the same package.
const MAX_DUST_OUTPUTS: usize = 1;

/// Checks everything about a transaction that shows without its coins. `Err` is Core's reject
/// reason.
pub fn check_form(tx: &Transaction, policy: &Policy) -> Result<(), &'static str> {
    if !(1..=3).contains(&tx.version.0) {
        return Err("version");
    }
    if tx.weight().to_wu() > MAX_WEIGHT {
        return Err("tx-size");
    }
    for input in &tx.input {
        if input.script_sig.len() > MAX_SCRIPT_SIG {
            return Err("scriptsig-size");
        }
        if !is_push_only(&input.script_sig) {
            return Err("scriptsig-not-pushonly");
        }
    }
    let mut data_outputs = 0;
    for output in &tx.output {
        let kind = check_output_script(&output.script_pubkey, policy)?;
        if matches!(kind, ScriptKind::Multisig(..)) && !policy.bare_multisig {
            return Err("bare-multisig");
        }
        data_outputs += usize::from(kind == ScriptKind::NullData);
    }
    let dust = tx
        .output
        .iter()
        .filter(|output| is_dust(output, policy.dust_relay))
        .count();
    if dust > MAX_DUST_OUTPUTS {
        return Err("dust");
    }
    if data_outputs > 1 {
        return Err("multi-op-return");
    }
    Ok(())
}

fn check_output_script(script: &Script, policy: &Policy) -> Result<ScriptKind, &'static str> {
    let kind = ScriptKind::of(script);
    let standard = match &kind {
        ScriptKind::Nonstandard => false,
        ScriptKind::Multisig(needed, keys) => *needed >= 1 && keys.len() <= 3,
        ScriptKind::NullData => policy
            .data_carrier_bytes
            .is_some_and(|max| script.len() <= max),
        ScriptKind::Anchor
        | ScriptKind::Pubkey(_)
        | ScriptKind::PubkeyHash
        | ScriptKind::ScriptHash
        | ScriptKind::WitnessV0KeyHash
        | ScriptKind::WitnessV0ScriptHash
        | ScriptKind::WitnessV1Taproot
        | ScriptKind::WitnessUnknown => true,
    };
    if standard {
        Ok(kind)
    } else {
        Err("scriptpubkey")
    }
}

/// The script inside pay-to-script-hash: what the unlocking script pushes last.
fn redeem_script(script_sig: &Script) -> Option<ScriptBuf> {
    match script_sig.instructions().last()?.ok()? {
        Instruction::PushBytes(bytes) => Some(ScriptBuf::from_bytes(bytes.as_bytes().to_vec())),
        Instruction::Op(_) => None,
    }
}

/// Whether all spent outputs are of a known form.
pub fn inputs_are_standard(tx: &Transaction, spent: &[TxOut]) -> bool {
    tx.input.iter().zip(spent).all(|(input, output)| {
        let kind = ScriptKind::of(&output.script_pubkey);
        if kind == ScriptKind::ScriptHash {
            return redeem_script(&input.script_sig)
                .is_some_and(|redeem| redeem.count_sigops() <= MAX_P2SH_SIGOPS);
        }
        !matches!(kind, ScriptKind::Nonstandard | ScriptKind::WitnessUnknown)
    })
}

/// Whether all witnesses are of reasonable form.
pub fn witnesses_are_standard(tx: &Transaction, spent: &[TxOut]) -> bool {
    tx.input
        .iter()
        .zip(spent)
        .filter(|(input, _)| !input.witness.is_empty())
        .all(|(input, output)| witness_is_standard(input, &output.script_pubkey))
}

fn witness_is_standard(input: &TxIn, script_pubkey: &Script) -> bool {
    if ScriptKind::of(script_pubkey) == ScriptKind::Anchor {
        return false;
    }
    let redeem = script_pubkey
        .is_p2sh()
        .then(|| redeem_script(&input.script_sig));
    let script = match &redeem {
        None => script_pubkey,
        Some(None) => return false,
        Some(Some(redeem)) => redeem,
    };
    let items: Vec<&[u8]> = input.witness.iter().collect();
    let small = |items: &[&[u8]]| items.iter().all(|item| item.len() <= MAX_WITNESS_ITEM);
    match witness_program(script) {
        None => false,
        Some((0, program)) if program.len() == 32 => {
            items.split_last().is_some_and(|(script, rest)| {
                script.len() <= MAX_WITNESS_SCRIPT && rest.len() <= MAX_WITNESS_ITEMS && small(rest)
            })
        }
        Some((1, program)) if program.len() == 32 && redeem.is_none() => {
            let annexed =
                items.len() >= 2 && items.last().is_some_and(|last| last.first() == Some(&0x50));
            match items.as_slice() {
                _ if annexed => false,
                [] => false,
                [_] => true,
                [rest @ .., _script, control] => {
                    let tapscript = control.first().is_some_and(|first| first & 0xfe == 0xc0);
                    !control.is_empty() && (!tapscript || small(rest))
                }
            }
        }
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::absolute::LockTime;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, Witness};

    fn tx(version: i32, outputs: &[(u64, &str)]) -> Transaction {
        Transaction {
            version: Version(version),
            lock_time: LockTime::ZERO,
            input: vec![TxIn::default()],
            output: outputs
                .iter()
                .map(|(value, script)| TxOut {
                    value: Amount::from_sat(*value),
                    script_pubkey: ScriptBuf::from_hex(script).unwrap(),
                })
                .collect(),
        }
    }

    #[test]
    fn odd_forms_have_their_reasons() {
        let policy = Policy::default();
        let check = |version, outputs: &[(u64, &str)]| check_form(&tx(version, outputs), &policy);
        let good = format!("0014{}", "00".repeat(20));
        assert_eq!(check(3, &[(294, &good)]), Ok(()));
        assert_eq!(check(4, &[(294, &good)]), Err("version"));
        assert_eq!(
            check(2, &[(293, &good)]),
            Ok(()),
            "one dust output may be ephemeral"
        );
        assert_eq!(check(2, &[(293, &good), (0, &good)]), Err("dust"));
        assert_eq!(check(2, &[(1000, "51")]), Err("scriptpubkey"));
        assert_eq!(
            check(2, &[(0, "6a0101"), (0, "6a0101")]),
            Err("multi-op-return")
        );
        let long = format!("6a4c51{}", "00".repeat(81));
        assert_eq!(check(2, &[(0, &long)]), Err("scriptpubkey"));
    }

    #[test]
    fn witnesses_with_large_items_are_refused() {
        let output = |script: String| TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::from_hex(&script).unwrap(),
        };
        let v0 = [output(format!("0020{}", "00".repeat(32)))];
        let mut spend = tx(2, &[]);
        spend.input[0].witness = Witness::from_slice(&[vec![0; 80], vec![0; 3600]]);
        assert!(witnesses_are_standard(&spend, &v0));
        spend.input[0].witness = Witness::from_slice(&[vec![0; 81], vec![0; 3600]]);
        assert!(!witnesses_are_standard(&spend, &v0));
        let taproot = [output(format!("5120{}", "00".repeat(32)))];
        spend.input[0].witness = Witness::from_slice(&[vec![0; 64]]);
        assert!(witnesses_are_standard(&spend, &taproot));
        spend.input[0].witness = Witness::from_slice(&[vec![0; 64], vec![0x50]]);
        assert!(!witnesses_are_standard(&spend, &taproot), "an annex");
        let anchor = [output("51024e73".to_owned())];
        assert!(!witnesses_are_standard(&spend, &anchor));
    }
}
