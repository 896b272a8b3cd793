//! What helpers may not do, though somebody takes them over.

use std::fs;

use ln_testkit::nodes::{NodeOptions, OpenChannel, TestNet, TestNode};
use ln_types::Sat;
use serde_json::json;

use crate::support::Pair;

/// All that run while a channel is in use.
const RUNNING: &[&str] = &["hsmd", "connectd", "gossipd", "channeld"];

/// A line of `/proc/PID/status`.
fn status(pid: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {status}"));
    value.trim_start_matches(':').trim().to_owned()
}

#[test]
fn every_helper_of_a_running_node_is_confined_and_lightningd_is_not() {
    let pair = Pair::start();
    for name in RUNNING {
        let helper = pair.l1.helper(name).unwrap();
        assert_eq!(status(helper.pid, "NoNewPrivs"), "1", "{name}");
        assert_eq!(status(helper.pid, "Seccomp"), "2", "{name}");
        assert_eq!(status(helper.pid, "Threads"), "1", "{name}");
        let limits = fs::read_to_string(format!("/proc/{}/limits", helper.pid));
        // Only developers may look at a process that is not dumpable.
        if let Ok(limits) = limits {
            let core = limits.lines().find(|line| line.starts_with("Max core"));
            let words: Vec<_> = core.unwrap().split_whitespace().collect();
            assert_eq!(words[4..6], ["0", "0"], "{name}: {limits}");
        }
        let line = pair.l1.wait_log("sandbox: no new privileges");
        assert!(line.contains("seccomp"), "{line}");
        assert!(!line.contains("UNUSUAL"), "{line}");
    }
    assert_eq!(status(pair.l1.pid().unwrap(), "Seccomp"), "0");
    // What they need is left to them.
    pair.pay(10_000, "confined");
}

#[test]
fn a_developer_can_do_without() {
    let pair = Pair::start_with(NodeOptions::default().argument("--dev-no-sandbox"));
    for name in RUNNING {
        let helper = pair.l1.helper(name).unwrap();
        assert_eq!(status(helper.pid, "NoNewPrivs"), "0", "{name}");
        assert_eq!(status(helper.pid, "Seccomp"), "0", "{name}");
    }
    pair.l1.wait_log("sandbox: off");
    pair.pay(10_000, "free");
}

/// A node whose helper tries to get out as soon as it is confined.
fn breaking_out(net: &TestNet, helper: &str, how: &str) -> TestNode {
    let mut options = NodeOptions::default().argument(format!("--dev-break-out={helper}:{how}"));
    if how != "all" {
        options = options.allow_complaint(format!("{helper}-"));
    }
    net.node_with(&format!("{helper}-{how}"), options)
}

/// What it tried in this run was refused: all of it.
fn must_be_refused(node: &TestNode, helper: &str) {
    let tried = if helper == "connectd" { 15 } else { 18 };
    let lines = node.wait_for("all attempts", || {
        let lines = node.log().all_with("break-out: could ");
        let rest = lines
            .len()
            .checked_sub(tried)
            .filter(|rest| rest % tried == 0)?;
        lines.get(rest..).map(<[String]>::to_vec)
    });
    for line in lines {
        // Not because it is not there, or nobody listens.
        let by_sandbox = ["(os error 1)", "(os error 13)", "(os error 38)"];
        let by_sandbox = by_sandbox.iter().any(|error| line.ends_with(error));
        let refused = line.contains("could not");
        assert!(refused && by_sandbox, "{helper}: {line}");
    }
}

/// What the attempts aim at, before a helper is started.
fn bait(node: &TestNode) {
    let dir = node.dir().join("regtest");
    for name in ["hsm_secret", "lightningd.sqlite3"] {
        assert!(dir.join(name).exists(), "{name}");
    }
    fs::write(dir.join("victim"), "harmless").unwrap();
}

#[test]
fn a_helper_of_the_whole_node_gets_at_nothing() {
    let net = TestNet::start();
    for helper in ["hsmd", "connectd", "gossipd"] {
        let node = breaking_out(&net, helper, "all");
        bait(&node);
        // Once more, now that there is all to be had.
        node.restart();
        node.wait_log("break-out: ");
        must_be_refused(&node, helper);
        let dir = node.dir().join("regtest");
        assert!(dir.join("victim").exists() && !dir.join("broken-out").exists());
        node.stop();
    }
}

/// Opens a channel from this node to another.
fn open(net: &TestNet, node: &TestNode) -> (TestNode, OpenChannel) {
    let other = net.node("other");
    let channel = net.open_channel(node, &other, Sat::from_sat(1_000_000));
    (other, channel)
}

#[test]
fn a_helper_of_a_channel_gets_at_nothing() {
    let net = TestNet::start();
    for helper in ["openingd", "channeld", "closingd", "onchaind"] {
        let node = breaking_out(&net, helper, "all");
        bait(&node);
        let (other, channel) = open(&net, &node);
        if helper == "closingd" {
            node.call("close", json!([channel.channel_id]));
        }
        if helper == "onchaind" {
            other.kill();
            node.call("close", json!([channel.channel_id, 1]));
            net.wait_mempool(1);
            net.mine(1, &[&node]);
        }
        node.wait_log("break-out: ");
        must_be_refused(&node, helper);
    }
}

#[test]
fn who_starts_a_program_is_ended_and_the_channel_goes_on() {
    let net = TestNet::start();
    for how in ["exec", "fork"] {
        let node = breaking_out(&net, "openingd", how);
        let other = net.node(&format!("other-{how}"));
        net.fund(&node, Sat::from_sat(1_000_000));
        net.connect(&node, &other);
        let (_, message) = node.call_err("fundchannel", json!([other.id(), 500_000]));
        assert!(message.contains("SIGSYS"), "{message}");
        assert!(message.contains("sandbox"), "{message}");
        node.call("getinfo", json!({}));
    }
}
