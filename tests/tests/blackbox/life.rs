//! Signals and ends.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, program, wait_until};
use serde_json::json;

use crate::support::{Pair, channel};

fn signal(pid: u32, name: &str) {
    let pid = pid.to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

fn ends_with_0(node: &TestNode) {
    let helpers = node.helpers();
    let status = node.wait_for_exit();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(!node.rpc_socket().exists());
    assert!(!node.dir().join("lightningd-regtest.pid").exists());
    wait_until("the end of the helpers", || {
        let runs = |pid| ln_testkit::nodes::process_is_running(pid);
        (!helpers.iter().any(|helper| runs(helper.pid))).then_some(())
    });
}

#[test]
fn signals_end_a_node_as_stop_does() {
    let net = TestNet::start();
    let node = net.node("l1");
    for name in ["-TERM", "-INT"] {
        let pid_file = fs::read_to_string(node.dir().join("lightningd-regtest.pid")).unwrap();
        assert_eq!(pid_file.trim(), node.pid().unwrap().to_string());
        signal(node.pid().unwrap(), name);
        ends_with_0(&node);
        node.start_again();
    }
    node.stop();
}

#[test]
fn a_second_signal_does_not_wait_for_plugins() {
    let net = TestNet::start();
    let dir = tempfile::TempDir::new().unwrap();
    let plugin = dir.path().join("clings.sh");
    // It wants to hear of the end, and does nothing about it.
    let script = r#"#!/bin/sh
while read -r line; do
  case "$line" in
    *getmanifest*) echo '{"jsonrpc":"2.0","id":'"$(echo "$line" | sed 's/.*"id":\("[^"]*"\|[0-9]*\).*/\1/')"',"result":{"options":[],"rpcmethods":[],"subscriptions":["shutdown"],"dynamic":true}}' ;;
    *'"init"'*) echo '{"jsonrpc":"2.0","id":'"$(echo "$line" | sed 's/.*"id":\("[^"]*"\|[0-9]*\).*/\1/')"',"result":{}}' ;;
  esac
done
"#;
    fs::write(&plugin, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&plugin, mode).unwrap();
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let node = net.node_with("l1", options);
    let mut helpers = node.helpers();
    helpers.retain(|helper| helper.name.starts_with("lightning_"));
    signal(node.pid().unwrap(), "-TERM");
    node.wait_log("shutting down");
    signal(node.pid().unwrap(), "-TERM");
    node.wait_log("told to end once more");
    let waited = std::time::Instant::now();
    ends_with_0(&node);
    // The plugin has 30 seconds, and a helper that hangs has 5.
    assert!(waited.elapsed() < std::time::Duration::from_secs(25));
    for helper in helpers {
        let process = format!("/proc/{}", helper.pid);
        assert!(!std::path::Path::new(&process).exists(), "{helper:?}");
    }
}

#[test]
fn a_node_that_waits_for_its_chain_can_be_ended() {
    let dir = tempfile::TempDir::new().unwrap();
    let log = dir.path().join("log");
    let mut child = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .arg(format!("--log-file={}", log.display()))
        .args([
            "--network=regtest",
            "--bitcoin-rpcport=1",
            "--log-level=debug",
        ])
        .args(["--bitcoin-rpcuser=x", "--bitcoin-rpcpassword=y"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("hsmd", || {
        let text = fs::read_to_string(&log).ok()?;
        text.contains("hsmd: pid ").then_some(())
    });
    signal(child.id(), "-TERM");
    let status = wait_until("the end", || child.try_wait().unwrap());
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert!(!dir.path().join("lightningd-regtest.pid").exists());
}

#[test]
fn a_node_that_asks_for_a_passphrase_can_be_ended() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut child = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .args([
            "--network=regtest",
            "--hsm-passphrase",
            "--log-level=broken",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 5];
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"Enter");
    signal(child.id(), "-INT");
    let status = wait_until("the end", || child.try_wait().unwrap());
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert!(!dir.path().join("regtest/hsm_secret").exists());
}

#[test]
fn a_terminal_that_is_gone_is_no_reason_to_crash() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = Command::new(program("lightningd"))
        .arg("--no-such-option=1")
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[test]
fn graceful_lets_go_of_idle_peers_and_waits_for_htlcs() {
    let pair = Pair::start_with(NodeOptions::default().argument("--dev-mpp-timeout=15"));
    let (l1, l2) = (&pair.l1, &pair.l2);
    let hold = |node: &TestNode| {
        let reply = node.call("listpeerchannels", json!({}));
        reply["channels"][0]["htlcs"].as_array().unwrap().clone()
    };
    // An invoice of two parts, one of which comes.
    let invoice = crate::support::invoice(l2, 20_000, "in parts");
    let route = json!([{
        "id": l2.id(), "channel": pair.open.short_channel_id, "amount_msat": 10_000, "delay": 15,
    }]);
    l1.call(
        "sendpay",
        json!({
            "route": route, "payment_hash": invoice["payment_hash"], "amount_msat": 20_000, "partid": 1,
            "payment_secret": invoice["payment_secret"], "bolt11": invoice["bolt11"],
        }),
    );
    let expiry = l2.wait_for("the HTLC", || Some(hold(l2).first()?["expiry"].clone()));
    let left = l2.call("graceful", json!({"timeout": 0}));
    assert_eq!(left["pending_htlc_expiries"], json!([expiry]), "{left}");
    assert_eq!(left["pending_peers"], json!([l1.id()]), "{left}");
    // The part is given back after fifteen seconds, and then nothing is left.
    assert_eq!(l2.call("graceful", json!({})), json!({}));
    assert!(channel(l2, &pair.open.channel_id).is_some());
    let peers = l2.call("listpeers", json!({}));
    assert!(
        peers["peers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|peer| peer["connected"] == false)
    );
    // Who comes again is sent away.
    drop(l1.try_call(
        "connect",
        json!({"id": l2.id(), "host": "127.0.0.1", "port": l2.port()}),
    ));
    l2.wait_log("Peer has reconnected, but gracefully shutting down");
    l2.restart();
    pair.wait_quiet();
    pair.pay(10_000, "again");
}
