//! Transactions, scripts and blocks as JSON.

use crate::chain::Coin;
use crate::json::{Json, text};
use crate::policy::script_kind::ScriptKind;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::DisplayHex;
use bitcoin::opcodes::Opcode;
use bitcoin::script::Instruction;
use bitcoin::{Address, Network, Script, Transaction};

/// A script as words: pushes in hex (short ones as numbers), opcodes by name.
pub(crate) fn assembly(script: &Script) -> String {
    let mut words = Vec::new();
    for instruction in script.instructions() {
        match instruction {
            Ok(Instruction::PushBytes(bytes)) if bytes.len() <= 4 => {
                words.push(script_number(bytes.as_bytes()).to_string());
            }
            Ok(Instruction::PushBytes(bytes)) => words.push(bytes.as_bytes().to_lower_hex_string()),
            Ok(Instruction::Op(opcode)) => words.push(opcode_name(opcode)),
            Err(_) => {
                words.push("[error]".to_owned());
                break;
            }
        }
    }
    words.join(" ")
}

fn opcode_name(opcode: Opcode) -> String {
    let name = opcode.to_string();
    match name.as_str() {
        "OP_PUSHNUM_NEG1" => "-1".to_owned(),
        "OP_CLTV" => "OP_CHECKLOCKTIMEVERIFY".to_owned(),
        "OP_CSV" => "OP_CHECKSEQUENCEVERIFY".to_owned(),
        _ => match name.strip_prefix("OP_PUSHNUM_") {
            Some(number) => number.to_owned(),
            None if name.starts_with("OP_RETURN_") => "OP_UNKNOWN".to_owned(),
            None => name,
        },
    }
}

/// A number as scripts write them: little endian, sign in the top bit.
fn script_number(bytes: &[u8]) -> i64 {
    let Some((last, rest)) = bytes.split_last() else {
        return 0;
    };
    let mut value = i64::from(last & 0x7f);
    for byte in rest.iter().rev() {
        value = value << 8 | i64::from(*byte);
    }
    if last & 0x80 != 0 { -value } else { value }
}

/// The descriptor of an output script, as far as it can be told from the script alone.
pub(crate) fn descriptor(script: &Script) -> String {
    let by_address = || match Address::from_script(script, Network::Regtest) {
        Ok(address) => format!("addr({address})"),
        Err(_) => format!("raw({})", script.to_hex_string()),
    };
    let body = match ScriptKind::of(script) {
        ScriptKind::Pubkey(key) => format!("pk({})", key.as_hex()),
        ScriptKind::Multisig(needed, keys) => {
            let keys: Vec<String> = keys.iter().map(DisplayHex::to_lower_hex_string).collect();
            format!("multi({needed},{})", keys.join(","))
        }
        ScriptKind::WitnessV1Taproot => {
            let key = script.as_bytes().get(2..).unwrap_or(&[]);
            format!("rawtr({})", key.as_hex())
        }
        ScriptKind::Anchor
        | ScriptKind::Nonstandard
        | ScriptKind::NullData
        | ScriptKind::PubkeyHash
        | ScriptKind::ScriptHash
        | ScriptKind::WitnessV0KeyHash
        | ScriptKind::WitnessV0ScriptHash
        | ScriptKind::WitnessUnknown => by_address(),
    };
    let checksum = crate::descriptor::checksum(&body).unwrap_or_default();
    format!("{body}#{checksum}")
}

/// An output script in full.
pub(crate) fn script_json(script: &Script) -> Json {
    let kind = ScriptKind::of(script);
    let mut json = Json::object()
        .with("asm", assembly(script))
        .with("desc", descriptor(script))
        .with("hex", script.to_hex_string());
    if let (true, Ok(address)) = (
        !matches!(kind, ScriptKind::Pubkey(_)),
        Address::from_script(script, Network::Regtest),
    ) {
        json.push("address", address.to_string());
    }
    json.with("type", kind.name())
}

/// A transaction as `decoderawtransaction` shows it. `spent` has the coins it spends where known;
/// if given, the inputs show them and the fee is added.
pub(crate) fn transaction_json(tx: &Transaction, spent: Option<&[Coin]>, with_hex: bool) -> Json {
    let mut json = Json::object()
        .with("txid", text(tx.compute_txid()))
        .with("hash", text(tx.compute_wtxid()))
        .with("version", i64::from(tx.version.0.cast_unsigned()))
        .with("size", tx.total_size())
        .with("vsize", tx.vsize())
        .with("weight", tx.weight().to_wu())
        .with("locktime", tx.lock_time.to_consensus_u32());
    let inputs = tx.input.iter().enumerate().map(|(index, input)| {
        let mut json = Json::object();
        if tx.is_coinbase() {
            json.push("coinbase", input.script_sig.to_hex_string());
        } else {
            json.push("txid", text(input.previous_output.txid));
            json.push("vout", input.previous_output.vout);
            let script_sig = Json::object()
                .with("asm", assembly(&input.script_sig))
                .with("hex", input.script_sig.to_hex_string());
            json.push("scriptSig", script_sig);
        }
        if !input.witness.is_empty() {
            let items: Json = input
                .witness
                .iter()
                .map(|item| item.to_lower_hex_string().into())
                .collect();
            json.push("txinwitness", items);
        }
        if let Some(coin) = spent.and_then(|spent| spent.get(index)) {
            json.push("prevout", prevout_json(coin));
        }
        json.with("sequence", input.sequence.to_consensus_u32())
    });
    json.push("vin", inputs.collect::<Json>());
    let outputs = tx.output.iter().enumerate().map(|(index, output)| {
        Json::object()
            .with("value", output.value)
            .with("n", index)
            .with("scriptPubKey", script_json(&output.script_pubkey))
    });
    json.push("vout", outputs.collect::<Json>());
    if let Some(fee) = spent.and_then(|spent| fee(tx, spent)) {
        json.push("fee", Json::sats(fee));
    }
    if with_hex {
        json.push("hex", serialize_hex(tx));
    }
    json
}

fn prevout_json(coin: &Coin) -> Json {
    Json::object()
        .with("generated", coin.coinbase)
        .with("height", coin.height)
        .with("value", coin.output.value)
        .with("scriptPubKey", script_json(&coin.output.script_pubkey))
}

fn fee(tx: &Transaction, spent: &[Coin]) -> Option<i64> {
    if tx.is_coinbase() || spent.len() != tx.input.len() {
        return None;
    }
    let sum = |values: &mut dyn Iterator<Item = u64>| values.fold(0_u64, u64::saturating_add);
    let paid_in = sum(&mut spent.iter().map(|coin| coin.output.value.to_sat()));
    let paid_out = sum(&mut tx.output.iter().map(|output| output.value.to_sat()));
    Some(paid_in.cast_signed().saturating_sub(paid_out.cast_signed()))
}
