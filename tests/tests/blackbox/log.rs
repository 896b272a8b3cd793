//! What the log shows, where, and what it never shows.

use std::fs;
use std::process::Command;

use bitcoin::hex::FromHex;
use ln_testkit::nodes::{LogMark, NodeOptions, TestNet, TestNode, wait_until};
use serde_json::json;

use crate::support::{Pair, invoice};

/// The whole lines of a log, and behind each that has bytes what they are as text.
fn everything(node: &TestNode) -> String {
    let mut all = String::new();
    for line in node.log().lines_after(LogMark::default()) {
        all.push_str(&line);
        all.push('\n');
        let bytes = line
            .split_once("[IN] ")
            .or_else(|| line.split_once("[OUT] "));
        if let Some((_, hex)) = bytes {
            let bytes = Vec::from_hex(hex).unwrap_or_else(|_| panic!("no hex: {line}"));
            all.push_str(&String::from_utf8_lossy(&bytes));
            all.push('\n');
        }
    }
    all
}

#[test]
fn bytes_are_shown_and_secrets_are_not() {
    let options = NodeOptions::default().argument("--log-level=io");
    let pair = Pair::start_with(options);
    let (l1, l2) = (&pair.l1, &pair.l2);
    let unpaid = "5ec2e7".repeat(11)[..64].to_owned();
    l2.call(
        "invoice",
        json!({"amount_msat": 1, "label": "kept", "description": "x", "preimage": unpaid}),
    );
    l2.call(
        "invoice",
        json!([1, "kept too", "x", null, null, unpaid.replace('5', "6")]),
    );
    let derived = l2.call("makesecret", json!({"string": "a test"}));
    let derived = derived["secret"].as_str().unwrap().to_owned();
    pair.pay(50_000, "shown");
    let paid = l2.call("listinvoices", json!({"label": "shown"}));
    let preimage = paid["invoices"][0]["payment_preimage"].as_str().unwrap();

    // update_add_htlc, and what fulfils it, to its last byte.
    l1.wait_log("-connectd: [OUT] 0080");
    let line = l1.wait_log("-connectd: [IN] 0082");
    assert!(
        line.contains(&format!("Z {}-connectd: ", l2.id())),
        "{line}"
    );
    assert!(line.ends_with(preimage), "{line}");
    l1.wait_log("-connectd: [OUT] 0010");
    let logs = l1.call("getlog", json!({"level": "io"}));
    let entries = logs["log"].as_array().unwrap();
    let fulfil = |entry: &&serde_json::Value| {
        entry["type"] == "IO_IN" && entry["data"].as_str().unwrap().starts_with("0082")
    };
    assert_eq!(entries.iter().find(fulfil).unwrap()["node_id"], l2.id());
    let about = l1.call("listpeers", json!({"id": l2.id(), "level": "io"}));
    let about = about["peers"][0]["log"].as_array().unwrap();
    assert!(about.iter().any(|entry| entry["type"] == "IO_OUT"));

    for node in [l1, l2] {
        let shown = everything(node);
        // Requests, answers, and what plugins are told.
        assert!(shown.contains("\"method\":\"getinfo\""));
        assert!(shown.contains("\"bitcoin-rpcpassword\":\"(masked)\""));
        assert!(shown.contains("\"method\":\"getrawblockbyheight\""));
        let file = fs::read(node.dir().join("regtest/hsm_secret")).unwrap();
        let words = String::from_utf8_lossy(&file[32..]).into_owned();
        assert!(words.split(' ').count() == 12, "a new secret has words");
        for secret in [&words, &unpaid, &unpaid.replace('5', "6"), &derived] {
            assert!(!shown.contains(secret.as_str()), "{secret} is in the log");
        }
    }
}

#[test]
fn words_to_recover_from_are_not_shown() {
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--log-level=io")
        .argument(format!("--recover={words}"));
    let node = net.node_with("l1", options);
    node.call("listconfigs", json!({}));
    node.call_err("recover", json!({"hsmsecret": words}));
    node.call_err("recover", json!([words]));
    let shown = everything(&node);
    assert!(shown.contains("\"method\":\"recover\""));
    assert!(!shown.contains("abandon abandon"));
    node.stop();
}

#[test]
fn what_nobody_shows_is_not_made() {
    let pair = Pair::start_with(NodeOptions::default().argument("--log-level=info"));
    pair.pay(1000, "one");
    for node in [&pair.l1, &pair.l2] {
        let kept = node.call("getlog", json!({"level": "io"}));
        let lines = kept["log"].as_array().unwrap();
        let debug = |line: &&serde_json::Value| line["type"] == "DEBUG";
        assert!(
            lines.iter().any(|line| debug(&line)),
            "debug lines are kept"
        );
        let wire = |line: &&serde_json::Value| {
            let text = line["log"].as_str().unwrap();
            text.starts_with("peer_in ")
                || text.starts_with("peer_out ")
                || line["data"].is_string()
        };
        assert_eq!(lines.iter().find(wire), None);
        let broken = node.call("getlog", json!({"level": "broken"}));
        assert_eq!(broken["log"], json!([]));
    }
}

#[test]
fn levels_are_for_subsystems_and_files() {
    let net = TestNet::start();
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("more").display().to_string();
    let options = NodeOptions::default()
        .argument("--log-level=info")
        .argument(format!("--log-file={file}"))
        .argument(format!("--log-level=io:jsonrpc:{file}"))
        .argument(format!("--log-level=broken::{file}"))
        .argument("--log-level=debug:gossipd");
    let node = net.node_with("l1", options);
    node.call("getinfo", json!({}));
    let first = fs::read_to_string(node.log().path()).unwrap();
    assert!(first.contains(" INFO    lightningd: "), "{first}");
    assert!(!first.contains(" DEBUG   connectd: "), "{first}");
    assert!(!first.contains("jsonrpc#"), "{first}");
    let second = fs::read_to_string(&file).unwrap();
    let ours = |line: &str| line.contains("Z jsonrpc#") || line.contains("**BROKEN**");
    assert!(second.lines().all(ours), "{second}");
    assert!(second.contains(": [IN] 7b"), "{second}");
}

#[test]
fn log_files_are_rotated_as_far_as_they_can_be() {
    let net = TestNet::start();
    let node = net.node("l1");
    let path = node.log().path().to_owned();
    let old = path.with_extension("old");
    fs::rename(&path, &old).unwrap();
    fs::create_dir(&path).unwrap();
    let hang_up = || {
        let pid = node.pid().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-HUP", &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    hang_up();
    wait_until("a word about the old file", || {
        let text = fs::read_to_string(&old).unwrap();
        text.contains("going on with the old one").then_some(())
    });
    fs::remove_dir(&path).unwrap();
    hang_up();
    node.wait_for("the new file", || {
        let text = fs::read_to_string(&path).ok()?;
        text.contains("Started log due to SIGHUP").then_some(())
    });
    assert!(!fs::read_to_string(&path).unwrap().starts_with('\n'));
    node.stop();
}

#[test]
fn what_peers_write_stays_one_short_line() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let alias = "a\u{202e}b";
    let l2 = net.node_with(
        "l2",
        NodeOptions::default().argument(format!("--alias={alias}")),
    );
    net.connect(&l1, &l2);
    l2.wait_log("alias a?b (color");
    invoice(&l2, 1, "l\u{7}\n2\u{200b}");
    let text = fs::read_to_string(l2.log().path()).unwrap();
    let unfit = |letter: &char| letter.is_control() && *letter != '\n';
    assert_eq!(text.chars().find(unfit), None);
    assert!(!text.contains('\u{202e}'));
}
