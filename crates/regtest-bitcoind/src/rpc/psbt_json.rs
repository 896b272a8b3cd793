//! A partially signed transaction as `decodepsbt` shows it.

use super::decode::{assembly, script_json, transaction_json};
use crate::json::{Json, text};
use bitcoin::hex::DisplayHex;
use bitcoin::psbt::{Input, Output, raw};
use bitcoin::{Psbt, Script, TxOut};
use std::collections::BTreeMap;

fn hex(bytes: &[u8]) -> Json {
    bytes.to_lower_hex_string().into()
}

fn unknown(members: &BTreeMap<raw::Key, Vec<u8>>) -> Json {
    let members = members.iter().map(|(key, value)| {
        let name = format!("{:02x}{}", key.type_value, key.key.to_lower_hex_string());
        (name, hex(value))
    });
    Json::Object(members.collect())
}

fn proprietary(members: &BTreeMap<raw::ProprietaryKey, Vec<u8>>) -> Json {
    members
        .iter()
        .map(|(key, value)| {
            Json::object()
                .with("identifier", hex(&key.prefix))
                .with("subtype", i64::from(key.subtype))
                .with("key", hex(&key.key))
                .with("value", hex(value))
        })
        .collect()
}

fn output_json(output: &TxOut) -> Json {
    Json::object()
        .with("amount", output.value)
        .with("scriptPubKey", script_json(&output.script_pubkey))
}

fn named_script(script: &Script) -> Json {
    Json::object()
        .with("asm", assembly(script))
        .with("hex", script.to_hex_string())
        .with(
            "type",
            crate::policy::script_kind::ScriptKind::of(script).name(),
        )
}

fn path(path: &bitcoin::bip32::DerivationPath) -> String {
    format!("m/{path}").replace('\'', "h")
}

/// The whole of it.
pub(super) fn psbt_json(psbt: &Psbt) -> Json {
    let xpubs = psbt.xpub.iter().map(|(key, (fingerprint, steps))| {
        Json::object()
            .with("xpub", text(key))
            .with("master_fingerprint", text(fingerprint))
            .with("path", path(steps))
    });
    let mut json = Json::object()
        .with("tx", transaction_json(&psbt.unsigned_tx, None, false))
        .with("global_xpubs", xpubs.collect::<Json>())
        .with("psbt_version", psbt.version)
        .with("proprietary", proprietary(&psbt.proprietary))
        .with("unknown", unknown(&psbt.unknown))
        .with(
            "inputs",
            psbt.inputs.iter().map(input_json).collect::<Json>(),
        )
        .with(
            "outputs",
            psbt.outputs.iter().map(psbt_output_json).collect::<Json>(),
        );
    if let Some(fee) = crate::wallet::psbt::fee(psbt) {
        json.push("fee", Json::sats(fee));
    }
    json
}

fn input_json(input: &Input) -> Json {
    let mut json = Json::object();
    if let Some(output) = &input.witness_utxo {
        json.push("witness_utxo", output_json(output));
    }
    if let Some(tx) = &input.non_witness_utxo {
        json.push("non_witness_utxo", transaction_json(tx, None, false));
    }
    if !input.partial_sigs.is_empty() {
        let sigs = input.partial_sigs.iter();
        let members = sigs.map(|(key, sig)| (key.to_string(), hex(&sig.to_vec())));
        json.push("partial_signatures", Json::Object(members.collect()));
    }
    if let Some(sighash) = input.sighash_type {
        json.push(
            "sighash",
            sighash.to_string().trim_start_matches("SIGHASH_"),
        );
    }
    if let Some(script) = &input.redeem_script {
        json.push("redeem_script", named_script(script));
    }
    if let Some(script) = &input.witness_script {
        json.push("witness_script", named_script(script));
    }
    if !input.bip32_derivation.is_empty() {
        let keys = input.bip32_derivation.iter();
        let keys = keys.map(|(key, (fingerprint, steps))| {
            Json::object()
                .with("pubkey", text(key))
                .with("master_fingerprint", text(fingerprint))
                .with("path", path(steps))
        });
        json.push("bip32_derivs", keys.collect::<Json>());
    }
    if let Some(script) = &input.final_script_sig {
        let script = Json::object()
            .with("asm", assembly(script))
            .with("hex", script.to_hex_string());
        json.push("final_scriptSig", script);
    }
    if let Some(witness) = &input.final_script_witness {
        json.push(
            "final_scriptwitness",
            witness.iter().map(hex).collect::<Json>(),
        );
    }
    if let Some(sig) = &input.tap_key_sig {
        json.push("taproot_key_path_sig", hex(&sig.to_vec()));
    }
    if let Some(key) = &input.tap_internal_key {
        json.push("taproot_internal_key", text(key));
    }
    if !input.proprietary.is_empty() {
        json.push("proprietary", proprietary(&input.proprietary));
    }
    if !input.unknown.is_empty() {
        json.push("unknown", unknown(&input.unknown));
    }
    json
}

fn psbt_output_json(output: &Output) -> Json {
    let mut json = Json::object();
    if let Some(script) = &output.redeem_script {
        json.push("redeem_script", named_script(script));
    }
    if let Some(script) = &output.witness_script {
        json.push("witness_script", named_script(script));
    }
    if !output.bip32_derivation.is_empty() {
        let keys = output.bip32_derivation.iter();
        let keys = keys.map(|(key, (fingerprint, steps))| {
            Json::object()
                .with("pubkey", text(key))
                .with("master_fingerprint", text(fingerprint))
                .with("path", path(steps))
        });
        json.push("bip32_derivs", keys.collect::<Json>());
    }
    if let Some(key) = &output.tap_internal_key {
        json.push("taproot_internal_key", text(key));
    }
    if !output.proprietary.is_empty() {
        json.push("proprietary", proprietary(&output.proprietary));
    }
    if !output.unknown.is_empty() {
        json.push("unknown", unknown(&output.unknown));
    }
    json
}
