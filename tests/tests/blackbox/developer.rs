//! Commands for those who test nodes.

use std::fs;

use ln_testkit::nodes::{CallError, NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::onchain::mine_until;
use crate::support::{
    CAPACITY_MSAT, Pair, channel, confirmed_msat, invoice, payment_status, send, wait_arrived,
};

/// A channel's commitment feerate, per kiloweight.
fn feerate(node: &TestNode, channel_id: &str) -> Option<u64> {
    channel(node, channel_id)?["feerate"]["perkw"].as_u64()
}

#[test]
fn a_commitment_is_signed_without_being_sent_and_an_old_one_costs_the_channel() {
    // The one who cheats does not know what becomes of the outputs.
    let options = NodeOptions::default().allow_complaint("Could not find resolution");
    let pair = Pair::start_with(options);
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let sign = || {
        let signed = l1.call("dev-sign-last-tx", json!({"id": l2.id()}));
        let decoded = net
            .chain
            .call("decoderawtransaction", json!([signed["tx"]]));
        let shown = channel(l1, &pair.open.channel_id).unwrap();
        assert_eq!(decoded["txid"], shown["scratch_txid"]);
        signed["tx"].as_str().unwrap().to_owned()
    };
    let old = sign();
    pair.pay(1_000_000_000, "later");
    pair.wait_quiet();
    assert_ne!(sign(), old);
    assert!(net.chain.mempool().is_empty());
    let (code, text) = l1.call_err("dev-sign-last-tx", json!({"id": l1.id()}));
    assert_eq!(
        (code, text),
        (-32602, format!("Unknown peer '{}'", l1.id()))
    );

    // The network takes the old one, and the peer takes everything.
    net.chain.call("sendrawtransaction", json!([old]));
    mine_until(&pair, &[l1, l2], "everything to be the peer's", || {
        confirmed_msat(l2) > CAPACITY_MSAT - 20_000_000
    });
    let (_, text) = l1.call_err("dev-sign-last-tx", json!({"id": l2.id()}));
    assert!(text.contains("No channel with that peer"), "{text}");
}

#[test]
fn the_feerate_of_commitments_is_set_by_hand_and_stays() {
    let pair = Pair::start();
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let id = &pair.open.channel_id;
    let before = feerate(l1, id).unwrap();
    let wanted = before + 1234;
    let reply = l1.call("dev-feerate", json!([l2.id(), wanted]));
    assert_eq!(reply, json!({"id": l2.id(), "feerate": wanted}));
    for node in [l1, l2] {
        node.wait_for("the new feerate", || {
            (feerate(node, id)? == wanted).then_some(())
        });
    }
    // Estimates that come later don't change it back.
    let mark = l1.log().end();
    pair.pay(10_000, "one");
    l1.call("disconnect", json!({"id": l2.id(), "force": true}));
    net.wait_usable(l1, id);
    pair.pay(10_000, "two");
    assert!(l1.log().find_after(mark, "**BROKEN**").is_none());
    assert_eq!(feerate(l1, id), Some(wanted));
    // Only the opener sets it.
    l2.call("dev-feerate", json!([l1.id(), wanted + 1]));
    pair.pay(10_000, "three");
    assert_eq!(feerate(l2, id), Some(wanted));
    let (code, text) = l1.call_err("dev-feerate", json!([l1.id(), wanted]));
    assert_eq!((code, text.as_str()), (-1, "Peer not connected"));
}

#[test]
fn htlcs_are_left_alone_until_the_channel_is_connected_anew() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    let id = &pair.open.channel_id;
    l2.call("dev-ignore-htlcs", json!({"id": l1.id(), "ignore": true}));
    let invoice = invoice(l2, 10_000, "ignored");
    send(l1, l2, &pair.open, &invoice, 10_000);
    l2.wait_log("their htlc 0 dev_ignore_htlcs");
    wait_arrived(l2, id);
    // Others go through once they are not ignored any more; this one waits for the next connection.
    l2.call("dev-ignore-htlcs", json!({"id": l1.id(), "ignore": false}));
    pair.pay(20_000, "taken");
    let hash = &invoice["payment_hash"];
    assert_eq!(payment_status(l1, hash).as_deref(), Some("pending"));
    l1.call("disconnect", json!({"id": l2.id(), "force": true}));
    l1.wait_for("the payment", || {
        (payment_status(l1, hash)? == "complete").then_some(())
    });
    let (code, text) = l2.call_err("dev-ignore-htlcs", json!([l2.id(), true]));
    assert_eq!(code, -1, "{text}");
}

#[test]
fn addresses_of_all_keys_are_listed() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let given = l1.call("newaddr", json!(["all"]));
    let listed = l1.call("dev-listaddrs", json!({}));
    let last = listed["addresses"].as_array().unwrap().last().unwrap();
    assert_eq!(last["bech32"], given["bech32"]);
    assert_eq!(last["p2tr"], given["p2tr"]);
    let hash = last["bech32_redeemscript"].as_str().unwrap();
    let address = net.chain.call("getaddressinfo", json!([given["bech32"]]));
    assert_eq!(address["scriptPubKey"], format!("0014{hash}"));
    // Keys not given out yet, too: the next address is among them.
    let ahead = l1.call("dev-listaddrs", json!({"max_index": 100}));
    let ahead = ahead["addresses"].as_array().unwrap();
    assert_eq!(ahead.len(), 100);
    let next = l1.call("newaddr", json!(["bech32"]));
    let place = listed["addresses"].as_array().unwrap().len();
    assert_eq!(ahead[place]["bech32"], next["bech32"]);
    assert_eq!(ahead[place]["keyidx"], place + 1);
}

#[test]
fn what_the_wallet_thinks_of_its_coins_is_put_right() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    net.fund(&l1, Sat::from_sat(1_000_000));
    let states = |node: &TestNode| -> Vec<(u64, u64)> {
        let rescanned = node.call("dev-rescan-outputs", json!({}));
        let outputs = rescanned["outputs"].as_array().unwrap().clone();
        let number = |output: &Value, name: &str| output[name].as_u64().unwrap();
        outputs
            .iter()
            .map(|output| (number(output, "oldstate"), number(output, "newstate")))
            .collect()
    };
    assert_eq!(states(&l1), [(0, 0)]);
    // A coin spent behind the wallet's back, as by another wallet of the same seed.
    let address = net.chain.new_address();
    let prepared = l1.call("txprepare", json!([[{address: "all"}]]));
    let unsigned = prepared["psbt"].clone();
    let signed = l1.call("signpsbt", json!([unsigned]));
    let tx = net
        .chain
        .call("finalizepsbt", json!([signed["signed_psbt"]]))["hex"]
        .clone();
    l1.call("txdiscard", json!([prepared["txid"]]));
    assert_eq!(states(&l1), [(0, 0)]);
    net.chain.call("sendrawtransaction", json!([tx]));
    assert_eq!(states(&l1), [(0, 2)]);
    let funds = l1.call("listfunds", json!({}));
    assert_eq!(funds["outputs"], json!([]));
    net.mine(1, &[&l1]);
    assert_eq!(states(&l1), [(2, 2)]);
}

#[test]
fn commitments_that_were_stopped_go_on() {
    let options = NodeOptions::default().argument("--dev-disable-commit-after=0");
    let pair = Pair::start_with(options);
    let (l1, l2) = (&pair.l1, &pair.l2);
    let id = &pair.open.channel_id;
    let invoice = invoice(l2, 10_000, "stopped");
    let route = json!([{
        "id": l2.id(), "channel": pair.open.short_channel_id, "amount_msat": 10_000, "delay": 15,
    }]);
    let params = json!({
        "route": route, "payment_hash": invoice["payment_hash"], "payment_secret": invoice["payment_secret"],
    });
    let mark = l2.log().end();
    std::thread::scope(|scope| {
        scope.spawn(|| l1.call("sendpay", params));
        l2.wait_log_after(mark, "WIRE_UPDATE_ADD_HTLC");
        // Nothing is committed to, and so nothing is known of it.
        assert_eq!(channel(l2, id).unwrap()["htlcs"], json!([]));
        l1.call("dev-reenable-commit", json!({"id": l2.id()}));
        l2.call("dev-reenable-commit", json!({"id": l1.id()}));
    });
    let paid = l1.call(
        "waitsendpay",
        json!({"payment_hash": invoice["payment_hash"]}),
    );
    assert_eq!(paid["status"], "complete");
    l2.stop();
    l1.wait_for("the end of channeld", || {
        match l1.try_call("dev-reenable-commit", json!({"id": l2.id()})) {
            Err(CallError::Rpc(error)) => error.message.contains("has no owner").then_some(()),
            _ => None,
        }
    });
}

/// What a node's graph says another one asks for.
fn base_fee(node: &TestNode, of: &TestNode) -> Option<u64> {
    let listed = node.poll("listchannels", json!({"source": of.id()}))?;
    listed["channels"][0]["base_fee_millisatoshi"].as_u64()
}

fn wait_base_fee(node: &TestNode, of: &TestNode, fee: u64) {
    node.wait_for("the new policy in the graph", || {
        (base_fee(node, of)? == fee).then_some(())
    });
}

#[test]
fn a_node_stops_to_talk_of_channels() {
    let net = TestNet::start();
    let [l1, l2, l3, witness] = ["l1", "l2", "l3", "l4"].map(|name| net.node(name));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.connect(&l2, &l3);
    net.connect(&l1, &witness);
    net.announce(&open, &[&l1, &l2]);
    for node in [&l1, &l3, &witness] {
        wait_base_fee(node, &l2, 1);
        wait_base_fee(node, &l1, 1);
    }
    l2.call("dev-suppress-gossip", json!({}));
    l2.call("setchannel", json!({"id": l1.id(), "feebase": 100}));
    wait_base_fee(&l2, &l2, 100);
    // Gossip goes out once a second here: when the witness has heard of several changes, the others would have, too.
    for fee in 2..6 {
        l1.call("setchannel", json!({"id": l2.id(), "feebase": fee}));
        wait_base_fee(&witness, &l1, fee);
    }
    assert_eq!(base_fee(&l3, &l1), Some(1));
    assert_eq!(base_fee(&l3, &l2), Some(1));
    assert_eq!(base_fee(&l1, &l2), Some(1));
}

#[test]
fn the_gossip_store_is_written_anew() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.announce(&open, &[&l1, &l2]);
    let store = l1.dir().join("regtest/gossip_store");
    // Each change of the policy voids a record.
    for fee in 1..10 {
        l1.call("setchannel", json!({"id": l2.id(), "feebase": fee}));
        wait_base_fee(&l1, &l1, fee);
    }
    let before = fs::metadata(&store).unwrap().len();
    assert_eq!(l1.call("dev-compact-gossip-store", json!({})), json!({}));
    let after = fs::metadata(&store).unwrap().len();
    assert!(after < before, "{after} of {before}");
    let listed = l1.call("listchannels", json!({}));
    assert_eq!(listed["channels"].as_array().unwrap().len(), 2);
    // Who reads it goes on reading.
    l1.call("setchannel", json!({"id": l2.id(), "feebase": 77}));
    wait_base_fee(&l2, &l1, 77);
}

#[test]
fn without_descriptors_a_peer_that_nobody_misses_makes_room() {
    let net = TestNet::start();
    let [l1, l2, l3, l4] = ["l1", "l2", "l3", "l4"].map(|name| net.node(name));
    net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.connect(&l1, &l3);
    l1.call("dev-connectd-exhaust-fds", json!({}));
    l1.wait_log("dev_exhaust_fds: expect failures");
    net.connect(&l1, &l4);
    let peers = l1.call("listpeers", json!({"id": l3.id()}));
    assert_eq!(peers["peers"], json!([]));
    let peers = l1.call("listpeers", json!({"id": l2.id()}));
    assert_eq!(peers["peers"][0]["connected"], true);
    l1.wait_log("due to stress, closing peer");
}
