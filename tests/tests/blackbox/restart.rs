//! Nodes that are stopped and started in the middle of things.

use ln_testkit::nodes::{TestNet, TestNode};
use ln_types::Sat;
use serde_json::json;

use crate::support::{CAPACITY_MSAT, Pair, invoice, invoice_status, payment_status, send};

fn opening(net: &TestNet, l1: &TestNode, l2: &TestNode) -> String {
    net.fund(l1, Sat::from_sat(10_000_000));
    net.connect(l1, l2);
    let opened = l1.call("fundchannel", json!([l2.id(), "0.042btc", "253perkw"]));
    net.wait_mempool(1);
    opened["channel_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_channel_is_locked_in_though_both_restart_before() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let channel_id = opening(&net, &l1, &l2);
    l1.restart();
    l2.restart();
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l1, &channel_id);
    net.wait_usable(&l2, &channel_id);
}

#[test]
fn a_block_missed_while_down_is_caught_up_with() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let channel_id = opening(&net, &l1, &l2);
    l1.stop();
    net.mine(6, &[&l2]);
    l1.start_again();
    let scid = net.wait_usable(&l1, &channel_id);
    assert_eq!(net.wait_usable(&l2, &channel_id), scid);
}

#[test]
fn a_channel_goes_on_after_each_restart_without_help() {
    let pair = Pair::start();
    let mut paid = 0;
    for (round, node) in [&pair.l1, &pair.l2, &pair.l1].into_iter().enumerate() {
        pair.pay(1_000_000, &format!("before {round}"));
        node.restart();
        pair.wait_quiet();
        pair.pay(1_000_000, &format!("after {round}"));
        paid += 2_000_000;
        assert_eq!(pair.wait_quiet(), (CAPACITY_MSAT - paid, paid));
    }
}

/// The peer stands still while the payment is on its way, and the payer restarts.
#[test]
fn a_payment_under_way_ends_after_the_payer_restarts() {
    let pair = Pair::start();
    let due = invoice(&pair.l2, 5_000_000, "due");
    pair.l2.pause();
    send(&pair.l1, &pair.l2, &pair.open, &due, 5_000_000);
    pair.l1.stop();
    pair.l2.go_on();
    pair.l1.start_again();
    let status = pair.l1.wait_for("the end of the payment", || {
        payment_status(&pair.l1, &due["payment_hash"]).filter(|status| status != "pending")
    });
    let paid = status == "complete";
    assert_eq!(
        invoice_status(&pair.l2, "due"),
        if paid { "paid" } else { "unpaid" }
    );
    let theirs = if paid { 5_000_000 } else { 0 };
    assert_eq!(pair.wait_quiet(), (CAPACITY_MSAT - theirs, theirs));
    pair.pay(1_000_000, "afterwards");
}
