//! What is shown, step by step.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::playground::Playground;
use crate::shorten::Shorten;

/// Blocks until the first coin of the chain can be spent.
const MATURITY: &str = "101";

const INFO: Shorten = Shorten::to(&[
    "id",
    "alias",
    "num_peers",
    "version",
    "blockheight",
    "network",
    "binding",
    "type",
    "address",
    "port",
]);
const FUNDS: Shorten = Shorten::to(&[
    "outputs",
    "channels",
    "amount_msat",
    "our_amount_msat",
    "status",
    "state",
    "txid",
]);
const CHANNEL: Shorten = Shorten::to(&[
    "channels",
    "peer_id",
    "state",
    "short_channel_id",
    "to_us_msat",
    "total_msat",
    "spendable_msat",
    "receivable_msat",
]);
const OPENED: Shorten = Shorten::to(&["txid", "outnum", "channel_id"]);
const INVOICE: Shorten = Shorten::to(&["bolt11", "payment_hash"]);
const INVOICES: Shorten = Shorten::to(&[
    "invoices",
    "label",
    "amount_msat",
    "amount_received_msat",
    "status",
    "description",
]);
const PAID: Shorten = Shorten::to(&[
    "pays",
    "payment_preimage",
    "destination",
    "amount_msat",
    "amount_sent_msat",
    "status",
]);

/// Shows two nodes opening a channel, paying and closing it.
pub(crate) fn run(play: &mut Playground) -> Result<()> {
    play.screen
        .heading("A private chain, with coins to give away");
    play.start_chain()?;
    let miner = text_of(&play.run("btc", &["getnewaddress"], Shorten::ALL)?);
    play.run(
        "btc",
        &["generatetoaddress", MATURITY, &miner],
        Shorten::ALL,
    )?;

    play.screen.heading("Two nodes");
    play.start_node("l1")?;
    play.start_node("l2")?;
    let l1 = member(&play.run("l1", &["getinfo"], INFO)?, "/id")?;
    let info = play.run("l2", &["getinfo"], INFO)?;
    let l2 = member(&info, "/id")?;
    let port = info.pointer("/binding/0/port").map(Value::to_string);
    let port = port.context("l2 does not listen")?;
    play.run(
        "l1",
        &["connect", &l2, "127.0.0.1", &port],
        Shorten::to(&["id", "direction"]),
    )?;

    open(play, &miner, &l1)?;
    pay(play)?;
    close(play, &miner, &l1)
}

/// l2 gets a coin and opens a channel with l1.
fn open(play: &mut Playground, miner: &str, l1: &str) -> Result<()> {
    play.screen.heading("A coin for l2's wallet");
    let address = member(&play.run("l2", &["newaddr"], Shorten::ALL)?, "/p2tr")?;
    play.run("btc", &["sendtoaddress", &address, "0.1"], Shorten::ALL)?;
    play.run("btc", &["generatetoaddress", "1", miner], Shorten::ALL)?;
    play.wait_for("l2 to see the coin", |play| {
        let funds = play.quiet("l2", &["listfunds"])?;
        let status = funds.pointer("/outputs/0/status").and_then(Value::as_str);
        Ok((status == Some("confirmed")).then_some(()))
    })?;
    play.run("l2", &["listfunds"], FUNDS)?;

    play.screen.heading("l2 opens a channel with l1");
    play.run("l2", &["fundchannel", l1, "0.042btc", "253perkw"], OPENED)?;
    play.run("btc", &["generatetoaddress", "6", miner], Shorten::ALL)?;
    play.wait_for("both sides to lock it in", |play| {
        for name in ["l1", "l2"] {
            let channels = play.quiet(name, &["listpeerchannels"])?;
            let state = channels
                .pointer("/channels/0/state")
                .and_then(Value::as_str);
            if state != Some("CHANNELD_NORMAL") {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })?;
    play.run("l2", &["listpeerchannels"], CHANNEL)?;
    Ok(())
}

/// l1 makes an invoice, l2 pays it.
fn pay(play: &mut Playground) -> Result<()> {
    play.screen.heading("l1 makes an invoice, l2 pays it");
    let words = ["invoice", "100000sat", "lunch", "Lunch for two"];
    let invoice = member(&play.run("l1", &words, INVOICE)?, "/bolt11")?;
    play.run("l2", &["pay", &invoice], PAID)?;

    play.screen.heading("How both sides see it");
    play.run("l1", &["listinvoices", "lunch"], INVOICES)?;
    play.run("l2", &["listpays"], PAID)?;
    play.run("l1", &["listpeerchannels"], CHANNEL)?;
    play.run("l2", &["listpeerchannels"], CHANNEL)?;
    Ok(())
}

/// The channel is closed; each side gets its share.
fn close(play: &mut Playground, miner: &str, l1: &str) -> Result<()> {
    play.screen.heading("l2 closes the channel");
    play.run("l2", &["close", l1], Shorten::to(&["type", "txids"]))?;
    play.run("btc", &["generatetoaddress", "1", miner], Shorten::ALL)?;
    play.wait_for("the coins to be back in both wallets", |play| {
        let confirmed = |name: &str, count: usize| -> Result<bool> {
            let funds = play.quiet(name, &["listfunds"])?;
            let outputs = funds.get("outputs").and_then(Value::as_array);
            let outputs = outputs.map(Vec::as_slice).unwrap_or_default();
            let confirmed = outputs
                .iter()
                .filter(|output| output.get("status").and_then(Value::as_str) == Some("confirmed"));
            Ok(confirmed.count() >= count)
        };
        // l2 has its change, too.
        Ok((confirmed("l1", 1)? && confirmed("l2", 2)?).then_some(()))
    })?;
    play.run("l1", &["listfunds"], FUNDS)?;
    play.run("l2", &["listfunds"], FUNDS)?;
    Ok(())
}

/// A result that is a text.
fn text_of(result: &Value) -> String {
    result.as_str().unwrap_or_default().to_owned()
}

/// A member of a result that is a text.
fn member(result: &Value, pointer: &str) -> Result<String> {
    let member = result.pointer(pointer).and_then(Value::as_str);
    member
        .map(str::to_owned)
        .with_context(|| format!("the answer has no {pointer}"))
}
