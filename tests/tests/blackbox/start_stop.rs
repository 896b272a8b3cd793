//! Starting, looking around, stopping.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use ln_testkit::nodes::{HelperProcess, NodeOptions, TestNet, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// None of these helpers is left, not even for a moment.
fn assert_ended(helpers: &[HelperProcess]) {
    assert!(helpers.len() >= 3, "{helpers:?}");
    for helper in helpers {
        let process = format!("/proc/{}", helper.pid);
        assert!(!Path::new(&process).exists(), "{helper:?} runs");
    }
}

#[test]
fn when_stop_is_answered_no_helper_runs_and_the_port_is_free() {
    let pair = crate::support::Pair::start();
    let address = ("127.0.0.1", pair.l1.port());
    for _ in 0..3 {
        let helpers = pair.l1.helpers();
        let channeld = |helper: &HelperProcess| helper.name.ends_with("channeld");
        assert!(helpers.iter().any(channeld), "{helpers:?}");
        pair.l1.call("stop", json!({}));
        assert_ended(&helpers);
        drop(TcpListener::bind(address).expect("the port is free"));
        assert!(pair.l1.wait_for_exit().success());
        let mut unusual = pair.l1.log().all_with("UNUSUAL");
        unusual.retain(|line| !line.contains("created new hsm_secret"));
        assert_eq!(unusual, [""; 0]);
        pair.l1.start_again();
        pair.l1.wait_for("channeld", || pair.l1.helper("channeld"));
    }
}

#[test]
fn a_helper_that_hangs_is_killed_at_the_end() {
    let pair = crate::support::Pair::start();
    let helpers = pair.l1.helpers();
    let hanging = pair.l1.helper("connectd").unwrap();
    hanging.pause();
    pair.l1.call("stop", json!({}));
    assert_ended(&helpers);
    assert!(pair.l1.wait_for_exit().success());
    let killed = pair.l1.log().all_with(" seconds: killed");
    let [line] = &killed[..] else {
        panic!("one was killed: {killed:?}");
    };
    assert!(
        line.contains("UNUSUAL connectd: did not end within"),
        "{line}"
    );
}

#[test]
fn when_stop_is_answered_the_directory_can_be_copied() {
    let net = TestNet::start();
    let node = net.node("alice");
    let dir = node.dir().join("regtest");
    let mode = fs::metadata(dir.join("lightningd.sqlite3"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    for _ in 0..3 {
        node.call("stop", json!({}));
        let names = |dir: &Path| -> Vec<String> {
            let entries = fs::read_dir(dir).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        };
        let left = [names(&dir), names(node.dir())].concat();
        let of_running = |name: &String| {
            name.ends_with("-wal")
                || name.ends_with("-shm")
                || name == "lightningd-regtest.pid"
                || name == "lightning-rpc"
        };
        assert!(!left.iter().any(of_running), "{left:?}");
        node.wait_for_exit();
        node.start_again();
    }
}

#[test]
fn a_node_shows_itself_and_stops_when_asked() {
    let net = TestNet::start();
    let node = net.node_with("alice", NodeOptions::default().argument("--rgb=0a0b0c"));
    let info = node.call("getinfo", json!({}));
    assert_eq!(info["alias"], "alice");
    assert_eq!(info["color"], "0a0b0c");
    assert_eq!(info["network"], "regtest");
    assert_eq!(info["blockheight"], net.chain.height());
    assert_eq!(info["num_peers"], 0);
    let help = node.call("help", json!({}));
    let commands: Vec<&str> = help["help"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|line| line["command"].as_str())
        .collect();
    for method in [
        "getinfo",
        "connect",
        "fundchannel",
        "invoice",
        "pay",
        "close",
        "withdraw",
    ] {
        assert!(
            commands
                .iter()
                .any(|line| line.split(' ').next() == Some(method)),
            "{method}"
        );
    }
    for method in [
        "listpeers",
        "listpeerchannels",
        "listfunds",
        "listinvoices",
        "listpays",
        "listsendpays",
        "listchannels",
        "listnodes",
        "listconfigs",
        "feerates",
        "getlog",
    ] {
        let params = if method == "feerates" {
            json!({"style": "perkw"})
        } else {
            json!({})
        };
        node.call(method, params);
    }
    assert!(!node.helpers().is_empty());
    node.stop();
    node.start_again();
    assert_eq!(node.call("getinfo", json!({}))["id"], info["id"]);
    node.stop();
}

#[test]
fn version_and_help_need_no_node() {
    let run = |arguments: &[&str]| {
        let output = Command::new(program("lightningd"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    };
    let version = run(&["--version"]);
    assert!(version.starts_with("v26.06"), "{version}");
    assert_eq!(version.lines().count(), 1);
    let help = run(&["--help"]);
    assert!(help.contains("--lightning-dir") && !help.contains("--dev-"));
    assert!(run(&["--help", "--developer"]).contains("--dev-fast-gossip"));
    assert!(run(&["--list-features-only"]).contains("option_static_remotekey"));
}

#[test]
fn a_second_node_in_the_same_directory_is_refused() {
    let net = TestNet::start();
    let node = net.node("l1");
    let second = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", node.dir().display()))
        .arg("--network=regtest")
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(11), "{second:?}");
    node.call("getinfo", json!({}));
}

#[test]
fn a_run_that_did_not_end_by_itself_is_told_of_at_the_next_start() {
    let net = TestNet::start();
    let node = net.node("l1");
    let told = || node.log().all_with("ended without being stopped");
    node.stop();
    node.start_again();
    assert_eq!(told(), [""; 0]);
    let mut count = 0;
    for signal in [Signal::ABORT, Signal::KILL] {
        let pid = node.pid().unwrap();
        let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
        kill_process(process.unwrap(), signal).unwrap();
        let status = node.wait_for_exit();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        node.start_again();
        count += 1;
        assert_eq!(told().len(), count);
        let line = told().remove(count - 1);
        let words = format!("UNUSUAL lightningd: the last run (process {pid}) ended");
        assert!(line.contains(&words), "{line}");
        node.restart();
        assert_eq!(told().len(), count);
    }
}

#[test]
fn a_node_killed_at_the_start_comes_up_with_the_same_key_and_addresses() {
    let net = TestNet::start();
    let node = net.node("l1");
    let first: Value = node.call("newaddr", json!({}));
    let id = node.id().to_owned();
    for _ in 0..3 {
        node.kill();
        node.start_again();
    }
    assert_eq!(node.call("getinfo", json!({}))["id"], json!(id));
    let next = node.call("newaddr", json!({}));
    assert_ne!(first["p2tr"], next["p2tr"], "an address is handed out once");
}
