//! Opening channels, in one go and in steps, and everything that can stop it.

use std::thread;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::{channel, channels, reserved};

/// Two connected nodes, the first with a coin.
fn connected(coin: u64) -> (TestNet, TestNode, TestNode) {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(coin));
    (net, l1, l2)
}

#[test]
fn a_channel_is_as_it_was_ordered() {
    let (net, l1, l2) = connected(2_000_000);
    let close_to = l1.call("newaddr", json!(["bech32"]))["bech32"].clone();
    let opened = l1.call(
        "fundchannel",
        json!({
            "id": l2.id(), "amount": 1_000_000, "feerate": "500perkw", "announce": false,
            "push_msat": "100000sat", "close_to": close_to, "reserve": 20_000, "channel_type": [12, 22],
        }),
    );
    assert_eq!(
        opened["channel_type"],
        json!({"bits": [12, 22], "names": ["static_remotekey/even", "anchors/even"]})
    );
    let id = opened["channel_id"].as_str().unwrap();
    let seen = channel(&l1, id).unwrap();
    assert_eq!(seen["state"], "CHANNELD_AWAITING_LOCKIN");
    assert_eq!(seen["to_us_msat"], 900_000_000);
    assert_eq!(seen["private"], true);
    assert_eq!(seen["opener"], "local");
    assert_eq!(seen["close_to_addr"], close_to);
    assert_eq!(seen["close_to"], opened["close_to"]);
    assert_eq!(seen["their_reserve_msat"], 20_000_000);
    assert_eq!(
        seen["features"],
        json!(["option_static_remotekey", "option_anchors"])
    );
    assert_eq!(
        seen["funding"],
        json!({"pushed_msat": 100_000_000, "local_funds_msat": 1_000_000_000, "remote_funds_msat": 0, "withheld": false})
    );
    net.wait_mempool(1);
    net.mine(1, &[&l1, &l2]);
    let scid = net.wait_usable(&l1, id);
    net.wait_usable(&l2, id);
    let theirs = l2.call("listpeerchannels", json!({"short_channel_id": scid}));
    assert_eq!(theirs["channels"][0]["to_us_msat"], 100_000_000);
    assert_eq!(theirs["channels"][0]["opener"], "remote");
    let ours = l1.call("listpeerchannels", json!({"channel_id": id}));
    let ours = &ours["channels"][0];
    assert_eq!(ours["state_changes"].as_array().unwrap().len(), 1);
    assert_eq!(ours["owner"], "channeld");
    assert_eq!(ours["scratch_txid"].as_str().unwrap().len(), 64);
    assert!(ours["last_tx_fee_msat"].as_u64().unwrap() > 0);
    let spendable = ours["spendable_msat"].as_u64().unwrap();
    assert!(
        (850_000_000..900_000_000).contains(&spendable),
        "{spendable}"
    );
    l1.wait_for("the peer's policy", || {
        let seen = channel(&l1, id)?;
        seen["updates"]["remote"]["fee_base_msat"].as_u64()
    });
    l1.call("listpeerchannels", json!({"id": l2.id()}));
    let funds = l1.call("listfunds", json!({}));
    assert_eq!(funds["channels"][0]["our_amount_msat"], 900_000_000);
}

#[test]
fn all_there_is_goes_into_a_channel_but_the_emergency_reserve() {
    let (net, l1, l2) = connected(1_000_000);
    l1.call("fundchannel", json!([l2.id(), "all", "253perkw"]));
    net.wait_mempool(1);
    let total = channels(&l1)[0]["total_msat"].as_u64().unwrap();
    assert!((970_000_000..975_000_000).contains(&total), "{total}");
    net.mine(1, &[&l1, &l2]);
    let funds = l1.call("listfunds", json!({}));
    assert_eq!(funds["outputs"][0]["amount_msat"], 25_000_000);
}

#[test]
fn refused_openings_release_their_coins() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let l2 = net.node_with(
        "l2",
        NodeOptions::default().argument("--min-capacity-sat=500000"),
    );
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(1_000_000));
    let (id, bad) = (l2.id(), -32602);
    let refusals = [
        (json!([id, 2_000_000]), 301),
        (json!([id, 990_000]), 313),
        (
            json!({"id": id, "amount": 600_000, "push_msat": "600001sat"}),
            301,
        ),
        (
            json!({"id": id, "amount": 600_000, "close_to": "nowhere"}),
            -1,
        ),
        (
            json!({"id": id, "amount": 600_000, "channel_type": [99]}),
            bad,
        ),
        (
            json!({"id": id, "amount": 600_000, "channel_type": [12, 22, 50], "mindepth": 3}),
            bad,
        ),
        (
            json!({"id": id, "amount": 600_000, "utxos": [format!("{}:0", "77".repeat(32))]}),
            bad,
        ),
        (json!({"id": id, "amount": 600_000, "minconf": 100}), 301),
        (json!({"id": id, "amount": 600_000, "request_amt": 1}), bad),
        // The peer's own refusal.
        (json!([id, 100_000]), -1),
    ];
    for (params, code) in refusals {
        let refused = l1.call_err("fundchannel", params.clone());
        assert_eq!(refused.0, code, "{params}: {}", refused.1);
        assert_eq!(reserved(&l1), 0, "{params}");
        assert_eq!(channels(&l1), Vec::<Value>::new(), "{params}");
    }
    let start = |params: Value| l1.call_err("fundchannel_start", params).0;
    assert_eq!(start(json!([l1.id(), 600_000])), 306);
    assert_eq!(
        start(json!({"id": id, "amount": 600_000, "push_msat": "600001sat"})),
        301
    );
    assert_eq!(l1.call_err("fundchannel_cancel", json!([id])).0, 307);
    assert_eq!(l1.call_err("fundchannel_cancel", json!([l1.id()])).0, 306);
    l1.call("fundchannel", json!([id, 600_000]));
    assert_eq!(net.wait_mempool(1).len(), 1);
}

#[test]
fn several_channels_at_once_use_each_coin_once() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let peers: Vec<TestNode> = ["l2", "l3", "l4"]
        .into_iter()
        .map(|name| net.node(name))
        .collect();
    for peer in &peers {
        net.connect(&l1, peer);
        net.fund(&l1, Sat::from_sat(500_000));
    }
    thread::scope(|scope| {
        for peer in &peers {
            scope.spawn(|| l1.call("fundchannel", json!([peer.id(), 400_000, "253perkw"])));
        }
    });
    assert_eq!(net.wait_mempool(3).len(), 3);
    let all: Vec<&TestNode> = std::iter::once(&l1).chain(&peers).collect();
    net.mine(1, &all);
    for channel in channels(&l1) {
        net.wait_usable(&l1, channel["channel_id"].as_str().unwrap());
    }
}

#[test]
fn a_channel_is_opened_in_steps() {
    let (net, l1, l2) = connected(1_000_000);
    let complete = |psbt: &Value| l1.call_err("fundchannel_complete", json!([l2.id(), psbt]));
    let started = l1.call("fundchannel_start", json!([l2.id(), 500_000]));
    let address = started["funding_address"].as_str().unwrap();
    let waiting = &channels(&l1)[0];
    assert_eq!(waiting["state"], "OPENINGD");
    assert_eq!(waiting["to_us_msat"], 500_000_000);
    let second = l1.call_err("fundchannel_start", json!([l2.id(), 500_000]));
    assert_eq!(second, (-1, "Already funding channel".to_owned()));
    // The wrong amount, twice, and to nobody: each time the opening goes on waiting.
    let other = net.chain.new_address();
    for outputs in [
        json!([{address: 500_001}]),
        json!([{address: 250_000}, {address: 250_000}]),
        json!([{other.as_str(): 500_000}]),
    ] {
        let made = l1.call("txprepare", json!([outputs]));
        assert_eq!(complete(&made["psbt"]).0, 309, "{outputs}");
        l1.call("txdiscard", json!([made["txid"]]));
    }
    let made = l1.call("txprepare", json!([[{address: 500_000}]]));
    let done = l1.call("fundchannel_complete", json!([l2.id(), made["psbt"]]));
    assert_eq!(done["commitments_secured"], true);
    assert_eq!(complete(&made["psbt"]).0, -1);
    let sent = l1.call("txsend", json!([made["txid"]]));
    let id = done["channel_id"].as_str().unwrap();
    assert_eq!(channel(&l1, id).unwrap()["funding_txid"], sent["txid"]);
    assert_eq!(l1.call_err("fundchannel_cancel", json!([l2.id()])).0, 308);
    net.wait_mempool(1);
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l1, id);
}

#[test]
fn an_opening_is_cancelled_at_any_step() {
    let (_net, l1, l2) = connected(1_000_000);
    l1.call("fundchannel_start", json!([l2.id(), 500_000]));
    l1.call("fundchannel_cancel", json!([l2.id()]));
    assert_eq!(channels(&l1), Vec::<Value>::new());
    l1.call("fundchannel_start", json!([l2.id(), 500_000]));
    assert_eq!(
        l1.call("close", json!([l2.id()])),
        json!({"type": "unopened"})
    );
    let started = l1.call("fundchannel_start", json!([l2.id(), 500_000]));
    let address = started["funding_address"].as_str().unwrap();
    let made = l1.call("txprepare", json!([[{address: 500_000}]]));
    l1.call("fundchannel_complete", json!([l2.id(), made["psbt"]]));
    l1.call("fundchannel_cancel", json!([l2.id()]));
    assert_eq!(channels(&l1), Vec::<Value>::new());
    l1.call("txdiscard", json!([made["txid"]]));
    l1.restart();
    assert_eq!(channels(&l1), Vec::<Value>::new());
    assert_eq!(
        l1.call("listclosedchannels", json!({})),
        json!({"closedchannels": []})
    );
}

#[test]
fn an_opening_ends_with_its_connection() {
    let (net, l1, l2) = connected(1_000_000);
    l1.call("fundchannel_start", json!([l2.id(), 500_000]));
    l2.stop();
    wait_until("the opening to be over", || {
        channels(&l1).is_empty().then_some(())
    });
    l2.start_again();
    net.connect(&l1, &l2);
    l1.call("fundchannel", json!([l2.id(), 500_000]));
}

#[test]
fn a_funding_transaction_the_network_refuses_takes_its_channel_with_it() {
    let (net, l1, l2) = connected(1_000_000);
    let target = net.chain.new_address();
    let first = l1.call(
        "txprepare",
        json!({"outputs": [{target.as_str(): 100_000}], "feerate": "5000perkw"}),
    );
    let signed = l1.call("signpsbt", json!([first["psbt"]]));
    let complete = net
        .chain
        .call("finalizepsbt", json!([signed["signed_psbt"]]));
    l1.call("txdiscard", json!([first["txid"]]));
    // The same coin is spent by a transaction that the node has not heard of.
    net.chain
        .call("sendrawtransaction", json!([complete["hex"]]));
    let (code, message) = l1.call_err("fundchannel", json!([l2.id(), 500_000, "253perkw"]));
    assert_eq!(code, 303, "{message}");
    assert_eq!(channels(&l1), Vec::<Value>::new());
    assert_eq!(reserved(&l1), 0);
    l1.restart();
    assert_eq!(channels(&l1), Vec::<Value>::new());
    assert_eq!(net.chain.mempool().len(), 1);
}

#[test]
fn what_we_ask_for_forwarding_is_set() {
    let (net, l1, l2) = connected(2_000_000);
    let open = net.open_funded_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let set = |params: Value| l1.call("setchannel", params)["channels"][0].clone();
    let fees = set(json!([open.short_channel_id, 7, 11]));
    assert_eq!(
        (&fees["fee_base_msat"], &fees["fee_proportional_millionths"]),
        (&json!(7), &json!(11))
    );
    let limits =
        set(json!({"id": "all", "htlcmin": 5, "htlcmax": "2000000sat", "ignorefeelimits": true}));
    assert_eq!(limits["minimum_htlc_out_msat"], 5);
    assert_eq!(limits["maximum_htlc_out_msat"], 990_000_000);
    assert!(limits["warning_htlcmax_too_high"].is_string());
    assert_eq!(limits["ignore_fee_limits"], true);
    assert_eq!(limits["fee_base_msat"], 7);
    l1.restart();
    let kept = set(json!([l2.id()]));
    assert_eq!(kept["fee_proportional_millionths"], 11);
    assert_eq!(kept["ignore_fee_limits"], true);
    l2.wait_for("the new policy", || {
        let seen = channel(&l2, &open.channel_id)?;
        (seen["updates"]["remote"]["fee_base_msat"] == 7).then_some(())
    });
    for (params, code) in [
        (json!(["nowhere"]), -32602),
        (json!(["1x1x1"]), -32602),
        (json!({"id": "all", "htlcmin": 10, "htlcmax": 9}), -1),
        (json!(["all", "4294967296msat"]), -32602),
    ] {
        assert_eq!(
            l1.call_err("setchannel", params.clone()).0,
            code,
            "{params}"
        );
    }
}
