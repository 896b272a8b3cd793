//! Closing channels: by name, to an address, with a peer that is away, and twice at once.

use std::thread;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::opening_trouble::with_fault;
use crate::support::{Pair, channel};

fn closed_state(node: &TestNode, pair: &Pair) -> Option<String> {
    let channel = channel(node, &pair.open.channel_id)?;
    channel["state"].as_str().map(str::to_owned)
}

/// What a transaction pays to an address, in satoshi.
fn paid_to(pair: &Pair, txid: &Value, address: &str) -> Option<u64> {
    let raw = pair.net.chain.call("getrawtransaction", json!([txid]));
    let decoded = pair.net.chain.call("decoderawtransaction", json!([raw]));
    let outputs = decoded["vout"].as_array()?;
    let output = outputs
        .iter()
        .find(|output| output["scriptPubKey"]["address"] == address)?;
    let value: Sat = format!("{}btc", output["value"]).parse().ok()?;
    Some(value.as_sat())
}

#[test]
fn our_share_goes_where_we_say() {
    let pair = Pair::start();
    pair.pay(1_000_000_000, "theirs");
    pair.wait_quiet();
    let (l1, l2) = (&pair.l1, &pair.l2);
    let target = pair.net.chain.new_address();
    let alias = channel(l1, &pair.open.channel_id).unwrap()["alias"]["local"].clone();
    let closed = l1.call(
        "close",
        json!({"id": alias, "destination": target, "feerange": ["253perkw", "2000perkw"]}),
    );
    assert_eq!(closed["type"], "mutual");
    assert_eq!(closed["txs"].as_array().unwrap().len(), 1);
    let paid = paid_to(&pair, &closed["txids"][0], &target).unwrap();
    assert!((3_198_000..3_200_000).contains(&paid), "{paid}");
    let seen = channel(l1, &pair.open.channel_id).unwrap();
    assert_eq!(seen["close_to_addr"], target.as_str());
    assert_eq!(seen["closer"], "local");
    assert_eq!(seen["scratch_txid"], closed["txids"][0]);
    l1.call("listpeerchannels", json!({}));
    assert_eq!(
        channel(l2, &pair.open.channel_id).unwrap()["closer"],
        "remote"
    );
    // It is over: nothing is left to close.
    assert_eq!(l1.call_err("close", json!([l2.id()])).0, -1);
    assert_eq!(
        l1.call_err("close", json!([pair.open.channel_id])).0,
        -32602
    );
}

#[test]
fn a_promised_address_is_kept() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(2_000_000));
    let (promised, other) = (net.chain.new_address(), net.chain.new_address());
    let opened = l1.call(
        "fundchannel",
        json!({"id": l2.id(), "amount": 1_000_000, "close_to": promised}),
    );
    let id = &opened["channel_id"];
    net.wait_mempool(1);
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l1, id.as_str().unwrap());
    let refused = l1.call_err("close", json!({"id": id, "destination": other}));
    assert_eq!(refused.0, -32602, "{}", refused.1);
    assert!(
        refused
            .1
            .contains("does not match previous shutdown script"),
        "{}",
        refused.1
    );
    let closed = l1.call("close", json!([id]));
    assert_eq!(closed["type"], "mutual");
    let seen = channel(&l1, id.as_str().unwrap()).unwrap();
    assert_eq!(seen["close_to_addr"], promised.as_str());
}

#[test]
fn a_close_waits_for_a_peer_that_is_away() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    l2.stop();
    l1.wait_for("the peer to be away", || {
        let channel = channel(l1, &pair.open.channel_id)?;
        (channel["peer_connected"] == false).then_some(())
    });
    let closed = thread::scope(|scope| {
        let closing = || {
            l1.call(
                "close",
                json!({"id": pair.open.short_channel_id, "unilateraltimeout": 0}),
            )
        };
        // Twice: both get the same answer.
        let (one, two) = (scope.spawn(closing), scope.spawn(closing));
        l1.wait_for("the closing to begin", || {
            (closed_state(l1, &pair)? == "CHANNELD_SHUTTING_DOWN").then_some(())
        });
        l2.start_again();
        let (one, two) = (one.join().unwrap(), two.join().unwrap());
        assert_eq!(one, two);
        one
    });
    assert_eq!(closed["type"], "mutual");
    assert_eq!(
        pair.net.wait_mempool(1),
        [closed["txids"][0].as_str().unwrap()]
    );
}

#[test]
fn a_peer_that_missed_the_last_offer_gets_it_once_more() {
    let net = TestNet::start();
    // The second node has the closing transaction when it says so, and the first does not hear it.
    let (l1, l2, _dir) = with_fault(&net, 2, "-WIRE_CLOSING_SIGNED");
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let mark = l2.log().end();
    let closed = l1.call(
        "close",
        json!({"id": open.channel_id, "unilateraltimeout": 0}),
    );
    assert_eq!(closed["type"], "mutual");
    let lost = l2.wait_log_after(mark, "dev_disconnect");
    assert!(lost.contains("WIRE_CLOSING_SIGNED"), "{lost}");
    assert_eq!(net.wait_mempool(1), [closed["txids"][0].as_str().unwrap()]);
    for node in [&l1, &l2] {
        net.wait_state(node, &open.channel_id, "CLOSINGD_COMPLETE");
    }
    net.mine(1, &[&l1, &l2]);
    for node in [&l1, &l2] {
        node.wait_log("Resolved FUNDING_TRANSACTION/FUNDING_OUTPUT by MUTUAL_CLOSE");
    }
}

#[test]
fn what_can_not_be_closed_so_is_left_alone() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    let id = &pair.open.channel_id;
    for (params, code) in [
        (json!({"id": id, "destination": "nowhere"}), -1),
        (
            json!({"id": id, "destination": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}),
            -1,
        ),
        (json!({"id": id, "fee_negotiation_step": "0"}), -32602),
        (json!({"id": id, "fee_negotiation_step": "101%"}), -32602),
        (json!({"id": id, "fee_negotiation_step": "some"}), -32602),
        (json!({"id": id, "feerange": ["slow"]}), -32602),
        (
            json!({"id": id, "feerange": ["2000perkw", "1000perkw"]}),
            -32602,
        ),
        (
            json!({"id": id, "wrong_funding": format!("{}:0", "77".repeat(32))}),
            -32602,
        ),
        (json!(["00".repeat(32)]), -32602),
        (json!(["1x2x3"]), -32602),
        (json!([l1.id()]), -32602),
    ] {
        let refused = l1.call_err("close", params.clone());
        assert_eq!(refused.0, code, "{params}: {}", refused.1);
    }
    assert_eq!(closed_state(l1, &pair).unwrap(), "CHANNELD_NORMAL");
    let second = pair.net.open_channel(l1, l2, Sat::from_sat(500_000));
    let both = l1.call_err("close", json!([l2.id()]));
    assert_eq!(
        both,
        (
            -1,
            "Peer has multiple channels: use channel_id or short_channel_id".to_owned()
        )
    );
    let closed = l2.call("close", json!([second.channel_id]));
    assert_eq!(closed["type"], "mutual");
    let closed = l2.call("close", json!([l1.id()]));
    assert_eq!(closed["type"], "mutual");
}

#[test]
fn a_channel_that_is_not_confirmed_yet_is_closed() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(2_000_000));
    let opened = l1.call("fundchannel", json!([l2.id(), 1_000_000]));
    let closed = l1.call("close", json!([opened["channel_id"]]));
    assert_eq!(closed["type"], "mutual");
    assert_eq!(net.wait_mempool(2).len(), 2);
    net.mine(1, &[&l1, &l2]);
    l1.wait_for("our share", || {
        (crate::support::confirmed_msat(&l1) > 1_990_000_000).then_some(())
    });
}

/// The kind of script at which a channel's closing transaction pays an address of this node's wallet.
fn paid_kinds(pair: &Pair, txid: &Value) -> Vec<String> {
    let raw = pair.net.chain.call("getrawtransaction", json!([txid]));
    let decoded = pair.net.chain.call("decoderawtransaction", json!([raw]));
    let outputs = decoded["vout"].as_array().unwrap().iter();
    let kinds = outputs.map(|output| output["scriptPubKey"]["type"].as_str().unwrap().to_owned());
    kinds.collect()
}

const TAPROOT: &str = "Peer does not allow v1+ shutdown addresses";

#[test]
fn a_peer_without_anysegwit_is_closed_with_by_bech32_addresses() {
    let net = TestNet::start();
    let old = NodeOptions::default().argument("--dev-force-features=-27");
    let (l1, l2) = (net.node("l1"), net.node_with("l2", old));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let pair = Pair { l1, l2, open, net };
    pair.pay(500_000_000, "half");
    pair.wait_quiet_of(1_000_000_000);
    let (l1, id) = (&pair.l1, &pair.open.channel_id);
    let taproot = l1.call("newaddr", json!(["p2tr"]))["p2tr"].clone();
    let refused = l1.call_err("close", json!({"id": id, "destination": taproot}));
    assert_eq!(refused, (-32602, TAPROOT.to_owned()));
    // Neither at opening, where the peer would refuse it.
    let promise = json!({"id": pair.l2.id(), "amount": 100_000, "close_to": taproot});
    let refused = l1.call_err("fundchannel_start", promise);
    assert!(refused.1.contains(TAPROOT), "{}", refused.1);
    // Scripts no peer accepts now.
    for old in [
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc",
    ] {
        let refused = l1.call_err("close", json!({"id": id, "destination": old}));
        assert_eq!(refused, (-32602, "Invalid close destination".to_owned()));
    }
    let closed = l1.call("close", json!([id]));
    assert_eq!(closed["type"], "mutual");
    let kinds = paid_kinds(&pair, &closed["txids"][0]);
    assert_eq!(kinds, ["witness_v0_keyhash", "witness_v0_keyhash"]);
}

#[test]
fn peers_with_anysegwit_close_by_taproot_addresses() {
    let pair = Pair::start();
    pair.pay(1_000_000_000, "some");
    pair.wait_quiet();
    let closed = pair.l1.call("close", json!([pair.open.channel_id]));
    let kinds = paid_kinds(&pair, &closed["txids"][0]);
    assert_eq!(kinds, ["witness_v1_taproot", "witness_v1_taproot"]);
}
