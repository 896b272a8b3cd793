//! Making blocks.

use super::Context;
use super::args::{Args, address_script, misc};
use super::error::{self, RpcError};
use crate::chain::{BlockReject, Submitted};
use crate::json::{Json, text};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, ScriptBuf, Transaction};

const DEFAULT_MAX_TRIES: i64 = 1_000_000;

fn generate(
    context: &mut Context<'_>,
    count: i64,
    script: &ScriptBuf,
    tries: i64,
) -> Result<Json, RpcError> {
    let tries = u64::try_from(tries).unwrap_or(0);
    let mut hashes = Vec::new();
    for _ in 0..count {
        match context.node.generate(script.clone(), tries, context.now) {
            Some(Ok(hash)) => hashes.push(text(hash)),
            Some(Err(reject)) => return Err(misc(format!("ProcessNewBlock: {reject}"))),
            None => break,
        }
    }
    Ok(Json::Array(hashes))
}

pub(super) fn generatetoaddress(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let count = args.integer(0)?;
    let script =
        address_script(args.text(1)?).map_err(|_| RpcError::not_found("Error: Invalid address"))?;
    generate(
        context,
        count,
        &script,
        args.integer_or(2, DEFAULT_MAX_TRIES)?,
    )
}

/// The script of an address or a simple descriptor.
fn output_script(text: &str) -> Result<ScriptBuf, RpcError> {
    super::program::descriptor_script(text)
        .or_else(|_| address_script(text))
        .map_err(|_| RpcError::not_found("Error: Invalid address or descriptor"))
}

pub(super) fn generatetodescriptor(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let count = args.integer(0)?;
    let script = output_script(args.text(1)?)?;
    generate(
        context,
        count,
        &script,
        args.integer_or(2, DEFAULT_MAX_TRIES)?,
    )
}

pub(super) fn generateblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let script = output_script(args.text(0)?)?;
    let submit = args.flag_or(2, true)?;
    let mut txs: Vec<Transaction> = Vec::new();
    for value in args.array(1)? {
        let name = value.as_str().unwrap_or_default();
        let known = name
            .parse()
            .ok()
            .and_then(|txid| context.node.mempool.get(&txid));
        let tx = match known {
            Some(entry) => entry.tx.as_ref().clone(),
            None if name.len() == 64 => {
                return Err(RpcError::not_found(format!("Transaction {name} not in mempool.")));
            }
            None => super::args::transaction(name).ok_or_else(|| {
                RpcError::new(
                    error::DESERIALIZATION,
                    format!("Transaction decode failed for {name}. Make sure the tx has at least one input."),
                )
            })?,
        };
        txs.push(tx);
    }
    let tries = u64::try_from(DEFAULT_MAX_TRIES).unwrap_or(0);
    // Core lets such a block pay no fees to its miner.
    let block = context
        .node
        .build(script, txs, Amount::ZERO, tries, context.now)
        .ok_or_else(|| misc("Failed to make block."))?;
    let hash = text(block.block_hash());
    if !submit {
        return Ok(Json::object()
            .with("hash", hash)
            .with("hex", serialize_hex(&block)));
    }
    context
        .node
        .submit_block(block, context.now)
        .map_err(|reject| {
            RpcError::new(error::VERIFY, format!("TestBlockValidity failed: {reject}"))
        })?;
    Ok(Json::object().with("hash", hash))
}

pub(super) fn submitblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let block = args.block(0)?;
    if !block.coinbase().is_some_and(Transaction::is_coinbase) {
        return Err(RpcError::new(
            error::DESERIALIZATION,
            "Block does not start with a coinbase",
        ));
    }
    Ok(match context.node.submit_block(block, context.now) {
        Ok(Submitted::Active) => Json::Null,
        Ok(Submitted::Beside) => "inconclusive".into(),
        Err(BlockReject::UnknownParent) => "prev-blk-not-found".into(),
        Err(reject) => reject.to_string().into(),
    })
}

pub(super) fn getmininginfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::object()
        .with("blocks", context.node.chain.height())
        .with("bits", "207fffff")
        .with("networkhashps", 0)
        .with("pooledtx", context.node.mempool.len())
        .with("chain", "regtest")
        .with("warnings", Vec::new()))
}
