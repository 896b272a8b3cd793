//! The on-chain wallet: addresses, coins, transactions in one go and in steps.

use std::thread;

use ln_testkit::nodes::{TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::confirmed_msat;

/// A node with coins of these amounts, in satoshi.
fn rich(net: &TestNet, coins: &[u64]) -> TestNode {
    let node = net.node("l1");
    for coin in coins {
        net.fund(&node, Sat::from_sat(*coin));
    }
    node
}

/// The coins of a node as `listfunds` has them.
fn outputs(node: &TestNode) -> Vec<Value> {
    let funds = node.call("listfunds", json!({}));
    funds["outputs"].as_array().unwrap().clone()
}

fn count(node: &TestNode, member: &str, value: &Value) -> usize {
    let outputs = outputs(node);
    outputs
        .iter()
        .filter(|output| output[member] == *value)
        .count()
}

#[test]
fn addresses_are_given_out_once_and_listed() {
    let net = TestNet::start();
    let node = net.node("l1");
    let segwit = node.call("newaddr", json!(["bech32"]));
    let taproot = node.call("newaddr", json!(["p2tr"]));
    let both = node.call("newaddr", json!(["all"]));
    assert!(segwit["bech32"].as_str().unwrap().starts_with("bcrt1q"));
    assert!(segwit.get("p2tr").is_none());
    assert!(taproot["p2tr"].as_str().unwrap().starts_with("bcrt1p"));
    assert!(taproot.get("bech32").is_none());
    assert!(both["bech32"].is_string() && both["p2tr"].is_string());
    let listed = node.call("listaddresses", json!({}));
    assert_eq!(
        listed["addresses"],
        json!([
            {"keyidx": 1, "bech32": segwit["bech32"]},
            {"keyidx": 2, "p2tr": taproot["p2tr"]},
            {"keyidx": 3, "bech32": both["bech32"], "p2tr": both["p2tr"]},
        ])
    );
    let one = node.call("listaddresses", json!({"address": both["p2tr"]}));
    assert_eq!(one["addresses"][0]["keyidx"], 3);
    let page = node.call("listaddresses", json!({"start": 2, "limit": 1}));
    assert_eq!(page["addresses"].as_array().unwrap().len(), 1);
    assert_eq!(page["addresses"][0]["keyidx"], 2);
    node.restart();
    assert_eq!(node.call("listaddresses", json!({})), listed);
    let next = node.call("newaddr", json!(["bech32"]));
    assert_ne!(next["bech32"], segwit["bech32"]);
}

#[test]
fn money_is_withdrawn_in_part_and_whole() {
    let net = TestNet::start();
    let node = rich(&net, &[1_000_000, 500_000]);
    let target = net.chain.new_address();
    let sent = node.call("withdraw", json!([target, 600_000, "1000perkw"]));
    let txid = sent["txid"].as_str().unwrap().to_owned();
    assert_eq!(net.wait_mempool(1), std::slice::from_ref(&txid));
    // The change may be spent on at once, the coin spent is set aside until a block decides.
    assert_eq!(count(&node, "status", &json!("unconfirmed")), 1);
    assert_eq!(count(&node, "reserved", &json!(true)), 1);
    let listed = node.call("listtransactions", json!({}));
    let listed = listed["transactions"].as_array().unwrap();
    assert!(
        listed
            .iter()
            .any(|tx| tx["hash"] == txid.as_str() && tx["blockheight"] == 0)
    );
    net.mine(1, &[&node]);
    assert_eq!(outputs(&node).len(), 2);
    let spent = node.call("listfunds", json!({"spent": true}));
    assert_eq!(spent["outputs"].as_array().unwrap().len(), 3);
    node.call(
        "withdraw",
        json!({"destination": target, "satoshi": "all", "feerate": "1000perkw"}),
    );
    net.wait_mempool(1);
    net.mine(1, &[&node]);
    assert_eq!(outputs(&node), Vec::<Value>::new());
    let (code, _) = node.call_err("withdraw", json!([target, "all"]));
    assert_eq!(code, 301);
}

#[test]
fn what_cannot_be_paid_touches_no_coin() {
    let net = TestNet::start();
    let node = rich(&net, &[100_000]);
    let target = net.chain.new_address();
    let coin = outputs(&node)[0].clone();
    let outpoint = format!("{}:{}", coin["txid"].as_str().unwrap(), coin["output"]);
    let nothing = format!("{}:7", coin["txid"].as_str().unwrap());
    let refusals = [
        (json!([target, 100_000]), 301),
        (json!([target, 1_000_000]), 301),
        (json!([target, 100]), 302),
        (
            json!({"destination": target, "satoshi": 1000, "minconf": 50}),
            301,
        ),
        (
            json!({"destination": target, "satoshi": 1000, "utxos": [nothing]}),
            -32602,
        ),
        (
            json!({"destination": target, "satoshi": 100_000, "utxos": [outpoint]}),
            301,
        ),
        (
            json!({"destination": target, "satoshi": 1000, "utxos": [outpoint, outpoint]}),
            -32602,
        ),
    ];
    for (params, code) in refusals {
        let refused = node.call_err("withdraw", params.clone());
        assert_eq!(refused.0, code, "{params}: {}", refused.1);
    }
    assert_eq!(count(&node, "reserved", &json!(true)), 0);
    assert_eq!(net.chain.mempool().len(), 0);
    node.call(
        "withdraw",
        json!({"destination": target, "satoshi": 50_000, "utxos": [outpoint]}),
    );
}

#[test]
fn no_two_payments_at_once_get_the_same_coin() {
    let net = TestNet::start();
    let node = rich(&net, &[100_000, 100_000, 100_000]);
    let target = net.chain.new_address();
    let results: Vec<bool> = thread::scope(|scope| {
        let one = || {
            node.try_call("withdraw", json!([target, 80_000, "253perkw"]))
                .is_ok()
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(results.iter().filter(|sent| **sent).count(), 3);
    assert_eq!(net.wait_mempool(3).len(), 3);
}

#[test]
fn a_transaction_is_made_in_steps() {
    let net = TestNet::start();
    let node = rich(&net, &[1_000_000]);
    let funded = node.call(
        "fundpsbt",
        json!({"satoshi": 200_000, "feerate": "1000perkw", "startweight": 300, "excess_as_change": true}),
    );
    assert_eq!(funded["change_outnum"], 0);
    assert_eq!(funded["excess_msat"], 0);
    let reserved_to = net.chain.height() + 72;
    assert_eq!(funded["reservations"][0]["reserved_to_block"], reserved_to);
    assert_eq!(
        node.call_err("fundpsbt", json!([1000, "1000perkw", 300])).0,
        301
    );
    let twice = node.call_err("reserveinputs", json!([funded["psbt"]]));
    assert_eq!(twice.0, -32602);
    let more = node.call(
        "reserveinputs",
        json!({"psbt": funded["psbt"], "exclusive": false}),
    );
    assert_eq!(
        more["reservations"][0]["reserved_to_block"],
        reserved_to + 72
    );
    assert_eq!(more["reservations"][0]["was_reserved"], true);
    let less = node.call("unreserveinputs", json!([funded["psbt"]]));
    assert_eq!(less["reservations"][0]["reserved"], true);
    let none = node.call("unreserveinputs", json!([funded["psbt"]]));
    assert_eq!(none["reservations"][0]["reserved"], false);
    // What is not set aside is not signed: it could be promised twice.
    assert_eq!(node.call_err("signpsbt", json!([funded["psbt"]])).0, -1);
    node.call("reserveinputs", json!([funded["psbt"]]));
    assert_eq!(node.call_err("sendpsbt", json!([funded["psbt"]])).0, -1);
    let signed = node.call("signpsbt", json!([funded["psbt"]]));
    let sent = node.call("sendpsbt", json!([signed["signed_psbt"]]));
    assert_eq!(net.wait_mempool(1), [sent["txid"].as_str().unwrap()]);
    net.mine(1, &[&node]);
    let fee_and_gift = 1_000_000_000 - confirmed_msat(&node);
    assert!(
        (200_000_000..201_000_000).contains(&fee_and_gift),
        "{fee_and_gift}"
    );
}

#[test]
fn a_coin_is_taken_by_name() {
    let net = TestNet::start();
    let node = rich(&net, &[300_000, 200_000]);
    let coin = outputs(&node)
        .into_iter()
        .find(|coin| coin["amount_msat"] == 200_000_000)
        .unwrap();
    let outpoint = format!("{}:{}", coin["txid"].as_str().unwrap(), coin["output"]);
    let params =
        json!({"satoshi": "all", "feerate": "253perkw", "startweight": 0, "utxos": [outpoint]});
    let funded = node.call("utxopsbt", params.clone());
    let excess = funded["excess_msat"].as_u64().unwrap();
    assert!(excess > 199_000_000 && excess < 200_000_000, "{excess}");
    assert_eq!(node.call_err("utxopsbt", params.clone()).0, -32602);
    let mut again = params;
    again["reservedok"] = json!(true);
    again["reserve"] = json!(0);
    let again = node.call("utxopsbt", again);
    assert!(again.get("reservations").is_none());
    node.call("unreserveinputs", json!([funded["psbt"]]));
    assert_eq!(count(&node, "reserved", &json!(true)), 0);
}

#[test]
fn a_prepared_transaction_is_sent_or_discarded() {
    let net = TestNet::start();
    let node = rich(&net, &[1_000_000]);
    let target = net.chain.new_address();
    let other = net.chain.new_address();
    let made = node.call(
        "txprepare",
        json!([[{target.as_str(): 100_000}, {other.as_str(): "200000"}]]),
    );
    assert_eq!(count(&node, "reserved", &json!(true)), 1);
    let discarded = node.call("txdiscard", json!([made["txid"]]));
    assert_eq!(discarded["unsigned_tx"], made["unsigned_tx"]);
    assert_eq!(count(&node, "reserved", &json!(true)), 0);
    for method in ["txdiscard", "txsend"] {
        assert_eq!(node.call_err(method, json!([made["txid"]])).0, -32602);
    }
    // Without its reservation another transaction may have the coin: then this one must not replace that.
    let made = node.call("txprepare", json!([[{target.as_str(): 100_000}]]));
    node.call("unreserveinputs", json!([made["psbt"]]));
    let lost = node.call_err("txsend", json!([made["txid"]]));
    assert!(lost.1.contains("no longer reserved"), "{}", lost.1);
    let rest = node.call(
        "txprepare",
        json!([[{target.as_str(): 100_000}, {other.as_str(): "all"}]]),
    );
    let sent = node.call("txsend", json!([rest["txid"]]));
    assert_eq!(sent["txid"], rest["txid"]);
    assert_eq!(net.wait_mempool(1), [sent["txid"].as_str().unwrap()]);
    net.mine(1, &[&node]);
    assert_eq!(outputs(&node), Vec::<Value>::new());
}

#[test]
fn a_transaction_the_network_refuses_leaves_nothing_behind() {
    let net = TestNet::start();
    let node = rich(&net, &[1_000_000]);
    let target = net.chain.new_address();
    let first = node.call(
        "txprepare",
        json!({"outputs": [{target.as_str(): 100_000}], "feerate": "5000perkw"}),
    );
    // Somebody else sends a transaction of the same coin first.
    let signed = node.call("signpsbt", json!([first["psbt"]]));
    let complete = net
        .chain
        .call("finalizepsbt", json!([signed["signed_psbt"]]));
    node.call("txdiscard", json!([first["txid"]]));
    net.chain
        .call("sendrawtransaction", json!([complete["hex"]]));
    let before = outputs(&node);
    let (code, message) = node.call_err("withdraw", json!([target, 200_000, "253perkw"]));
    assert_eq!(code, -1, "{message}");
    assert!(message.contains("Unsent tx discarded"), "{message}");
    assert_eq!(outputs(&node), before);
    node.restart();
    net.wait_synced(&[&node]);
    assert_eq!(outputs(&node), before);
    // Nothing goes out later.
    assert_eq!(net.chain.mempool().len(), 1);
    net.mine(1, &[&node]);
    let listed = node.call("listtransactions", json!({}));
    assert_eq!(listed["transactions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fee_by_mistake_is_not_paid() {
    let net = TestNet::start();
    let node = rich(&net, &[10_000_000]);
    let target = net.chain.new_address();
    let refused = node.call_err("withdraw", json!([target, 1_000_000, "3000000perkw"]));
    assert!(refused.1.contains("Unsent tx discarded"), "{}", refused.1);
    assert_eq!(count(&node, "reserved", &json!(true)), 0);
}

#[test]
fn reservations_outlive_a_crash() {
    let net = TestNet::start();
    let node = rich(&net, &[1_000_000]);
    let funded = node.call("fundpsbt", json!([1000, "1000perkw", 300]));
    node.kill();
    node.start_again();
    net.wait_synced(&[&node]);
    assert_eq!(count(&node, "reserved", &json!(true)), 1);
    let signed = node.call("signpsbt", json!([funded["psbt"]]));
    assert!(signed["signed_psbt"].is_string());
}

#[test]
fn a_transaction_is_sent_again_at_each_block_until_one_has_it() {
    let net = TestNet::start();
    let node = net.node("l1");
    net.fund(&node, Sat::from_sat(1_000_000));
    let target = net.chain.new_address();
    let sent = node.call("withdraw", json!([target, 100_000]));
    let again = format!("Rebroadcast txid {}", sent["txid"].as_str().unwrap());
    for _ in 0..2 {
        let mark = node.log().end();
        net.chain.call("generateblock", json!([target, []]));
        node.wait_log_after(mark, &again);
    }
    net.mine(1, &[&node]);
    assert!(net.chain.mempool().is_empty());
}
