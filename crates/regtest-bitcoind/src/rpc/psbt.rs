//! Partially signed transactions (BIP 174).

use super::Context;
use super::args::{Args, wrong_type};
use super::error::{self, RpcError};
use super::psbt_json::psbt_json;
use super::raw_transaction::build;
use super::wallet_calls::{find_ref, wallet_name};
use super::wallet_spend::fund_with_options;
use crate::json::{Json, text};
use crate::node::Node;
use crate::wallet::psbt::{extract, finalize, is_final};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Psbt, Transaction, TxOut, Txid};
use serde_json::Value;
use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

fn parse(text: &str) -> Result<Psbt, RpcError> {
    Psbt::from_str(text)
        .map_err(|why| RpcError::new(error::DESERIALIZATION, format!("TX decode failed {why}")))
}

fn argument(args: &Args, index: usize) -> Result<Psbt, RpcError> {
    parse(args.text(index)?)
}

fn list(args: &Args) -> Result<Vec<Psbt>, RpcError> {
    let values = args.array(0)?.iter();
    values
        .map(|value| parse(value.as_str().ok_or_else(|| wrong_type(value, "string"))?))
        .collect()
}

fn from_transaction(mut tx: Transaction) -> Result<Psbt, RpcError> {
    for input in &mut tx.input {
        input.script_sig = bitcoin::ScriptBuf::new();
        input.witness.clear();
    }
    Psbt::from_unsigned_tx(tx).map_err(|why| RpcError::new(error::DESERIALIZATION, why.to_string()))
}

pub(super) fn createpsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    Ok(text(from_transaction(build(args)?)?))
}

pub(super) fn converttopsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let tx = super::args::transaction(args.text(0)?)
        .ok_or_else(|| RpcError::new(error::DESERIALIZATION, "TX decode failed"))?;
    let signed = tx
        .input
        .iter()
        .any(|input| !input.script_sig.is_empty() || !input.witness.is_empty());
    if signed && !args.flag_or(1, false)? {
        return Err(RpcError::new(
            error::DESERIALIZATION,
            "Inputs must not have scriptSigs and scriptWitnesses",
        ));
    }
    Ok(text(from_transaction(tx)?))
}

pub(super) fn decodepsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    Ok(psbt_json(&argument(args, 0)?))
}

pub(super) fn combinepsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mut all = list(args)?.into_iter();
    let mut combined = all
        .next()
        .ok_or_else(|| RpcError::parameter("Parameter 'txs' cannot be empty"))?;
    for psbt in all {
        combined
            .combine(psbt)
            .map_err(|why| RpcError::parameter(format!("PSBTs not compatible: {why}")))?;
    }
    Ok(text(combined))
}

pub(super) fn joinpsbts(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let all = list(args)?;
    if all.len() < 2 {
        return Err(RpcError::parameter(
            "At least two PSBTs are required to join PSBTs.",
        ));
    }
    let mut seen = HashSet::new();
    let mut parts = all.into_iter();
    let mut joined = parts.next().expect("there are at least two");
    seen.extend(
        joined
            .unsigned_tx
            .input
            .iter()
            .map(|input| input.previous_output),
    );
    for part in parts {
        for input in &part.unsigned_tx.input {
            let outpoint = input.previous_output;
            if !seen.insert(outpoint) {
                return Err(RpcError::parameter(format!(
                    "Input {outpoint} exists in multiple PSBTs"
                )));
            }
        }
        let tx = part.unsigned_tx;
        joined.unsigned_tx.version = joined.unsigned_tx.version.max(tx.version);
        let (a, b) = (joined.unsigned_tx.lock_time, tx.lock_time);
        joined.unsigned_tx.lock_time = if a.to_consensus_u32() <= b.to_consensus_u32() {
            a
        } else {
            b
        };
        joined.unsigned_tx.input.extend(tx.input);
        joined.unsigned_tx.output.extend(tx.output);
        joined.inputs.extend(part.inputs);
        joined.outputs.extend(part.outputs);
        joined.xpub.extend(part.xpub);
        joined.unknown.extend(part.unknown);
    }
    Ok(text(joined))
}

/// A transaction of the chain or the mempool.
fn find_transaction(node: &Node, txid: &Txid) -> Option<Transaction> {
    if let Some(entry) = node.mempool.get(txid) {
        return Some(Arc::unwrap_or_clone(Arc::clone(&entry.tx)));
    }
    let (entry, position) = node.chain.transaction(txid)?;
    entry.block.txdata.get(position).cloned()
}

/// Adds what chain and mempool know about the spent outputs.
fn add_spent_outputs(node: &Node, psbt: &mut Psbt) {
    for (input, known) in psbt.unsigned_tx.input.iter().zip(&mut psbt.inputs) {
        let outpoint = input.previous_output;
        let Some(tx) = find_transaction(node, &outpoint.txid) else {
            continue;
        };
        let Some(output) = usize::try_from(outpoint.vout)
            .ok()
            .and_then(|n| tx.output.get(n))
        else {
            continue;
        };
        // A taproot signature commits to all spent outputs by itself.
        if output.script_pubkey.is_witness_program() || output.script_pubkey.is_p2sh() {
            known.witness_utxo.get_or_insert_with(|| output.clone());
        }
        if !output.script_pubkey.is_p2tr() {
            known.non_witness_utxo.get_or_insert(tx);
        }
    }
}

pub(super) fn utxoupdatepsbt(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mut psbt = argument(args, 0)?;
    add_spent_outputs(context.node, &mut psbt);
    Ok(text(psbt))
}

pub(super) fn walletcreatefundedpsbt(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let locktime = u32::try_from(args.integer_or(2, 0)?)
        .map_err(|_| RpcError::parameter("Invalid parameter, locktime out of range"))?;
    let options = args.value(3);
    let replaceable = options
        .get("replaceable")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let tx = Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::from_consensus(locktime),
        input: super::raw_transaction::inputs(args.array(0)?, locktime, replaceable)?,
        output: super::raw_transaction::outputs(args.value(1))?,
    };
    let mut options = options.clone();
    let automatic = tx.input.is_empty();
    if let Some(members) = options.as_object_mut() {
        members.entry("add_inputs").or_insert(automatic.into());
    } else {
        options = serde_json::json!({"add_inputs": automatic});
    }
    let funded = fund_with_options(context, tx, &options)?;
    let mut psbt = from_transaction(funded.tx)?;
    add_spent_outputs(context.node, &mut psbt);
    let name = wallet_name(context)?;
    find_ref(context.node, &name).describe(&mut psbt);
    Ok(Json::object()
        .with("psbt", text(psbt))
        .with("fee", funded.fee)
        .with(
            "changepos",
            funded.change_position.map_or(Json::Int(-1), Json::from),
        ))
}

pub(super) fn walletprocesspsbt(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mut psbt = argument(args, 0)?;
    let (sign, derivations) = (args.flag_or(1, true)?, args.flag_or(3, true)?);
    let finish = args.flag_or(4, true)?;
    add_spent_outputs(context.node, &mut psbt);
    let name = wallet_name(context)?;
    let wallet = find_ref(context.node, &name);
    if derivations {
        wallet.describe(&mut psbt);
    }
    if sign {
        wallet.sign_psbt(&mut psbt);
    }
    if finish {
        finalize(&mut psbt);
    }
    let complete = psbt.inputs.iter().all(is_final);
    let mut json = Json::object()
        .with("psbt", text(&psbt))
        .with("complete", complete);
    if complete {
        json.push("hex", serialize_hex(&extract(&psbt)));
    }
    Ok(json)
}

pub(super) fn finalizepsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mut psbt = argument(args, 0)?;
    finalize(&mut psbt);
    let complete = psbt.inputs.iter().all(is_final);
    let json = if complete && args.flag_or(1, true)? {
        Json::object().with("hex", serialize_hex(&extract(&psbt)))
    } else {
        Json::object().with("psbt", text(&psbt))
    };
    Ok(json.with("complete", complete))
}

pub(super) fn analyzepsbt(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let psbt = argument(args, 0)?;
    let spent: Vec<Option<&TxOut>> = (0..psbt.inputs.len())
        .map(|index| crate::wallet::psbt::spent_output(&psbt, index))
        .collect();
    let role = |index: usize| match (spent.get(index), psbt.inputs.get(index)) {
        (_, Some(input)) if is_final(input) => "extractor",
        (Some(None), _) => "updater",
        (_, Some(input)) if input.partial_sigs.is_empty() && input.tap_key_sig.is_none() => {
            "signer"
        }
        _ => "finalizer",
    };
    let inputs: Json = (0..psbt.inputs.len())
        .map(|index| {
            let has = spent.get(index).is_some_and(Option::is_some);
            let done = psbt.inputs.get(index).is_some_and(is_final);
            Json::object()
                .with("has_utxo", has)
                .with("is_final", done)
                .with("next", role(index))
        })
        .collect();
    let mut json = Json::object().with("inputs", inputs);
    if let Some(fee) = crate::wallet::psbt::fee(&psbt) {
        json.push("fee", Json::sats(fee));
    }
    let order = ["updater", "signer", "finalizer", "extractor"];
    let next = (0..psbt.inputs.len())
        .filter_map(|index| order.iter().position(|name| *name == role(index)))
        .min()
        .and_then(|first| order.get(first))
        .unwrap_or(&"extractor");
    Ok(json.with("next", *next))
}
