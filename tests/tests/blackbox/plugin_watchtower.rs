//! A plugin that could punish a peer while the node is away.

use std::fs;
use std::path::Path;

use ln_testkit::nodes::{NodeOptions, TestNet};
use ln_testkit::schemas;
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::onchain::{close_alone, wait_closed};
use crate::plugin_hooks::{answers, judge};
use crate::plugins::heard;
use crate::support::{CAPACITY_MSAT, Pair, confirmed_msat, invoice, payment_status, send};

/// Two nodes with a channel, of which the first has this plugin.
fn watched_by(tower: &Path) -> Pair {
    let net = TestNet::start();
    let options = NodeOptions::default().argument(format!("--plugin={}", tower.display()));
    let l1 = net.node_with("l1", options);
    let l2 = net.node("l2");
    let open = net.open_channel(&l1, &l2, Sat::from_sat(CAPACITY_MSAT / 1000));
    Pair { l1, l2, open, net }
}

#[test]
fn a_revocation_that_was_not_answered_is_told_again() {
    let dir = TempDir::new().unwrap();
    let tower = judge(dir.path(), "tower", &json!(["commitment_revocation"]));
    let pair = watched_by(&tower);
    let told = || -> Vec<Value> {
        let calls = heard(&tower).into_iter();
        let calls = calls.filter(|call| call["method"] == "commitment_revocation");
        calls.map(|call| call["params"].clone()).collect()
    };
    pair.pay(2_000_000_000, "first");
    pair.wait_quiet();
    // The peer has something to lose from here on, and had nothing in what it revoked before.
    assert!(told().is_empty());
    answers(&tower, "held", &json!({"result": "continue"}));
    pair.pay(1_000_000_000, "second");
    let missed = pair.l1.wait_for("a revocation", || told().last().cloned());
    pair.l1.kill();
    fs::remove_file(format!("{}.held", tower.display())).unwrap();
    fs::remove_file(format!("{}.heard", tower.display())).unwrap();
    pair.l1.start_again();
    let again = pair.l1.wait_for("the same revocation", || {
        told()
            .into_iter()
            .find(|call| call["commitnum"] == missed["commitnum"])
    });
    assert_eq!(again["commitment_txid"], missed["commitment_txid"]);
    schemas::check_hook("commitment_revocation", &again).assert("commitment_revocation");
    // What was answered is not told again: the next payment's are the first that come after another start.
    pair.wait_quiet();
    pair.l1.call("rest-tower", json!({}));
    pair.l1.stop();
    fs::remove_file(format!("{}.heard", tower.display())).unwrap();
    pair.l1.start_again();
    pair.wait_quiet();
    pair.pay(500_000_000, "third");
    pair.l1.wait_for("a later revocation", || {
        let numbers = told().into_iter().map(|call| call["commitnum"].as_u64());
        numbers
            .max()
            .filter(|last| *last > missed["commitnum"].as_u64())
    });
    let known = told();
    let mut known = known.iter().map(|call| &call["commitnum"]);
    assert!(known.all(|number| *number != missed["commitnum"]));
}

#[test]
fn a_watchtower_punishes_for_a_node_that_is_away() {
    let dir = TempDir::new().unwrap();
    let tower = judge(dir.path(), "tower", &json!(["commitment_revocation"]));
    // Whatever it answers: the channel goes on.
    answers(
        &tower,
        "commitment_revocation",
        &json!({"result": "whatever"}),
    );
    let pair = watched_by(&tower);
    pair.pay(2_000_000_000, "first");
    pair.wait_quiet();
    pair.l2.stop();
    let database = pair.l2.dir().join("regtest/lightningd.sqlite3");
    let old = pair.l2.dir().join("old.sqlite3");
    fs::copy(&database, &old).unwrap();
    pair.l2.start_again();
    pair.wait_quiet();
    let back = invoice(&pair.l1, 1_500_000_000, "back");
    send(&pair.l2, &pair.l1, &pair.open, &back, 1_500_000_000);
    let hash = &back["payment_hash"];
    pair.l2.wait_for("the payment back", || {
        (payment_status(&pair.l2, hash)? == "complete").then_some(())
    });
    pair.wait_quiet();
    let calls = || -> Vec<Value> {
        let calls = heard(&tower).into_iter();
        let mut calls = calls.filter(|call| call["method"] == "commitment_revocation");
        calls.by_ref().map(|call| call["params"].clone()).collect()
    };
    // Two payments and their ends: four commitments, of which the last is good. The very first gave the peer nothing.
    let revoked = pair.l1.wait_for("all revoked commitments", || {
        let numbers: Vec<u64> = calls()
            .iter()
            .filter_map(|call| call["commitnum"].as_u64())
            .collect();
        (numbers.last() == Some(&3)).then(calls)
    });
    for call in &revoked {
        schemas::check_hook("commitment_revocation", call).assert("commitment_revocation");
        assert_eq!(call["channel_id"], pair.open.channel_id.as_str());
    }
    let before = confirmed_msat(&pair.l1);
    pair.l1.stop();
    pair.l2.stop();
    fs::copy(&old, &database).unwrap();
    pair.l2.start_again();
    let cheat = close_alone(&pair, &pair.l2, None);
    pair.l2.kill();
    let known = revoked.iter().find(|call| call["commitment_txid"] == cheat);
    let penalty = known.expect("the tower knows it")["penalty_tx"].clone();
    pair.net.chain.call("sendrawtransaction", json!([penalty]));
    pair.net.mine(1, &[]);
    // What the tower took is in the wallet when the node is back.
    pair.l1.start_again();
    pair.l1.wait_for("the peer's part", || {
        (confirmed_msat(&pair.l1) > before + 1_900_000_000).then_some(())
    });
    crate::onchain::mine_until(&pair, &[&pair.l1], "everything to be ours", || {
        confirmed_msat(&pair.l1) > before + CAPACITY_MSAT - 20_000_000
    });
    wait_closed(&pair, &[&pair.l1]);
}
