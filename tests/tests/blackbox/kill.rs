//! Processes killed without warning, at any line of the log: money is conserved, and the channel goes on without help.

use std::thread;

use ln_testkit::nodes::{LogMark, Seed, TestNode, try_wait_until};
use serde_json::{Value, json};

use crate::support::{CAPACITY_MSAT, Pair, invoice, invoice_status, payment_status, send};

/// Who is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// The node, with everything below it.
    Node,
    /// One helper.
    Helper(&'static str),
}

const VICTIMS: &[Victim] = &[
    Victim::Node,
    Victim::Helper("channeld"),
    Victim::Helper("connectd"),
    Victim::Helper("hsmd"),
    Victim::Helper("gossipd"),
];

const AMOUNT_MSAT: u64 = 7_000_000;
/// A payment between two nodes makes about so many lines in each log.
const LINES_OF_A_PAYMENT: u64 = 25;

/// Waits until the log has so many more lines, or the payment is over.
fn wait_lines(node: &TestNode, mark: LogMark, lines: u64, payer: &TestNode, hash: &Value) {
    let moment = format!("line {lines} after the payment began");
    let waited = try_wait_until(&moment, || {
        let count = u64::try_from(node.log().lines_after(mark).len()).unwrap_or(u64::MAX);
        let over = payment_status(payer, hash).is_some_and(|status| status != "pending");
        Ok((count >= lines || over).then_some(()))
    });
    waited.unwrap_or_else(|error| panic!("{error}"));
}

fn kill(node: &TestNode, victim: Victim) {
    match victim {
        Victim::Node => node.kill(),
        Victim::Helper(name) => {
            if let Some(helper) = node.helper(name) {
                helper.kill();
            }
        }
    }
}

/// Brings a node back if it has ended: without hsmd or connectd it must end by itself.
fn revive(node: &TestNode, victim: Victim) {
    match victim {
        Victim::Node => node.start_again(),
        Victim::Helper("channeld") => {}
        Victim::Helper(_) => {
            node.wait_for_exit();
            node.start_again();
        }
    }
}

fn one_round(pair: &Pair, seed: &mut Seed, round: usize, balance: u64) -> u64 {
    let victim = *seed.choose(VICTIMS);
    let node = *seed.choose(&[&pair.l1, &pair.l2]);
    let lines = seed.below(LINES_OF_A_PAYMENT);
    eprintln!(
        "round {round}: {victim:?} of {} at line {lines}",
        node.name()
    );
    let label = format!("round {round}");
    let due = invoice(&pair.l2, AMOUNT_MSAT, &label);
    let hash = &due["payment_hash"];
    let mark = node.log().end();
    thread::scope(|scope| {
        // The call may be cut off with the node.
        scope.spawn(|| {
            let route = json!([{
                "id": pair.l2.id(), "channel": pair.open.short_channel_id,
                "amount_msat": AMOUNT_MSAT, "delay": 15,
            }]);
            let params = json!({
                "route": route, "payment_hash": hash, "payment_secret": due["payment_secret"],
            });
            let _cut_off = pair.l1.try_call("sendpay", params);
        });
        wait_lines(node, mark, lines, &pair.l1, hash);
        kill(node, victim);
    });
    revive(node, victim);
    let balances = pair.wait_quiet();
    let status = pair.l1.wait_for("the end of the payment", || {
        match payment_status(&pair.l1, hash) {
            // It was never begun.
            None => Some("failed".to_owned()),
            Some(status) => (status != "pending").then_some(status),
        }
    });
    let paid = status == "complete";
    assert_eq!(
        invoice_status(&pair.l2, &label),
        if paid { "paid" } else { "unpaid" }
    );
    let balance = if paid { balance + AMOUNT_MSAT } else { balance };
    assert_eq!(balances, (CAPACITY_MSAT - balance, balance), "{status}");
    balance
}

#[test]
fn payments_are_made_once_or_not_at_all_whoever_dies() {
    let pair = Pair::start_with(ln_testkit::nodes::NodeOptions::default().allow_complaint(""));
    let mut seed = Seed::from_environment("kill");
    let mut balance = 0;
    for round in 0..8 {
        balance = one_round(&pair, &mut seed, round, balance);
    }
    let due = invoice(&pair.l2, 1_000_000, "last");
    send(&pair.l1, &pair.l2, &pair.open, &due, 1_000_000);
    assert_eq!(
        pair.l1.call("waitsendpay", json!([due["payment_hash"]]))["status"],
        "complete"
    );
}
