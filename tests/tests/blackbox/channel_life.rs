//! The whole life of a channel, as the manual tells it.

use ln_testkit::nodes::{TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::{CAPACITY_MSAT, Pair, channel, confirmed_msat, invoice, send};

#[test]
fn a_channel_is_opened_announced_used_and_closed() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.fund(&l1, Sat::from_sat(10_000_000));
    net.connect(&l1, &l2);
    let opened = l1.call("fundchannel", json!([l2.id(), "0.042btc", "253perkw"]));
    let channel_id = opened["channel_id"].as_str().unwrap().to_owned();
    assert_eq!(net.wait_mempool(1), [opened["txid"].as_str().unwrap()]);
    for node in [&l1, &l2] {
        net.wait_state(node, &channel_id, "CHANNELD_AWAITING_LOCKIN");
        node.call("listpeerchannels", json!({}));
    }
    net.mine(1, &[&l1, &l2]);
    let scid = net.wait_usable(&l1, &channel_id);
    assert_eq!(net.wait_usable(&l2, &channel_id), scid);
    assert_eq!(
        scid,
        format!("{}x1x{}", net.chain.height(), opened["outnum"])
    );
    net.mine(5, &[&l1, &l2]);
    let open = ln_testkit::nodes::OpenChannel {
        channel_id,
        short_channel_id: scid,
        funding_txid: opened["txid"].as_str().unwrap().to_owned(),
        funding_outnum: opened["outnum"].as_u64().unwrap(),
    };
    let pair = Pair { l1, l2, open, net };
    announced(&pair);
    paid(&pair);
    closed(&pair);
}

/// Both nodes know both directions and both names.
fn announced(pair: &Pair) {
    for node in [&pair.l1, &pair.l2] {
        pair.net.wait_announced(&pair.open, node);
        let channels = node.call("listchannels", json!({}));
        assert_eq!(channels["channels"].as_array().unwrap().len(), 2);
        for peer in [&pair.l1, &pair.l2] {
            node.wait_for("the alias in listnodes", || {
                let nodes = node.poll("listnodes", json!([peer.id()]))?;
                (nodes["nodes"][0]["alias"] == peer.name()).then_some(())
            });
        }
        node.call("listnodes", json!({}));
        node.call("listpeerchannels", json!({}));
    }
}

/// Payments both ways: with `pay`, and by a route of one's own with `sendpay`.
fn paid(pair: &Pair) {
    let (l1, l2) = (&pair.l1, &pair.l2);
    let first = invoice(l2, 100_000_000, "first");
    let receipt = l1.call("pay", json!([first["bolt11"]]));
    assert_eq!(receipt["status"], "complete");
    assert_eq!(receipt["payment_hash"], first["payment_hash"]);
    assert_eq!(receipt["amount_sent_msat"], 100_000_000);
    let preimage = &receipt["payment_preimage"];
    let listed = l2.call("listinvoices", json!(["first"]));
    assert_eq!(listed["invoices"][0]["status"], "paid");
    assert_eq!(listed["invoices"][0]["amount_received_msat"], 100_000_000);
    assert_eq!(&listed["invoices"][0]["payment_preimage"], preimage);
    let pays = l1.call("listpays", json!([first["bolt11"]]));
    assert_eq!(pays["pays"][0]["status"], "complete");
    assert_eq!(&pays["pays"][0]["preimage"], preimage);
    // Once more costs nothing and says the same.
    assert_eq!(
        &l1.call("pay", json!([first["bolt11"]]))["payment_preimage"],
        preimage
    );
    assert_eq!(pair.wait_quiet().1, 100_000_000);

    let second = invoice(l1, 30_000_000, "second");
    let sent = send(l2, l1, &pair.open, &second, 30_000_000);
    assert_eq!(sent["status"], "pending");
    let done = l2.call("waitsendpay", json!([second["payment_hash"]]));
    assert_eq!(done["status"], "complete");
    assert_eq!(l1.call("waitinvoice", json!(["second"]))["status"], "paid");
    l2.call(
        "listsendpays",
        json!({"payment_hash": second["payment_hash"]}),
    );
    assert_eq!(pair.wait_quiet().1, 70_000_000);
    refused(pair);
}

/// Payments that the payee does not take.
fn refused(pair: &Pair) {
    let (l1, l2) = (&pair.l1, &pair.l2);
    let third = invoice(l2, 1_000_000, "third");
    send(l1, l2, &pair.open, &third, 999_999);
    let (code, _) = l1.call_err("waitsendpay", json!([third["payment_hash"]]));
    assert_eq!(code, 203, "too little");
    let mut forged = third.clone();
    forged["payment_secret"] = json!("00".repeat(32));
    send(l1, l2, &pair.open, &forged, 1_000_000);
    let (code, _) = l1.call_err("waitsendpay", json!([third["payment_hash"]]));
    assert_eq!(code, 203, "a wrong secret");
    send(l1, l2, &pair.open, &third, 1_000_000);
    assert_eq!(
        l1.call("waitsendpay", json!([third["payment_hash"]]))["status"],
        "complete"
    );
    assert_eq!(pair.wait_quiet().1, 71_000_000);
}

/// The channel is closed together, and each side's share comes to its wallet.
fn closed(pair: &Pair) {
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let (ours, theirs) = pair.wait_quiet();
    let (before_1, before_2) = (confirmed_msat(l1), confirmed_msat(l2));
    let closed = l1.call("close", json!([l2.id()]));
    assert_eq!(closed["type"], "mutual");
    assert!(
        net.wait_mempool(1)
            .iter()
            .any(|txid| closed["txids"][0] == txid.as_str())
    );
    net.mine(1, &[l1, l2]);
    l2.wait_for("the share of the peer", || {
        (confirmed_msat(l2) == before_2 + theirs / 1000 * 1000).then_some(())
    });
    let back = l1.wait_for("the share of the opener", || {
        confirmed_msat(l1)
            .checked_sub(before_1)
            .filter(|back| *back > 0)
    });
    // The opener pays the fee.
    assert!(back < ours && ours - back < 2_000_000, "{back} of {ours}");
    // What is deep enough is done with.
    net.mine(100, &[l1, l2]);
    for node in [l1, l2] {
        node.wait_for("the channel among the closed ones", || {
            let listed = node.poll("listclosedchannels", json!({}))?;
            (listed["closedchannels"][0]["channel_id"] == pair.open.channel_id.as_str())
                .then_some(())
        });
        node.call("listclosedchannels", json!({}));
        assert_eq!(channel(node, &pair.open.channel_id), None);
    }
    spend_all(net, l1);
}

/// The wallet spends what came back.
fn spend_all(net: &TestNet, node: &TestNode) {
    let address = net.chain.new_address();
    let sent: Value = node.call("withdraw", json!([address, "all"]));
    let txid = sent["txid"].as_str().unwrap().to_owned();
    assert!(net.chain.mempool().contains(&txid));
    net.mine(1, &[node]);
    node.wait_for("an empty wallet", || {
        (confirmed_msat(node) == 0).then_some(())
    });
}

#[test]
fn a_channel_starts_with_everything_on_the_openers_side() {
    let pair = Pair::start();
    assert_eq!(pair.wait_quiet(), (CAPACITY_MSAT, 0));
    for node in [&pair.l1, &pair.l2] {
        node.call("listpeerchannels", json!({}));
        node.call("listfunds", json!({}));
        node.call("listpeers", json!({}));
    }
    // Many, one after another: the numbers of HTLCs and commitments move on.
    for round in 0..10 {
        pair.pay(1_000_000 + round, &format!("coffee {round}"));
    }
    assert_eq!(pair.wait_quiet().1, 10_000_045);
}

#[test]
fn a_policy_that_changes_within_a_second_is_what_all_get_to_know() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    pair.net.announce(&pair.open, &[l1, l2]);
    for fee in 2..10 {
        l1.call("setchannel", json!({"id": l2.id(), "feebase": fee}));
    }
    for node in [l1, l2] {
        node.wait_for("the last policy in the graph", || {
            let listed = node.poll("listchannels", json!({"source": l1.id()}))?;
            (listed["channels"][0]["base_fee_millisatoshi"] == 9).then_some(())
        });
    }
}
