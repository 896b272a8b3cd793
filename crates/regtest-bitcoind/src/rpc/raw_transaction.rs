//! Transactions by hand.

use super::Context;
use super::args::{Args, address_script, amount, integer, outpoint, transaction, transaction_hex};
use super::decode::transaction_json;
use super::error::{self, RpcError};
use crate::chain::{Chain, Coin};
use crate::json::{Json, text};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::FromHex;
use bitcoin::script::PushBytesBuf;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use serde_json::Value;

pub(super) fn getrawtransaction(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let txid = args.txid(0, "parameter 1")?;
    let verbosity = args.verbosity(1, 0)?;
    let (chain, mempool) = (&context.node.chain, &context.node.mempool);
    let in_block = if args.has(2) {
        let hash = args.block_hash(2, "parameter 3")?;
        let entry = chain
            .entry(&hash)
            .ok_or_else(|| RpcError::not_found("Block hash not found"))?;
        let position = entry.txids.iter().position(|id| *id == txid).ok_or_else(|| {
            RpcError::not_found("No such transaction found in the provided block. Use gettransaction for wallet transactions.")
        })?;
        Some((entry, position))
    } else if mempool.get(&txid).is_some() {
        None
    } else {
        Some(chain.transaction(&txid).ok_or_else(|| {
            RpcError::not_found("No such mempool or blockchain transaction. Use gettransaction for wallet transactions.")
        })?)
    };
    let (tx, coins): (&Transaction, &[Coin]) = match in_block {
        Some((entry, position)) => {
            let tx = entry.block.txdata.get(position);
            (
                tx.expect("the position is of this block"),
                Chain::spent_coins(entry, position),
            )
        }
        None => {
            let entry = mempool.get(&txid).expect("it was found above");
            (&entry.tx, &entry.coins)
        }
    };
    if verbosity <= 0 {
        return Ok(serialize_hex(tx).into());
    }
    let coins = (verbosity >= 2).then_some(coins);
    let mut json = transaction_json(tx, coins, true);
    if let Some((entry, _)) = in_block {
        if args.has(2) {
            json.push("in_active_chain", chain.is_active(entry));
        }
        json.push("blockhash", text(entry.hash));
        if chain.is_active(entry) {
            json.push("confirmations", chain.confirmations(entry));
            json.push("time", entry.block.header.time);
            json.push("blocktime", entry.block.header.time);
        } else {
            json.push("confirmations", 0);
        }
    }
    Ok(json)
}

pub(super) fn decoderawtransaction(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let tx = transaction(args.text(0)?)
        .ok_or_else(|| RpcError::new(error::DESERIALIZATION, "TX decode failed"))?;
    Ok(transaction_json(&tx, None, false))
}

/// Outputs as an object or an array of objects: address to amount, or `data` to hex.
pub(super) fn outputs(value: &Value) -> Result<Vec<TxOut>, RpcError> {
    let pairs: Vec<(&String, &Value)> = match value {
        Value::Object(members) => members.iter().collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                item.as_object()
                    .filter(|members| members.len() == 1)
                    .ok_or_else(|| {
                        RpcError::parameter(
                            "Invalid parameter, key-value pair not an object as expected",
                        )
                    })
            })
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(RpcError::parameter(
                "Invalid parameter, output argument must be non-null",
            ));
        }
    };
    pairs
        .into_iter()
        .map(|(name, value)| output(name, value))
        .collect()
}

fn output(name: &str, value: &Value) -> Result<TxOut, RpcError> {
    if name == "data" {
        let data = value
            .as_str()
            .and_then(|hex| Vec::<u8>::from_hex(hex).ok())
            .and_then(|bytes| PushBytesBuf::try_from(bytes).ok())
            .ok_or_else(|| RpcError::parameter("Data must be hexadecimal string"))?;
        return Ok(TxOut {
            value: Amount::ZERO,
            script_pubkey: ScriptBuf::new_op_return(data),
        });
    }
    Ok(TxOut {
        value: amount(value)?,
        script_pubkey: address_script(name)?,
    })
}

/// Inputs as an array of `{"txid", "vout", "sequence"}`.
pub(super) fn inputs(
    values: &[Value],
    locktime: u32,
    replaceable: bool,
) -> Result<Vec<TxIn>, RpcError> {
    let default = match (replaceable, locktime) {
        (true, _) => Sequence::ENABLE_RBF_NO_LOCKTIME,
        (false, 0) => Sequence::MAX,
        (false, _) => Sequence::ENABLE_LOCKTIME_NO_RBF,
    };
    values
        .iter()
        .map(|value| {
            let sequence = match value.get("sequence") {
                None | Some(Value::Null) => default,
                Some(given) => {
                    let number = u32::try_from(integer(given)?).map_err(|_| {
                        RpcError::parameter("Invalid parameter, sequence number is out of range")
                    })?;
                    Sequence(number)
                }
            };
            Ok(TxIn {
                previous_output: outpoint(value)?,
                script_sig: ScriptBuf::new(),
                sequence,
                witness: Witness::new(),
            })
        })
        .collect()
}

/// A transaction from the parameters that `createrawtransaction` and `createpsbt` share.
pub(super) fn build(args: &Args) -> Result<Transaction, RpcError> {
    let locktime = u32::try_from(args.integer_or(2, 0)?)
        .map_err(|_| RpcError::parameter("Invalid parameter, locktime out of range"))?;
    let version = i32::try_from(args.integer_or(4, 2)?)
        .ok()
        .filter(|v| (1..=3).contains(v));
    let version = version
        .ok_or_else(|| RpcError::parameter("Invalid parameter, version out of range(1~3)"))?;
    Ok(Transaction {
        version: Version(version),
        lock_time: LockTime::from_consensus(locktime),
        input: inputs(args.array(0)?, locktime, args.flag_or(3, true)?)?,
        output: outputs(args.value(1))?,
    })
}

pub(super) fn createrawtransaction(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    Ok(transaction_hex(&build(args)?).into())
}
