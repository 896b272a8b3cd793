//! Wallets: what was sent and received.

use super::Context;
use super::args::Args;
use super::decode::transaction_json;
use super::error::{self, RpcError};
use super::wallet_calls::{find_ref, wallet};
use crate::json::{Json, text};
use crate::node::Node;
use crate::wallet::{Wallet, WalletTx};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, Txid};

/// Confirmations of a wallet's transaction: negative if something confirmed conflicts with it.
fn add_confirmations(node: &Node, txid: &Txid, known: &WalletTx, json: &mut Json) {
    match node.chain.transaction(txid) {
        Some((entry, position)) => {
            json.push("confirmations", node.chain.confirmations(entry));
            if known.tx.is_coinbase() {
                json.push("generated", true);
            }
            json.push("blockhash", text(entry.hash));
            json.push("blockheight", entry.height);
            json.push("blockindex", position);
            json.push("blocktime", entry.block.header.time);
        }
        None => {
            json.push("confirmations", 0);
            if known.tx.is_coinbase() {
                json.push("generated", true);
            }
            json.push("trusted", node.mempool.get(txid).is_some());
        }
    }
    json.push("txid", text(txid));
    json.push("wtxid", text(known.tx.compute_wtxid()));
    json.push("walletconflicts", Vec::new());
    json.push("mempoolconflicts", Vec::new());
    json.push("time", known.time);
    json.push("timereceived", known.time);
    json.push(
        "bip125-replaceable",
        if known.tx.is_explicitly_rbf() {
            "yes"
        } else {
            "no"
        },
    );
}

/// What a transaction means for the wallet: sent and received outputs, and the fee if it is ours.
fn details(node: &Node, wallet: &Wallet, known: &WalletTx) -> (Vec<Json>, i64, Option<i64>) {
    let tx = &known.tx;
    let from_me = wallet.is_from_me(tx);
    let value = |amount: Amount| amount.to_sat().cast_signed();
    let debit: i64 = tx
        .input
        .iter()
        .filter_map(|input| wallet.mine_output(&input.previous_output))
        .map(|output| value(output.value))
        .sum();
    let credit: i64 = tx
        .output
        .iter()
        .filter(|output| wallet.is_mine(&output.script_pubkey))
        .map(|output| value(output.value))
        .sum();
    let paid: i64 = tx.output.iter().map(|output| value(output.value)).sum();
    let all_mine = tx
        .input
        .iter()
        .all(|input| wallet.mine_output(&input.previous_output).is_some());
    let fee = (from_me && all_mine).then_some(paid - debit);
    let mut entries = Vec::new();
    for (index, output) in tx.output.iter().enumerate() {
        let path = wallet.path(&output.script_pubkey);
        let change = path.is_some_and(|path| path.change);
        let address = Wallet::address_of(&output.script_pubkey).map(|a| a.to_string());
        let entry = |category: &str, amount: i64| {
            let mut json = Json::object();
            if let Some(address) = &address {
                json.push("address", address.as_str());
            }
            json.push("category", category);
            json.push("amount", Json::sats(amount));
            if let Some(label) = wallet.label(&output.script_pubkey) {
                json.push("label", label);
            }
            json.push("vout", index);
            json
        };
        if from_me && !change {
            let mut json = entry("send", -value(output.value));
            if let Some(fee) = fee {
                json.push("fee", Json::sats(fee));
            }
            entries.push(json.with("abandoned", false));
        }
        if path.is_some() && !(from_me && change) {
            let category = match node.chain.block_of(&tx.compute_txid()) {
                _ if !tx.is_coinbase() => "receive",
                None => "orphan",
                Some(entry) if node.chain.confirmations(entry) <= 100 => "immature",
                Some(_) => "generate",
            };
            entries.push(entry(category, value(output.value)).with("abandoned", false));
        }
    }
    (entries, credit - debit - fee.unwrap_or(0), fee)
}

pub(super) fn gettransaction(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let txid = args.txid(0, "txid")?;
    let verbose = args.flag_or(2, false)?;
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    let known = wallet
        .transaction(&txid)
        .ok_or_else(|| RpcError::not_found("Invalid or non-wallet transaction id"))?;
    let (entries, amount, fee) = details(node, wallet, known);
    let mut json = Json::object().with("amount", Json::sats(amount));
    if let Some(fee) = fee {
        json.push("fee", Json::sats(fee));
    }
    add_confirmations(node, &txid, known, &mut json);
    json.push("details", entries);
    json.push("hex", serialize_hex(known.tx.as_ref()));
    if verbose {
        json.push("decoded", transaction_json(&known.tx, None, false));
    }
    let tip = node.chain.tip();
    let last = Json::object()
        .with("hash", text(tip.hash))
        .with("height", tip.height);
    Ok(json.with("lastprocessedblock", last))
}

pub(super) fn listtransactions(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let count = usize::try_from(args.integer_or(1, 10)?)
        .map_err(|_| RpcError::parameter("Negative count"))?;
    let skip = usize::try_from(args.integer_or(2, 0)?)
        .map_err(|_| RpcError::parameter("Negative from"))?;
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    let mut all = Vec::new();
    for (txid, known) in wallet.transactions().into_iter().rev() {
        if all.len() >= count.saturating_add(skip) {
            break;
        }
        for mut json in details(node, wallet, known).0.into_iter().rev() {
            add_confirmations(node, txid, known, &mut json);
            all.push(json);
        }
    }
    let mut page: Vec<Json> = all.into_iter().skip(skip).take(count).collect();
    page.reverse();
    Ok(Json::Array(page))
}

pub(super) fn getreceivedbyaddress(
    context: &mut Context<'_>,
    args: &Args,
) -> Result<Json, RpcError> {
    let script = super::args::address_script(args.text(0)?)?;
    let min = args.integer_or(1, 1)?;
    let (node, name) = wallet(context)?;
    let wallet = find_ref(node, &name);
    if !wallet.is_mine(&script) {
        return Err(RpcError::new(error::WALLET, "Address not found in wallet"));
    }
    let mut sum = 0_u64;
    for (txid, known) in wallet.transactions() {
        let confirmations = node
            .chain
            .block_of(txid)
            .map_or(0, |entry| node.chain.confirmations(entry));
        if known.tx.is_coinbase() || confirmations < min {
            continue;
        }
        let outputs = known
            .tx
            .output
            .iter()
            .filter(|output| output.script_pubkey == script);
        sum += outputs.map(|output| output.value.to_sat()).sum::<u64>();
    }
    Ok(Amount::from_sat(sum).into())
}

pub(super) fn rescanblockchain(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let start = args.integer_or(0, 0)?;
    let (node, name) = wallet(context)?;
    let Node { wallets, chain, .. } = node;
    if let Some(wallet) = wallets.get_mut(&name) {
        wallet.rescan(chain);
    }
    let height = args.integer_or(1, chain.height().into())?;
    Ok(Json::object()
        .with("start_height", start)
        .with("stop_height", height))
}
