//! Packages, version 3 transactions and ephemeral anchors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::json;
use support::{Coin, Lock, Spend, chain, fund, submit_package};

const ME: Lock = Lock::Key(7);
const OTHER: Lock = Lock::Key(8);

#[test]
fn a_child_pays_for_a_free_parent() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let parent = Spend::new(&[&coin]).pay_rest(&ME, 0).sign();
    let child = Spend::new(&[&parent.coin(0, ME)])
        .pay_rest(&OTHER, 2000)
        .sign();
    assert_eq!(child.refused(&chain).1, "bad-txns-inputs-missingorspent");
    let result = submit_package(&chain, &[&parent, &child]);
    assert_eq!(result["package_msg"], "success");
    let wtxid = child.tx.compute_wtxid().to_string();
    let fees = &result["tx-results"][&wtxid]["fees"];
    assert_eq!(fees["base"], 0.00002);
    assert_eq!(fees["effective-includes"].as_array().unwrap().len(), 2);
    assert_eq!(chain.mempool().len(), 2);
    chain.mine(1);
    assert!(chain.mempool().is_empty(), "both are mined together");
}

#[test]
fn a_package_that_pays_too_little_is_refused_whole() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let parent = Spend::new(&[&coin]).pay_rest(&ME, 0).sign();
    let child = Spend::new(&[&parent.coin(0, ME)])
        .pay_rest(&OTHER, 150)
        .sign();
    let result = submit_package(&chain, &[&parent, &child]);
    assert_eq!(result["package_msg"], "transaction failed");
    let wtxid = child.tx.compute_wtxid().to_string();
    let error = result["tx-results"][&wtxid]["error"].as_str().unwrap();
    assert!(
        error.starts_with("min relay fee not met, 150 < "),
        "{error}"
    );
    assert!(chain.mempool().is_empty());
}

#[test]
fn the_topology_of_a_package_is_checked() {
    let chain = chain();
    let (one, two) = (fund(&chain, ME, 100_000), fund(&chain, ME, 100_000));
    let first = Spend::new(&[&one]).pay_rest(&ME, 1000).sign();
    let second = Spend::new(&[&two]).pay_rest(&ME, 1000).sign();
    let package = json!([[first.hex(), second.hex()]]);
    let (code, why) = chain.call_err("submitpackage", package);
    assert_eq!(code, -25);
    assert!(why.starts_with("package topology disallowed"), "{why}");
    let tested = chain.call("testmempoolaccept", json!([[first.hex(), second.hex()]]));
    assert_eq!(
        (&tested[0]["allowed"], &tested[1]["allowed"]),
        (&json!(true), &json!(true))
    );
    let child = Spend::new(&[&first.coin(0, ME)]).pay_rest(&ME, 1000).sign();
    let tested = chain.call("testmempoolaccept", json!([[child.hex(), first.hex()]]));
    assert_eq!(tested[0]["package-error"], "package-not-sorted");
    let tested = chain.call("testmempoolaccept", json!([[first.hex(), child.hex()]]));
    assert_eq!(tested[1]["allowed"], true);
}

#[test]
fn what_is_there_already_is_reported_and_the_rest_taken() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let parent = Spend::new(&[&coin]).pay_rest(&ME, 1000).sign();
    parent.send(&chain);
    let child = Spend::new(&[&parent.coin(0, ME)])
        .pay_rest(&OTHER, 1000)
        .sign();
    let result = submit_package(&chain, &[&parent, &child]);
    assert_eq!(result["package_msg"], "success");
    assert_eq!(chain.mempool().len(), 2);
}

#[test]
fn a_package_replaces_a_package() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let package = |fee: u64, to: &Lock| {
        let parent = Spend::new(&[&coin])
            .version(3)
            .pay(to, 10_000)
            .pay_rest(&ME, 0)
            .sign();
        let child = Spend::new(&[&parent.coin(1, ME)])
            .version(3)
            .pay_rest(to, fee)
            .sign();
        (parent, child)
    };
    let (parent, child) = package(1000, &ME);
    assert_eq!(
        submit_package(&chain, &[&parent, &child])["package_msg"],
        "success"
    );
    let (rival, rival_child) = package(1100, &OTHER);
    let result = submit_package(&chain, &[&rival, &rival_child]);
    let message = result["package_msg"].as_str().unwrap();
    assert!(
        message.starts_with("package RBF failed: insufficient anti-DoS fees"),
        "{message}"
    );
    let (rival, rival_child) = package(5000, &OTHER);
    let result = submit_package(&chain, &[&rival, &rival_child]);
    assert_eq!(result["package_msg"], "success");
    assert_eq!(result["replaced-transactions"].as_array().unwrap().len(), 2);
    let mut pool = chain.mempool();
    let mut wanted = vec![rival.txid().to_string(), rival_child.txid().to_string()];
    pool.sort();
    wanted.sort();
    assert_eq!(pool, wanted);
}

#[test]
fn version_3_has_one_parent_and_one_small_child() {
    let chain = chain();
    let (one, two) = (fund(&chain, ME, 100_000), fund(&chain, ME, 100_000));
    let parent = Spend::new(&[&one])
        .version(3)
        .pay(&ME, 40_000)
        .pay_rest(&ME, 1000)
        .sign();
    parent.send(&chain);
    let violation = |spend: &Spend, what: &str| {
        let (code, why) = spend.refused(&chain);
        assert_eq!(code, -26);
        assert!(
            why.starts_with("TRUC-violation, ") && why.contains(what),
            "{why}"
        );
    };
    let plain = Spend::new(&[&parent.coin(0, ME)])
        .pay_rest(&ME, 1000)
        .sign();
    violation(&plain, "cannot spend from version=3 tx");
    let child = Spend::new(&[&parent.coin(0, ME)])
        .version(3)
        .pay_rest(&ME, 1000)
        .sign();
    child.send(&chain);
    let grandchild = Spend::new(&[&child.coin(0, ME)])
        .version(3)
        .pay_rest(&ME, 1000)
        .sign();
    violation(&grandchild, "would have too many ancestors");
    // A sibling takes the child's place if it pays more.
    let cheap = Spend::new(&[&parent.coin(1, ME)])
        .version(3)
        .pay_rest(&ME, 1000)
        .sign();
    assert!(
        cheap.refused(&chain).1.starts_with("insufficient fee"),
        "no better than the sibling"
    );
    let sibling = Spend::new(&[&parent.coin(1, ME)])
        .version(3)
        .pay_rest(&ME, 3000)
        .sign();
    sibling.send(&chain);
    assert!(!chain.mempool().contains(&child.txid().to_string()));
    // And version 3 cannot build on something else.
    let other = Spend::new(&[&two]).pay_rest(&ME, 1000).sign();
    other.send(&chain);
    let child = Spend::new(&[&other.coin(0, ME)])
        .version(3)
        .pay_rest(&ME, 1000)
        .sign();
    violation(&child, "cannot spend from non-version=3 tx");
}

#[test]
fn an_ephemeral_anchor_comes_with_its_child() {
    let chain = chain();
    let (coin, fees) = (fund(&chain, ME, 100_000), fund(&chain, OTHER, 50_000));
    let paying = Spend::new(&[&coin])
        .version(3)
        .pay(&Lock::Anchor, 0)
        .pay_rest(&ME, 1000)
        .sign();
    assert_eq!(
        paying.refused(&chain),
        (-26, "dust, tx with dust output must be 0-fee".to_owned())
    );
    let parent = Spend::new(&[&coin])
        .version(3)
        .pay(&Lock::Anchor, 0)
        .pay_rest(&ME, 0)
        .sign();
    assert!(
        parent
            .refused(&chain)
            .1
            .starts_with("min relay fee not met")
    );
    let anchor: Coin = parent.coin(0, Lock::Anchor);
    let forgetful = Spend::new(&[&parent.coin(1, ME), &fees])
        .version(3)
        .pay_rest(&ME, 2000)
        .sign();
    let result = submit_package(&chain, &[&parent, &forgetful]);
    assert_eq!(result["package_msg"], "unspent-dust");
    let wtxid = forgetful.tx.compute_wtxid().to_string();
    let error = result["tx-results"][&wtxid]["error"].as_str().unwrap();
    assert!(error.starts_with("missing-ephemeral-spends"), "{error}");
    let child = Spend::new(&[&anchor, &fees])
        .version(3)
        .pay_rest(&ME, 2000)
        .sign();
    let result = submit_package(&chain, &[&parent, &child]);
    assert_eq!(result["package_msg"], "success", "{result}");
    chain.mine(1);
    assert!(chain.mempool().is_empty());
}
