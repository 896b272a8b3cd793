//! The chain backend is another than the node's, or has not caught up.

use std::fs;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use ln_rpc::client::Client;
use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, program, wait_until};
use serde_json::{Value, json};

use crate::chain_proxy::ChainProxy;

/// What the proxy makes of `getblockchaininfo`.
type Lies = Arc<Mutex<Vec<(&'static str, Value)>>>;

fn lie(lies: &Lies, members: &[(&'static str, Value)]) {
    *lies.lock().unwrap() = members.to_vec();
}

fn lying_proxy(net: &TestNet) -> (ChainProxy, Lies) {
    let lies = Lies::default();
    let told = Arc::clone(&lies);
    let proxy = ChainProxy::changing(net.chain.port(), move |method, result| {
        if method == "getblockchaininfo" {
            for (name, value) in told.lock().unwrap().iter() {
                result[*name] = value.clone();
            }
        }
    });
    (proxy, lies)
}

/// Starts the node's program on its directory with a chain at another port, where it should give up.
pub(crate) fn start_in_vain(node: &TestNode, chain_port: u16, more: &[&str]) -> String {
    let output: Output = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", node.dir().display()))
        .args(["--network=regtest", "--autolisten=false"])
        .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
        .arg(format!("--bitcoin-rpcport={chain_port}"))
        .args(more)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn database(node: &TestNode) -> Vec<u8> {
    fs::read(node.dir().join("regtest/lightningd.sqlite3")).unwrap()
}

/// What must survive.
fn funds(node: &TestNode) -> Value {
    node.call("listfunds", json!({}))
}

#[test]
fn a_backend_of_another_network_is_refused_and_nothing_is_lost() {
    let net = TestNet::start();
    let (proxy, lies) = lying_proxy(&net);
    let through = NodeOptions::default().argument(format!("--bitcoin-rpcport={}", proxy.port()));
    let l1 = net.node_with("l1", through);
    net.fund(&l1, ln_types::Sat::from_sat(1_000_000));
    let before = funds(&l1);
    l1.stop();
    let kept = database(&l1);
    for chain in ["main", "test", "testnet4", "signet", "liquidv1"] {
        lie(&lies, &[("chain", json!(chain))]);
        let said = start_in_vain(&l1, proxy.port(), &[]);
        let expected = format!("the chain backend is on chain '{chain}', this node on 'regtest'");
        assert!(said.contains(&expected), "{said}");
    }
    assert!(database(&l1) == kept, "the database has changed");
    lie(&lies, &[]);
    l1.start_again();
    net.wait_synced(&[&l1]);
    assert_eq!(funds(&l1), before);
}

#[test]
fn another_chain_of_the_same_name_is_refused_and_nothing_is_lost() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    net.fund(&l1, ln_types::Sat::from_sat(1_000_000));
    // More than a reorganisation could replace.
    net.mine(130, &[&l1]);
    let before = funds(&l1);
    l1.stop();
    let kept = database(&l1);
    let other = TestNet::start();
    let said = start_in_vain(&l1, other.chain.port(), &[]);
    assert!(said.contains("gone backwards"), "{said}");
    other.chain.mine(200);
    let said = start_in_vain(&l1, other.chain.port(), &[]);
    assert!(
        said.contains("another chain of the name 'regtest'"),
        "{said}"
    );
    assert!(database(&l1) == kept, "the database has changed");
    l1.start_again();
    net.mine(1, &[&l1]);
    assert_eq!(funds(&l1), before);
}

/// A node on a chain that calls itself signet: on regtest nobody minds a chain that stands still.
struct Signet {
    dir: tempfile::TempDir,
    process: std::process::Child,
}

impl Signet {
    fn start(chain_port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let process = Command::new(program("lightningd"))
            .arg(format!("--lightning-dir={}", dir.path().display()))
            .args(["--network=signet", "--autolisten=false", "--developer"])
            .arg("--dev-bitcoind-poll=1")
            .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
            .arg(format!("--bitcoin-rpcport={chain_port}"))
            .arg(format!("--log-file={}/log", dir.path().display()))
            .spawn()
            .unwrap();
        Self { dir, process }
    }

    fn wait_info(&self, what: &str, check: impl Fn(&Value) -> bool) -> Value {
        let socket = self.dir.path().join("signet/lightning-rpc");
        wait_until(what, || {
            let mut client = Client::connect(&socket).ok()?;
            let info: Value = client.call("getinfo", &json!({})).ok()?;
            check(&info).then_some(info)
        })
    }

    fn wait_log(&self, text: &str) {
        let log = self.dir.path().join("log");
        wait_until(text, || {
            let log = fs::read_to_string(&log).ok()?;
            log.contains(text).then_some(())
        });
    }
}

impl Drop for Signet {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

#[test]
fn a_backend_that_has_not_caught_up_is_told_of_until_it_has() {
    let net = TestNet::start();
    let (proxy, lies) = lying_proxy(&net);
    let signet = ("chain", json!("signet"));
    let downloading = ("initialblockdownload", json!(true));
    let done = ("initialblockdownload", json!(false));
    lie(&lies, &[signet.clone(), downloading]);
    let node = Signet::start(proxy.port());
    let warned = |info: &Value| !info["warning_bitcoind_sync"].is_null();
    let info = node.wait_info("a warning", warned);
    assert_eq!(info["network"], "signet");
    let text = "Bitcoind is not up-to-date with network.";
    assert_eq!(info["warning_bitcoind_sync"], text);
    node.wait_log("Waiting for initial block download");
    // Blocks are still missing.
    lie(
        &lies,
        &[signet.clone(), done.clone(), ("headers", json!(5000))],
    );
    node.wait_info("the warning", warned);
    lie(&lies, &[signet.clone(), done.clone()]);
    node.wait_info("no warning", |info| {
        !warned(info) && info["warning_lightningd_sync"].is_null()
    });
    node.wait_log("Bitcoin backend now synced.");
    lie(&lies, &[signet, done, ("headers", json!(5000))]);
    node.wait_info("the warning", warned);
    node.wait_log("Waiting for bitcoind to catch up: it has 101 of 5000 blocks");
}
