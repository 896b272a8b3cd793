//! How the node hears of blocks, and what it does when the chain backend is late, away or not what it should be.

use std::fs;
use std::process::{Command, Output};

use ln_testkit::nodes::{NodeOptions, TestNet, program};
use serde_json::json;

use crate::chain_proxy::ChainProxy;

/// What the log says when the backend tells of a tip.
fn told_of(hash: &str) -> String {
    format!("the chain backend's tip is {hash}")
}

fn tip(net: &TestNet) -> String {
    let hash = net.chain.call("getbestblockhash", json!([]));
    hash.as_str().unwrap().to_owned()
}

#[test]
fn a_block_is_told_of_when_it_comes() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    l1.wait_log(&told_of(&tip(&net)));
    for _ in 0..3 {
        let hashes = net.chain.mine(1);
        l1.wait_log(&told_of(&hashes[0]));
        net.wait_synced(&[&l1]);
    }
    // Back, and on another way.
    let replaced = tip(&net);
    net.chain.call("invalidateblock", json!([replaced]));
    net.mine(2, &[&l1]);
    l1.wait_log(&told_of(&tip(&net)));
    l1.wait_log("was replaced: going back");
}

#[test]
fn who_sets_an_interval_gets_polling_only() {
    let net = TestNet::start();
    let polls = NodeOptions::default().argument("--dev-bitcoind-poll=1");
    let l1 = net.node_with("l1", polls);
    net.mine(3, &[&l1]);
    assert_eq!(l1.log().all_with(&told_of("")), Vec::<String>::new());
}

#[test]
fn a_backend_that_cannot_tell_is_polled() {
    let net = TestNet::start();
    let proxy = ChainProxy::start(net.chain.port(), |method| match method {
        "waitfornewblock" => Some(json!({"code": -32601, "message": "Method not found"})),
        _ => None,
    });
    let through = NodeOptions::default().argument(format!("--bitcoin-rpcport={}", proxy.port()));
    let l1 = net.node_with("l1", through);
    l1.wait_log("has no waitblockchange: polling");
    net.mine(1, &[&l1]);
    net.mine(1, &[&l1]);
    assert_eq!(l1.log().all_with(&told_of("")), Vec::<String>::new());
}

#[test]
fn a_chain_that_restarts_is_followed_on() {
    let mut net = TestNet::start();
    let l1 = net.node("l1");
    net.chain.stop_and_restart().unwrap();
    let hashes = net.chain.mine(1);
    net.wait_synced(&[&l1]);
    l1.wait_log(&hashes[0]);
    net.chain.kill_and_restart().unwrap();
    net.mine(1, &[&l1]);
    let hashes = net.chain.mine(1);
    l1.wait_log(&told_of(&hashes[0]));
}

/// bitcoind answers -28 and what it does while it starts.
#[test]
fn a_chain_that_is_starting_is_waited_for() {
    let net = TestNet::start();
    let mut refusals = 3;
    let proxy = ChainProxy::start(net.chain.port(), move |_| {
        refusals = i32::max(refusals - 1, 0);
        (refusals > 0).then(|| json!({"code": -28, "message": "Loading block index…"}))
    });
    let through = NodeOptions::default().argument(format!("--bitcoin-rpcport={}", proxy.port()));
    let l1 = net.node_with("l1", through);
    net.mine(1, &[&l1]);
}

/// Runs a node that should give up.
fn run(net: &TestNet, arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .arg("--network=regtest")
        .arg(format!("--bitcoin-rpcport={}", net.chain.port()))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn a_wrong_password_or_cookie_ends_the_start_with_the_reason() {
    let net = TestNet::start();
    let output = run(
        &net,
        &["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=wrong"],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = format!("{output:?}");
    assert!(said.contains("refuses our user and password"), "{said}");

    let datadir = tempfile::tempdir().unwrap();
    fs::create_dir(datadir.path().join("regtest")).unwrap();
    fs::write(datadir.path().join("regtest/.cookie"), "__cookie__:old").unwrap();
    let datadir = format!("--bitcoin-datadir={}", datadir.path().display());
    let said = format!("{:?}", run(&net, &[&datadir]));
    assert!(said.contains("refuses our user and password"), "{said}");
}
