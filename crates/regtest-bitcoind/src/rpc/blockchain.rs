//! Blocks and coins.

use super::Context;
use super::args::Args;
use super::decode::{script_json, transaction_json};
use super::error::{self, RpcError};
use crate::chain::{BlockEntry, BlockStatus, Chain};
use crate::json::{Json, text};
use bitcoin::OutPoint;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::DisplayHex;

/// Difficulty of regtest's only target.
const DIFFICULTY: &str = "4.656542373906925e-10";
const TARGET: &str = "7fffff0000000000000000000000000000000000000000000000000000000000";

fn chain_work(height: u32) -> String {
    format!("{:064x}", 2 * (u64::from(height) + 1))
}

pub(super) fn getblockchaininfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let initial_download = context.node.initial_download(context.now);
    let chain = &context.node.chain;
    let tip = chain.tip();
    let headers = chain.entries().map(|entry| entry.height).max().unwrap_or(0);
    let size: u64 = chain.entries().map(|entry| u64::from(entry.size)).sum();
    Ok(Json::object()
        .with("chain", "regtest")
        .with("blocks", chain.height())
        .with("headers", headers.max(chain.height()))
        .with("bestblockhash", text(tip.hash))
        .with("bits", "207fffff")
        .with("target", TARGET)
        .with("difficulty", Json::Number(DIFFICULTY.to_owned()))
        .with("time", tip.block.header.time)
        .with("mediantime", tip.median_time)
        .with("verificationprogress", 1)
        .with("initialblockdownload", initial_download)
        .with("chainwork", chain_work(tip.height))
        .with("size_on_disk", size)
        .with("pruned", false)
        .with("warnings", Vec::new()))
}

pub(super) fn getblockcount(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(context.node.chain.height().into())
}

pub(super) fn getbestblockhash(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(text(context.node.chain.tip().hash))
}

pub(super) fn getdifficulty(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::Number(DIFFICULTY.to_owned()))
}

pub(super) fn getblockhash(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let height = u32::try_from(args.integer(0)?).ok();
    let entry = height.and_then(|height| context.node.chain.at(height));
    entry
        .map(|entry| text(entry.hash))
        .ok_or_else(|| RpcError::parameter("Block height out of range"))
}

fn entry<'a>(chain: &'a Chain, args: &Args, index: usize) -> Result<&'a BlockEntry, RpcError> {
    let hash = args.block_hash(index, "blockhash")?;
    chain
        .entry(&hash)
        .ok_or_else(|| RpcError::not_found("Block not found"))
}

fn header_json(chain: &Chain, entry: &BlockEntry) -> Json {
    let header = &entry.block.header;
    let version = header.version.to_consensus();
    let mut json = Json::object()
        .with("hash", text(entry.hash))
        .with("confirmations", chain.confirmations(entry))
        .with("height", entry.height)
        .with("version", version)
        .with("versionHex", format!("{version:08x}"))
        .with("merkleroot", text(header.merkle_root))
        .with("time", header.time)
        .with("mediantime", entry.median_time)
        .with("nonce", header.nonce)
        .with("bits", "207fffff")
        .with("target", TARGET)
        .with("difficulty", Json::Number(DIFFICULTY.to_owned()))
        .with("chainwork", chain_work(entry.height))
        .with("nTx", entry.txids.len());
    if entry.height > 0 {
        json.push("previousblockhash", text(header.prev_blockhash));
    }
    let next = entry
        .height
        .checked_add(1)
        .and_then(|height| chain.at(height));
    if let (true, Some(next)) = (chain.is_active(entry), next) {
        json.push("nextblockhash", text(next.hash));
    }
    json
}

pub(super) fn getblockheader(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let chain = &context.node.chain;
    let entry = entry(chain, args, 0)?;
    if !args.flag_or(1, true)? {
        return Ok(serialize_hex(&entry.block.header).into());
    }
    Ok(header_json(chain, entry))
}

pub(super) fn getblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let chain = &context.node.chain;
    let entry = entry(chain, args, 0)?;
    let verbosity = args.verbosity(1, 1)?;
    if verbosity <= 0 {
        return Ok(serialize_hex(entry.block.as_ref()).into());
    }
    let weight = entry.block.weight().to_wu();
    // Weight counts stripped bytes four times and witness bytes once.
    let stripped = weight.saturating_sub(u64::from(entry.size)) / 3;
    let mut json = header_json(chain, entry)
        .with("strippedsize", stripped)
        .with("size", entry.size)
        .with("weight", weight);
    let txs: Json = if verbosity == 1 {
        entry.txids.iter().map(text).collect()
    } else {
        let numbered = entry.block.txdata.iter().enumerate();
        numbered
            .map(|(position, tx)| {
                let spent = Chain::spent_coins(entry, position);
                let mut json = transaction_json(tx, Some(spent), true);
                if verbosity < 3 {
                    strip_prevouts(&mut json);
                }
                json
            })
            .collect()
    };
    json.push("tx", txs);
    Ok(json)
}

/// Takes the spent outputs out of a transaction shown with its fee.
pub(super) fn strip_prevouts(tx: &mut Json) {
    let Json::Object(members) = tx else { return };
    let inputs = members.iter_mut().filter(|(name, _)| name == "vin");
    for (_, value) in inputs {
        let Json::Array(inputs) = value else { continue };
        for input in inputs {
            if let Json::Object(members) = input {
                members.retain(|(name, _)| name != "prevout");
            }
        }
    }
}

pub(super) fn gettxout(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let txid = args.txid(0, "txid")?;
    let vout = u32::try_from(args.integer(1)?)
        .map_err(|_| RpcError::parameter("Invalid parameter, vout cannot be negative"))?;
    let outpoint = OutPoint { txid, vout };
    let include_mempool = args.flag_or(2, true)?;
    let (chain, mempool) = (&context.node.chain, &context.node.mempool);
    let coin = if include_mempool {
        mempool
            .coin(chain, &outpoint)
            .filter(|_| mempool.spender(&outpoint).is_none())
    } else {
        chain.coin(&outpoint).cloned()
    };
    let Some(coin) = coin else {
        return Ok(Json::Null);
    };
    let confirmations = (chain.height() + 1).saturating_sub(coin.height);
    Ok(Json::object()
        .with("bestblock", text(chain.tip().hash))
        .with("confirmations", confirmations)
        .with("value", coin.output.value)
        .with("scriptPubKey", script_json(&coin.output.script_pubkey))
        .with("coinbase", coin.coinbase))
}

pub(super) fn gettxoutsetinfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let chain = &context.node.chain;
    let total: u64 = chain
        .coins()
        .map(|(_, coin)| coin.output.value.to_sat())
        .sum();
    Ok(Json::object()
        .with("height", chain.height())
        .with("bestblock", text(chain.tip().hash))
        .with("txouts", chain.coins().count())
        .with("total_amount", Json::sats(total.cast_signed())))
}

pub(super) fn getchaintips(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let chain = &context.node.chain;
    let mut tips: Vec<_> = chain
        .entries()
        .filter(|entry| !chain.has_child(&entry.hash))
        .collect();
    if chain.has_child(&chain.tip().hash) {
        tips.push(chain.tip());
    }
    tips.sort_by_key(|entry| (std::cmp::Reverse(entry.height), entry.hash));
    Ok(tips
        .into_iter()
        .map(|entry| {
            let status = match entry.status {
                _ if chain.is_active(entry) => "active",
                BlockStatus::Valid => "valid-fork",
                BlockStatus::Invalid | BlockStatus::InvalidAncestor => "invalid",
            };
            let mut fork = entry;
            while !chain.is_active(fork) {
                let Some(parent) = chain.entry(&fork.block.header.prev_blockhash) else {
                    break;
                };
                fork = parent;
            }
            Json::object()
                .with("height", entry.height)
                .with("hash", text(entry.hash))
                .with("branchlen", entry.height.saturating_sub(fork.height))
                .with("status", status)
        })
        .collect())
}

pub(super) fn invalidateblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let hash = args.block_hash(0, "blockhash")?;
    if context.node.invalidate(hash, context.now) {
        return Ok(Json::Null);
    }
    Err(RpcError::not_found("Block not found"))
}

pub(super) fn reconsiderblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let hash = args.block_hash(0, "blockhash")?;
    if context.node.reconsider(hash, context.now) {
        return Ok(Json::Null);
    }
    Err(RpcError::not_found("Block not found"))
}

pub(super) fn preciousblock(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let hash = args.block_hash(0, "blockhash")?;
    if context.node.prefer(hash, context.now) {
        return Ok(Json::Null);
    }
    Err(RpcError::not_found("Block not found"))
}

pub(super) fn verifychain(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(true.into())
}

pub(super) fn getindexinfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let height = context.node.chain.height();
    let index = Json::object()
        .with("synced", true)
        .with("best_block_height", height);
    Ok(Json::object().with("txindex", index))
}

pub(super) fn getblockstats(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let chain = &context.node.chain;
    let entry = if args.value(0).is_number() {
        u32::try_from(args.integer(0)?)
            .ok()
            .and_then(|height| chain.at(height))
            .ok_or_else(|| RpcError::parameter("Target block height after current tip"))?
    } else {
        entry(chain, args, 0)?
    };
    let subsidy = crate::params::block_subsidy(entry.height);
    let reward = entry
        .block
        .coinbase()
        .and_then(crate::chain::check_tx::total_out);
    let fees = reward
        .and_then(|reward| reward.checked_sub(subsidy))
        .map_or(0, bitcoin::Amount::to_sat);
    Ok(Json::object()
        .with("blockhash", text(entry.hash))
        .with("height", entry.height)
        .with("mediantime", entry.median_time)
        .with("subsidy", subsidy.to_sat())
        .with("time", entry.block.header.time)
        .with("total_size", entry.size)
        .with("total_weight", entry.block.weight().to_wu())
        .with("totalfee", fees)
        .with("txs", entry.txids.len()))
}

pub(super) fn scantxoutset(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    if args.text(0)? != "start" {
        return Ok(Json::Null);
    }
    let wanted = args
        .array(1)?
        .iter()
        .map(|object| {
            let described = object
                .as_str()
                .or_else(|| object.get("desc").and_then(|d| d.as_str()));
            super::program::descriptor_script(described.unwrap_or_default())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let chain = &context.node.chain;
    let mut found: Vec<_> = chain
        .coins()
        .filter(|(_, coin)| wanted.contains(&coin.output.script_pubkey))
        .collect();
    found.sort_by_key(|(outpoint, _)| **outpoint);
    let total: u64 = found
        .iter()
        .map(|(_, coin)| coin.output.value.to_sat())
        .sum();
    let unspents: Json = found
        .iter()
        .map(|(outpoint, coin)| {
            Json::object()
                .with("txid", text(outpoint.txid))
                .with("vout", outpoint.vout)
                .with(
                    "scriptPubKey",
                    coin.output.script_pubkey.as_bytes().to_lower_hex_string(),
                )
                .with(
                    "desc",
                    super::decode::descriptor(&coin.output.script_pubkey),
                )
                .with("amount", coin.output.value)
                .with("coinbase", coin.coinbase)
                .with("height", coin.height)
        })
        .collect();
    Ok(Json::object()
        .with("success", true)
        .with("txouts", chain.coins().count())
        .with("height", chain.height())
        .with("bestblock", text(chain.tip().hash))
        .with("unspents", unspents)
        .with("total_amount", Json::sats(total.cast_signed())))
}

pub(super) fn getblockfrompeer(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let hash = args.block_hash(0, "blockhash")?;
    args.integer(1)?;
    if context.node.chain.entry(&hash).is_some() {
        return Err(RpcError::new(error::MISC, "Block already downloaded"));
    }
    Err(RpcError::new(error::MISC, "Block header missing"))
}
