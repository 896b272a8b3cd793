//! Partially signed transactions: describing, signing and finalizing the wallet's inputs.

use super::Wallet;
use super::keys::{AddressKind, KeyPath};
use crate::policy::script_kind::ScriptKind;
use bitcoin::bip32::{ChildNumber, DerivationPath};
use bitcoin::psbt::Input;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::{Psbt, PublicKey, ScriptBuf, Transaction, TxOut, Witness, ecdsa, taproot};

impl KeyPath {
    /// The path as BIP 32 steps.
    pub fn steps(self) -> DerivationPath {
        let hardened = |index| ChildNumber::Hardened { index };
        let normal = |index| ChildNumber::Normal { index };
        DerivationPath::from(vec![
            hardened(self.kind.purpose()),
            hardened(1),
            hardened(0),
            normal(u32::from(self.change)),
            normal(self.index),
        ])
    }
}

/// The output that input `index` spends, if the transaction carries it.
pub fn spent_output(psbt: &Psbt, index: usize) -> Option<&TxOut> {
    let input = psbt.inputs.get(index)?;
    if let Some(output) = &input.witness_utxo {
        return Some(output);
    }
    let outpoint = psbt.unsigned_tx.input.get(index)?.previous_output;
    let tx = input.non_witness_utxo.as_ref()?;
    tx.output.get(usize::try_from(outpoint.vout).ok()?)
}

/// What the transaction pays in fees, in satoshis, if all spent outputs are known. Negative if it
/// pays out more than it takes in.
pub fn fee(psbt: &Psbt) -> Option<i64> {
    let mut fee = 0_i128;
    for index in 0..psbt.inputs.len() {
        fee += i128::from(spent_output(psbt, index)?.value.to_sat());
    }
    for output in &psbt.unsigned_tx.output {
        fee -= i128::from(output.value.to_sat());
    }
    i64::try_from(fee).ok()
}

/// Whether an input has its final scripts.
pub fn is_final(input: &Input) -> bool {
    input.final_script_sig.is_some() || input.final_script_witness.is_some()
}

/// The transaction with the final scripts of all inputs that have them.
pub fn extract(psbt: &Psbt) -> Transaction {
    let mut tx = psbt.unsigned_tx.clone();
    for (input, known) in tx.input.iter_mut().zip(&psbt.inputs) {
        input.script_sig = known.final_script_sig.clone().unwrap_or_default();
        input.witness = known.final_script_witness.clone().unwrap_or_default();
    }
    tx
}

impl Wallet {
    /// Adds keys and scripts of our inputs and outputs.
    pub fn describe(&self, psbt: &mut Psbt) {
        let fingerprint = self.ring().fingerprint();
        for index in 0..psbt.inputs.len() {
            let path = spent_output(psbt, index).and_then(|out| self.path(&out.script_pubkey));
            let (Some(path), Some(input)) = (path, psbt.inputs.get_mut(index)) else {
                continue;
            };
            let key = self.ring().public(path);
            match path.kind {
                AddressKind::Bech32m => {
                    input.tap_internal_key = Some(key.into());
                    let origin = (Vec::new(), (fingerprint, path.steps()));
                    input.tap_key_origins.insert(key.into(), origin);
                }
                AddressKind::P2shSegwit => {
                    input.redeem_script = Some(ScriptBuf::new_p2wpkh(&key.wpubkey_hash()));
                    input
                        .bip32_derivation
                        .insert(key.0, (fingerprint, path.steps()));
                }
                AddressKind::Legacy | AddressKind::Bech32 => {
                    input
                        .bip32_derivation
                        .insert(key.0, (fingerprint, path.steps()));
                }
            }
        }
        for (output, known) in psbt.unsigned_tx.output.iter().zip(&mut psbt.outputs) {
            let Some(path) = self.path(&output.script_pubkey) else {
                continue;
            };
            let key = self.ring().public(path);
            if path.kind == AddressKind::Bech32m {
                known.tap_internal_key = Some(key.into());
            } else {
                known
                    .bip32_derivation
                    .insert(key.0, (fingerprint, path.steps()));
            }
        }
    }

    /// Adds signatures to our inputs.
    pub fn sign_psbt(&self, psbt: &mut Psbt) {
        let spent: Vec<Option<TxOut>> = (0..psbt.inputs.len())
            .map(|index| spent_output(psbt, index).cloned())
            .collect();
        let mut signed = psbt.unsigned_tx.clone();
        let ours = self.sign(&mut signed, &spent);
        for (index, input) in psbt.inputs.iter_mut().enumerate() {
            let (Some(true), Some(tx_in)) = (ours.get(index), signed.input.get(index)) else {
                continue;
            };
            if is_final(input) {
                continue;
            }
            // Signatures come first in whatever unlocks our kinds of output; a key follows, except
            // for taproot.
            let pushed: Vec<Vec<u8>> = if tx_in.witness.is_empty() {
                tx_in
                    .script_sig
                    .instructions()
                    .filter_map(|each| Some(each.ok()?.push_bytes()?.as_bytes().to_vec()))
                    .collect()
            } else {
                tx_in.witness.to_vec()
            };
            match pushed.as_slice() {
                [sig] => input.tap_key_sig = taproot::Signature::from_slice(sig).ok(),
                [sig, key] => {
                    let parsed = (
                        PublicKey::from_slice(key),
                        ecdsa::Signature::from_slice(sig),
                    );
                    if let (Ok(key), Ok(sig)) = parsed {
                        input.partial_sigs.insert(key, sig);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Gives every input with enough signatures its final scripts.
pub fn finalize(psbt: &mut Psbt) {
    for index in 0..psbt.inputs.len() {
        let output = spent_output(psbt, index).cloned();
        let (Some(output), Some(input)) = (output, psbt.inputs.get_mut(index)) else {
            continue;
        };
        if is_final(input) {
            continue;
        }
        if let Some((script_sig, witness)) = final_scripts(input, &output.script_pubkey) {
            let (redeem, script) = (input.redeem_script.take(), input.witness_script.take());
            drop((redeem, script));
            input.final_script_sig = (!script_sig.is_empty()).then_some(script_sig);
            input.final_script_witness = (!witness.is_empty()).then_some(witness);
            input.partial_sigs.clear();
            input.bip32_derivation.clear();
            input.sighash_type = None;
            input.tap_key_sig = None;
            input.tap_key_origins.clear();
            input.tap_internal_key = None;
        }
    }
}

fn push(builder: Builder, bytes: Vec<u8>) -> Option<Builder> {
    Some(builder.push_slice(PushBytesBuf::try_from(bytes).ok()?))
}

fn final_scripts(input: &Input, script: &ScriptBuf) -> Option<(ScriptBuf, Witness)> {
    if script.is_p2tr() {
        return Some((
            ScriptBuf::new(),
            Witness::p2tr_key_spend(&input.tap_key_sig?),
        ));
    }
    let mut script_sig = Builder::new();
    let inner = if script.is_p2sh() {
        input.redeem_script.as_ref()?
    } else {
        script
    };
    let mut witness = Witness::new();
    if inner.is_witness_program() {
        let run = if inner.is_p2wsh() {
            input.witness_script.as_ref()?
        } else {
            inner
        };
        for item in satisfy(input, run)? {
            witness.push(item);
        }
        if inner.is_p2wsh() {
            witness.push(run.as_bytes());
        }
    } else {
        for item in satisfy(input, inner)? {
            script_sig = push(script_sig, item)?;
        }
    }
    if script.is_p2sh() {
        script_sig = push(script_sig, inner.to_bytes())?;
    }
    Some((script_sig.into_script(), witness))
}

/// What a script of known form wants on its stack.
fn satisfy(input: &Input, script: &ScriptBuf) -> Option<Vec<Vec<u8>>> {
    let sig_of = |key: &[u8]| {
        let found = input
            .partial_sigs
            .iter()
            .find(|(known, _)| known.to_bytes() == key);
        found.map(|(_, sig)| sig.to_vec())
    };
    match ScriptKind::of(script) {
        ScriptKind::Multisig(needed, keys) => {
            let sigs = keys
                .iter()
                .filter_map(|key| sig_of(key))
                .take(needed.into());
            let items: Vec<Vec<u8>> = std::iter::once(Vec::new()).chain(sigs).collect();
            (items.len() == usize::from(needed) + 1).then_some(items)
        }
        ScriptKind::Pubkey(key) => Some(vec![sig_of(&key)?]),
        ScriptKind::PubkeyHash | ScriptKind::WitnessV0KeyHash => {
            let (key, sig) = input.partial_sigs.iter().find(|(key, _)| {
                let pays_key = ScriptBuf::new_p2pkh(&key.pubkey_hash());
                let pays_witness = key.wpubkey_hash().map(|hash| ScriptBuf::new_p2wpkh(&hash));
                pays_key == *script || pays_witness.is_ok_and(|pays| pays == *script)
            })?;
            Some(vec![sig.to_vec(), key.to_bytes()])
        }
        ScriptKind::Anchor
        | ScriptKind::Nonstandard
        | ScriptKind::NullData
        | ScriptKind::ScriptHash
        | ScriptKind::WitnessV0ScriptHash
        | ScriptKind::WitnessV1Taproot
        | ScriptKind::WitnessUnknown => None,
    }
}
