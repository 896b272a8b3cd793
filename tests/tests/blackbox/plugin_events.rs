//! What plugins hear of a node's life: each topic where it belongs, in the published shape.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, wait_until};
use ln_testkit::schemas;
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, write_plugin};
use crate::support::{invoice, send};

/// A plugin that hears everything.
pub(crate) fn listener(dir: &Path) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({"subscriptions": ["*", "shutdown"]})),
        branches: "shutdown) exit 0 ;;",
    };
    write_plugin(dir, "listener", &script)
}

fn node(net: &TestNet, name: &str, dir: &TempDir) -> (TestNode, PathBuf) {
    let plugin = listener(dir.path());
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    (net.node_with(name, options), plugin)
}

/// All that was told of a topic.
pub(crate) fn told(plugin: &Path, topic: &str) -> Vec<Value> {
    let mut all = heard(plugin);
    all.retain(|message| message["method"] == topic);
    let fields = |message: Value| message["params"][topic].clone();
    all.into_iter().map(fields).collect()
}

/// Waits until something with these fields is told of a topic.
pub(crate) fn wait_told(plugin: &Path, topic: &str, fields: &Value) -> Value {
    let wanted = fields.as_object().unwrap();
    wait_until(&format!("{topic} with {fields}"), || {
        let mut all = told(plugin, topic).into_iter();
        all.find(|told| wanted.iter().all(|(name, value)| told[name] == *value))
    })
}

/// Every notification fits its schema; the topics there were.
pub(crate) fn check_all(plugin: &Path) -> BTreeSet<String> {
    let mut topics = BTreeSet::new();
    for message in heard(plugin)
        .iter()
        .filter(|message| message["id"].is_null())
    {
        let topic = message["method"].as_str().unwrap();
        let fields = &message["params"][topic];
        schemas::check_notification(topic, fields).assert(&message.to_string());
        topics.insert(topic.to_owned());
    }
    topics
}

/// What two nodes that open a channel, pay, close and part tell, one or the other.
const EVERYDAY: &[&str] = &[
    "balance_snapshot",
    "block_added",
    "channel_opened",
    "channel_state_changed",
    "coin_movement",
    "connect",
    "custommsg",
    "disconnect",
    "invoice_creation",
    "invoice_payment",
    "sendpay_failure",
    "sendpay_success",
    "shutdown",
];

/// Waits until both sides, the payer first, are told what the channel's account began with and that five satoshis moved.
fn wait_moved(plugins: [&Path; 2], account: &str) {
    for (plugin, gained) in plugins.into_iter().zip(["debit_msat", "credit_msat"]) {
        let opened =
            json!({"type": "chain_mvt", "primary_tag": "channel_open", "account_id": account});
        wait_told(plugin, "coin_movement", &opened);
        let moved = json!({"type": "channel_mvt", "account_id": account, gained: 5_000, "tags": ["invoice"]});
        wait_told(plugin, "coin_movement", &moved);
    }
}

#[test]
fn a_channels_life_is_told_on_both_sides() {
    let net = TestNet::start();
    let (dir1, dir2) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (l1, plugin1) = node(&net, "l1", &dir1);
    let (l2, plugin2) = node(&net, "l2", &dir2);
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let connected = wait_told(
        &plugin1,
        "connect",
        &json!({"id": l2.id(), "direction": "out"}),
    );
    assert_eq!(connected["address"]["port"], l2.port());
    wait_told(
        &plugin2,
        "connect",
        &json!({"id": l1.id(), "direction": "in"}),
    );
    let opened = wait_told(&plugin2, "channel_opened", &json!({"id": l1.id()}));
    assert_eq!(opened["funding_msat"], 1_000_000_000);
    for (plugin, cause) in [(&plugin1, "user"), (&plugin2, "remote")] {
        let lockin = json!({"new_state": "CHANNELD_AWAITING_LOCKIN", "cause": cause});
        let first = wait_told(plugin, "channel_state_changed", &lockin);
        assert_eq!(first["channel_id"], open.channel_id.as_str());
        let normal =
            json!({"old_state": "CHANNELD_AWAITING_LOCKIN", "new_state": "CHANNELD_NORMAL"});
        let normal = wait_told(plugin, "channel_state_changed", &normal);
        assert_eq!(normal["short_channel_id"], open.short_channel_id.as_str());
        wait_told(
            plugin,
            "block_added",
            &json!({"height": net.chain.height()}),
        );
    }

    let bill = invoice(&l2, 5_000, "one");
    wait_told(
        &plugin2,
        "invoice_creation",
        &json!({"label": "one", "msat": 5_000}),
    );
    send(&l1, &l2, &open, &bill, 5_000);
    wait_told(
        &plugin2,
        "invoice_payment",
        &json!({"label": "one", "msat": 5_000}),
    );
    let paid = json!({"payment_hash": bill["payment_hash"], "status": "complete"});
    wait_told(&plugin1, "sendpay_success", &paid);
    wait_moved([&plugin1, &plugin2], &open.channel_id);
    // A hash that nobody knows.
    let mut strange = bill.clone();
    strange["payment_hash"] = json!("ab".repeat(32));
    send(&l1, &l2, &open, &strange, 5_000);
    let failed = wait_told(&plugin1, "sendpay_failure", &json!({}));
    assert_eq!(failed["data"]["failcode"], 0x400f);

    let word = json!({"node_id": l2.id(), "msg": "9fff01"});
    l1.call("sendcustommsg", word);
    let heard = json!({"peer_id": l1.id(), "payload": "9fff01"});
    wait_told(&plugin2, "custommsg", &heard);
    l1.call("close", json!({"id": l2.id()}));
    for plugin in [&plugin1, &plugin2] {
        let closed = json!({"new_state": "CLOSINGD_COMPLETE"});
        wait_told(plugin, "channel_state_changed", &closed);
    }
    l2.stop();
    wait_told(&plugin1, "disconnect", &json!({"id": l2.id()}));
    let mut topics = check_all(&plugin1);
    topics.extend(check_all(&plugin2));
    for topic in EVERYDAY {
        assert!(topics.contains(*topic), "{topic}: {topics:?}");
    }
}

#[test]
fn plugins_hear_of_each_others_life() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let (l1, plugin) = node(&net, "l1", &dir);
    let script = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "nothing", "usage": ""}]})),
        branches: "nothing) reply '{}' ;;",
    };
    let other = write_plugin(dir.path(), "other", &script);
    let path = other.display().to_string();
    l1.call("plugin", json!(["start", path]));
    let fields = json!({"plugin_name": "other", "plugin_path": path, "methods": ["nothing"]});
    wait_told(&plugin, "plugin_started", &fields);
    l1.call("plugin", json!(["stop", path]));
    wait_told(&plugin, "plugin_stopped", &fields);
    check_all(&plugin);
}

#[test]
fn a_plugin_hears_before_a_request_that_sees_deprecated_things_otherwise() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let script = Script {
        manifest: manifest(json!({
            "rpcmethods": [{"name": "nothing", "usage": ""}],
            "subscriptions": ["deprecated_oneshot"],
        })),
        branches: "nothing) reply '{}' ;;",
    };
    let plugin = write_plugin(dir.path(), "plugin", &script);
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let l1 = net.node_with("l1", options);
    l1.call("nothing", json!({}));
    assert!(told(&plugin, "deprecated_oneshot").is_empty());
    let mut client = ln_rpc::client::Client::connect(&l1.rpc_socket()).unwrap();
    client
        .call("deprecations", &json!({"enable": false}))
        .unwrap();
    client.call("nothing", &json!({})).unwrap();
    wait_told(
        &plugin,
        "deprecated_oneshot",
        &json!({"deprecated_ok": false}),
    );
    check_all(&plugin);
}

#[test]
fn the_balances_at_the_start_are_told_by_account() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let (l1, plugin) = node(&net, "l1", &dir);
    let l2 = net.node("l2");
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    // An unconfirmed coin counts as little as a channel that waits for its funding.
    let address = l1.call("newaddr", json!({}))["p2tr"].clone();
    net.chain.send(address.as_str().unwrap(), "0.5");
    let before = told(&plugin, "balance_snapshot").len();
    l1.restart();
    let snapshot = wait_until("the balances after the restart", || {
        told(&plugin, "balance_snapshot").into_iter().nth(before)
    });
    let wallet = crate::support::confirmed_msat(&l1);
    let account = |name: &str, msat: u64| json!({"account_id": name, "balance_msat": msat, "coin_type": "bcrt"});
    let expected = json!([
        account("wallet", wallet),
        account(&open.channel_id, 1_000_000_000)
    ]);
    assert_eq!(snapshot["accounts"], expected);
    assert_eq!(snapshot["node_id"], l1.id());
    assert_eq!(snapshot["blockheight"], net.chain.height());
    check_all(&plugin);
}

#[test]
fn whoever_hears_of_everything_has_time_to_end() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    // It takes longer than plugins have that nobody waits for: until the test lets it go.
    let script = Script {
        manifest: manifest(json!({"subscriptions": ["*"]})),
        branches: r#"shutdown) until [ -e "$0.go" ]; do sleep 0.1; done; touch "$0.done"; exit 0 ;;"#,
    };
    let plugin = write_plugin(dir.path(), "slow", &script);
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let l1 = net.node_with("l1", options);
    let beside = |end: &str| PathBuf::from(format!("{}.{end}", plugin.display()));
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| l1.stop());
        wait_told(&plugin, "shutdown", &json!({}));
        std::fs::write(beside("go"), "").unwrap();
        stopping.join().unwrap();
    });
    assert!(beside("done").exists());
}
