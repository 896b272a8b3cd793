//! Unconfirmed transactions.

use super::Context;
use super::args::{Args, amount, outpoint};
use super::error::{self, RpcError};
use crate::json::{Json, text};
use crate::mempool::{Entry, Mempool, RejectKind, TxReject, check};
use crate::policy::FeePerKvb;
use bitcoin::{Amount, Transaction, Txid};
use std::collections::BTreeSet;

/// Fee rate above which `sendrawtransaction` refuses by default: 0.10 BTC/kvB.
const DEFAULT_MAX_RATE: u64 = 10_000_000;

pub(super) fn rate_json(rate: FeePerKvb) -> Json {
    Json::sats(rate.to_sat_per_kvb().cast_signed())
}

pub(super) fn getmempoolinfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let (mempool, policy) = (&context.node.mempool, &context.node.policy);
    Ok(Json::object()
        .with("loaded", true)
        .with("size", mempool.len())
        .with("bytes", mempool.total_vsize())
        .with("usage", mempool.usage())
        .with("total_fee", mempool.total_fee())
        .with("maxmempool", policy.max_mempool_bytes)
        .with("mempoolminfee", rate_json(policy.min_relay))
        .with("minrelaytxfee", rate_json(policy.min_relay))
        .with("incrementalrelayfee", rate_json(policy.incremental_relay))
        .with("unbroadcastcount", 0)
        .with("fullrbf", true))
}

pub(super) fn entry_json(mempool: &Mempool, entry: &Entry) -> Json {
    let mut ancestors = mempool.ancestors_of(entry.parents.iter().copied());
    ancestors.insert(entry.txid);
    let above = mempool.totals(&ancestors);
    let below = mempool.totals(&mempool.with_descendants([entry.txid]));
    let fees = Json::object()
        .with("base", entry.fee)
        .with("modified", Json::sats(mempool.modified_fee(entry)))
        .with("ancestor", Json::sats(above.modified_fees))
        .with("descendant", Json::sats(below.modified_fees));
    let list = |txids: &BTreeSet<Txid>| txids.iter().map(text).collect::<Json>();
    Json::object()
        .with("vsize", entry.vsize)
        .with("weight", entry.weight)
        .with("time", entry.time)
        .with("height", entry.height)
        .with("descendantcount", below.count)
        .with("descendantsize", below.vsize)
        .with("ancestorcount", above.count)
        .with("ancestorsize", above.vsize)
        .with("wtxid", text(entry.wtxid))
        .with("fees", fees)
        .with("depends", list(&entry.parents))
        .with("spentby", list(&entry.children))
        .with(
            "bip125-replaceable",
            signals_replacement(mempool, &ancestors),
        )
        .with("unbroadcast", false)
}

/// Whether one of these transactions signals that it may be replaced (BIP 125).
fn signals_replacement(mempool: &Mempool, txids: &BTreeSet<Txid>) -> bool {
    txids
        .iter()
        .filter_map(|txid| mempool.get(txid))
        .any(|entry| entry.tx.is_explicitly_rbf())
}

fn listing<'a>(mempool: &Mempool, entries: impl Iterator<Item = &'a Entry>, verbose: bool) -> Json {
    if verbose {
        let members = entries.map(|entry| (entry.txid.to_string(), entry_json(mempool, entry)));
        return Json::Object(members.collect());
    }
    entries.map(|entry| text(entry.txid)).collect()
}

pub(super) fn getrawmempool(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    let (verbose, with_sequence) = (args.flag_or(0, false)?, args.flag_or(1, false)?);
    let list = listing(mempool, mempool.by_arrival().into_iter(), verbose);
    if !with_sequence {
        return Ok(list);
    }
    if verbose {
        return Err(RpcError::parameter(
            "Verbose results cannot contain mempool sequence values.",
        ));
    }
    Ok(Json::object()
        .with("txids", list)
        .with("mempool_sequence", mempool.sequence()))
}

fn entry<'a>(mempool: &'a Mempool, args: &Args) -> Result<&'a Entry, RpcError> {
    let txid = args.txid(0, "txid")?;
    mempool
        .get(&txid)
        .ok_or_else(|| RpcError::not_found("Transaction not in mempool"))
}

pub(super) fn getmempoolentry(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    Ok(entry_json(mempool, entry(mempool, args)?))
}

pub(super) fn getmempoolancestors(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    let found = mempool.ancestors_of(entry(mempool, args)?.parents.iter().copied());
    let entries = found.iter().filter_map(|txid| mempool.get(txid));
    Ok(listing(mempool, entries, args.flag_or(1, false)?))
}

pub(super) fn getmempooldescendants(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    let own = entry(mempool, args)?.txid;
    let found = mempool.with_descendants([own]);
    let entries = found
        .iter()
        .filter(|txid| **txid != own)
        .filter_map(|txid| mempool.get(txid));
    Ok(listing(mempool, entries, args.flag_or(1, false)?))
}

pub(super) fn gettxspendingprevout(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    args.array(0)?
        .iter()
        .map(|value| {
            let outpoint = outpoint(value)?;
            let mut json = Json::object()
                .with("txid", text(outpoint.txid))
                .with("vout", outpoint.vout);
            if let Some(spender) = mempool.spender(&outpoint) {
                json.push("spendingtxid", text(spender));
            }
            Ok(json)
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Json::Array)
}

pub(super) fn prioritisetransaction(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let txid = args.txid(0, "txid")?;
    if args.has(1) && args.value(1).as_f64() != Some(0.0) {
        return Err(RpcError::parameter(
            "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.",
        ));
    }
    context.node.mempool.prioritise(txid, args.integer(2)?);
    Ok(true.into())
}

pub(super) fn getprioritisedtransactions(
    context: &mut Context<'_>,
    _: &Args,
) -> Result<Json, RpcError> {
    let mempool = &context.node.mempool;
    let members = mempool.deltas().map(|(txid, delta)| {
        let json = Json::object()
            .with("fee_delta", delta)
            .with("in_mempool", mempool.get(txid).is_some());
        (txid.to_string(), json)
    });
    Ok(Json::Object(members.collect()))
}

pub(super) fn estimatesmartfee(_: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let blocks = args.integer(0)?;
    if !(1..=1008).contains(&blocks) {
        return Err(RpcError::parameter(
            "Invalid conf_target, must be between 1 and 1008",
        ));
    }
    if let Some(mode) = args.opt_text(1)? {
        let known = ["unset", "economical", "conservative"];
        if !known.contains(&mode.to_ascii_lowercase().as_str()) {
            return Err(RpcError::parameter(
                "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"",
            ));
        }
    }
    // Core's estimator never answers for the very next block.
    Ok(Json::object()
        .with(
            "errors",
            Json::Array(vec!["Insufficient data or no feerate found".into()]),
        )
        .with("blocks", blocks.max(2)))
}

/// The highest fee rate a sender allows; `None` for any.
pub(super) fn max_rate(args: &Args, index: usize) -> Result<Option<FeePerKvb>, RpcError> {
    if !args.has(index) {
        return Ok(Some(FeePerKvb::from_sat_per_kvb(DEFAULT_MAX_RATE)));
    }
    let rate = amount(args.value(index))?.to_sat();
    if rate > 100_000_000 {
        return Err(RpcError::parameter(
            "Fee rates larger than or equal to 1BTC/kvB are not accepted",
        ));
    }
    Ok((rate > 0).then(|| FeePerKvb::from_sat_per_kvb(rate)))
}

pub(super) fn check_burn(args: &Args, index: usize, tx: &Transaction) -> Result<(), RpcError> {
    let allowed = if args.has(index) {
        args.amount(index)?
    } else {
        Amount::ZERO
    };
    let burns = tx.output.iter().any(|output| {
        let script = &output.script_pubkey;
        (script.is_op_return() || script.len() > 10_000) && output.value > allowed
    });
    if burns {
        return Err(RpcError::new(
            error::VERIFY,
            "Unspendable output exceeds maximum configured by user (maxburnamount)",
        ));
    }
    Ok(())
}

/// The error for a refused transaction.
pub(super) fn reject_error(reject: &TxReject) -> RpcError {
    let code = match reject.kind {
        RejectKind::MissingInputs => error::VERIFY,
        RejectKind::AlreadyHere | RejectKind::Fee | RejectKind::Rule | RejectKind::SameTxid => {
            error::VERIFY_REJECTED
        }
    };
    RpcError::new(code, reject.to_string())
}

/// Takes a transaction into the mempool as `sendrawtransaction` does.
pub(super) fn broadcast(
    context: &mut Context<'_>,
    tx: Transaction,
    max_rate: Option<FeePerKvb>,
) -> Result<Txid, RpcError> {
    let txid = tx.compute_txid();
    let node = &mut *context.node;
    if node.has_coins_of(txid, &tx) {
        return Err(RpcError::new(
            error::VERIFY_ALREADY_IN_UTXO_SET,
            "Transaction outputs already in utxo set",
        ));
    }
    if node.mempool.get(&txid).is_some() {
        return Ok(txid);
    }
    if let Some(rate) = max_rate {
        let tried = check(&node.mempool, &node.chain, &node.policy, tx.clone());
        let tried = tried.map_err(|reject| reject_error(&reject))?;
        if tried.fee > rate.fee(tried.vsize) {
            return Err(RpcError::new(
                error::VERIFY,
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
            ));
        }
    }
    node.accept(tx, context.now)
        .map_err(|reject| reject_error(&reject))?;
    Ok(txid)
}

pub(super) fn sendrawtransaction(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let tx = args.transaction(0)?;
    let rate = max_rate(args, 1)?;
    check_burn(args, 2, &tx)?;
    broadcast(context, tx, rate).map(text)
}
