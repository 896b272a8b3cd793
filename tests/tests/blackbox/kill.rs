//! Processes killed without warning while payments are under way: money is conserved, and the channel goes on without help.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ln_testkit::nodes::{HelperProcess, NodeOptions, Seed, TestNode, wait_until};
use serde_json::{Value, json};

use crate::accounts;
use crate::support::{CAPACITY_MSAT, Pair, invoice, invoice_status, payment_status};

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The node, with everything below it.
    Node,
    /// One helper, without which the node goes on.
    Channeld,
    /// One helper that is only there at times, and without which the node goes on.
    Passing(&'static str),
    /// One helper, without which the node ends.
    Helper(&'static str),
}

const VICTIMS: &[Victim] = &[
    Victim::Node,
    Victim::Node,
    Victim::Channeld,
    Victim::Channeld,
    Victim::Helper("connectd"),
    Victim::Helper("hsmd"),
    Victim::Helper("gossipd"),
    Victim::Helper("bcli"),
];

/// So many payments are under way at once.
const PAYMENTS: usize = 20;
/// What the first of them carries; the others carry one more each.
const AMOUNT_MSAT: u64 = 1_000_000;

/// One payment of a round.
pub(crate) struct Due {
    pub(crate) label: String,
    pub(crate) amount_msat: u64,
    pub(crate) invoice: Value,
}

/// Makes the invoices of a round, the first for this amount and each other for one more.
pub(crate) fn dues(payee: &TestNode, round: usize, count: usize, first_msat: u64) -> Vec<Due> {
    let numbers = (0_u64..).take(count);
    let make = |number| {
        let (label, amount_msat) = (format!("{round}-{number}"), first_msat + number);
        let invoice = invoice(payee, amount_msat, &label);
        Due {
            label,
            amount_msat,
            invoice,
        }
    };
    numbers.map(make).collect()
}

/// Pays and waits for the end; false if the node goes away meanwhile.
fn pay(pair: &Pair, due: &Due) -> bool {
    let route = json!([{
        "id": pair.l2.id(),
        "channel": pair.open.short_channel_id,
        "amount_msat": due.amount_msat,
        "delay": 15,
    }]);
    let hash = &due.invoice["payment_hash"];
    let secret = &due.invoice["payment_secret"];
    let params = json!({"route": route, "payment_hash": hash, "payment_secret": secret});
    let sent = pair.l1.try_call("sendpay", params);
    sent.and_then(|_| pair.l1.try_call("waitsendpay", json!([hash])))
        .is_ok()
}

/// Options under which a node may say that it lost a helper.
pub(crate) fn mourning() -> NodeOptions {
    let options = ["ended", "died", "failed", "signer", "stops"];
    options
        .into_iter()
        .fold(NodeOptions::default(), NodeOptions::allow_complaint)
}

/// The channelds of a node.
pub(crate) fn channelds(node: &TestNode) -> Vec<HelperProcess> {
    let mut all = node.helpers();
    all.retain(|helper| helper.name.ends_with("channeld"));
    all
}

/// Kills one process of a node; the channelds there were, if it was one of them.
pub(crate) fn kill(node: &TestNode, victim: Victim) -> Vec<HelperProcess> {
    match victim {
        Victim::Node => node.kill(),
        Victim::Channeld => {
            let all = channelds(node);
            all.iter().take(1).for_each(HelperProcess::kill);
            return all;
        }
        Victim::Passing(name) => {
            if let Some(helper) = node.helper(name) {
                helper.kill();
            }
        }
        Victim::Helper(name) => node
            .helper(name)
            .expect("it runs as long as the node")
            .kill(),
    }
    Vec::new()
}

/// Brings a node back if it has ended, and waits until it has noticed what happened.
pub(crate) fn revive(node: &TestNode, victim: Victim, before: &[HelperProcess]) {
    match victim {
        Victim::Node => node.start_again(),
        Victim::Channeld => {
            if before.is_empty() {
                return;
            }
            node.wait_for("another channeld", || {
                let mut now = channelds(node).into_iter();
                now.find(|helper| !before.contains(helper))
            });
        }
        Victim::Passing(_) => {}
        Victim::Helper(_) => {
            node.wait_for_exit();
            node.start_again();
        }
    }
}

/// Kills and revives while payments are under way: after so many of them have ended.
fn disturb(pair: &Pair, dues: &[Due], seed: &mut Seed) {
    let ended = AtomicUsize::new(0);
    let moment = usize::try_from(seed.below(15)).unwrap();
    let victim = *seed.choose(VICTIMS);
    let node = *seed.choose(&[&pair.l1, &pair.l2]);
    let again = seed.below(2) == 0;
    let second = *seed.choose(VICTIMS);
    eprintln!(
        "{victim:?} of {} after {moment}, again {again}: {second:?}",
        node.name()
    );
    thread::scope(|scope| {
        for due in dues {
            let ended = &ended;
            scope.spawn(move || {
                pay(pair, due);
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        wait_until("some payments to end", || {
            (ended.load(Ordering::Relaxed) >= moment).then_some(())
        });
        let mark = node.log().end();
        let channelds = kill(node, victim);
        revive(node, victim, &channelds);
        if again {
            // In the middle of agreeing upon the channel again, or soon after.
            node.wait_log_after(mark, "Handed peer");
            let channelds = kill(node, second);
            revive(node, second, &channelds);
        }
    });
}

/// Whether a payment was made, once it has ended; payer and payee agree on that.
pub(crate) fn is_paid(payer: &TestNode, payee: &TestNode, due: &Due) -> bool {
    let hash = &due.invoice["payment_hash"];
    let status = payer.wait_for("the end of the payment", || {
        match payment_status(payer, hash) {
            // It was never begun.
            None => Some("failed".to_owned()),
            Some(status) => (status != "pending").then_some(status),
        }
    });
    let complete = status == "complete";
    let expected = if complete { "paid" } else { "unpaid" };
    let label = &due.label;
    assert_eq!(invoice_status(payee, label), expected, "{label}: {status}");
    complete
}

/// Every payment was made once or not at all, and both sides say the same. What the payee has now.
fn settled(pair: &Pair, dues: &[Due], mut balance: u64) -> u64 {
    let balances = pair.wait_quiet();
    let mut paid = 0;
    for due in dues {
        if is_paid(&pair.l1, &pair.l2, due) {
            balance += due.amount_msat;
            paid += 1;
        }
    }
    eprintln!("{paid} of {} paid", dues.len());
    assert_eq!(balances, (CAPACITY_MSAT - balance, balance));
    accounts::check(&pair.l1);
    accounts::check(&pair.l2);
    balance
}

#[test]
fn payments_are_made_once_or_not_at_all_whoever_dies() {
    let pair = Pair::start_with(mourning());
    let mut seed = Seed::from_environment("kill");
    let mut balance = 0;
    for round in 0..8 {
        let dues = dues(&pair.l2, round, PAYMENTS, AMOUNT_MSAT);
        disturb(&pair, &dues, &mut seed);
        balance = settled(&pair, &dues, balance);
        pair.pay(AMOUNT_MSAT, &format!("{round}-last"));
        balance += AMOUNT_MSAT;
    }
}
