//! docs/book/src/plugins/messages.md shows what lightningd says to plugins: every message of a node has the members that the page shows, and no others.
//!
//! With `RECORD_MESSAGES` naming a file, what was said is written there, one message a line: from that the page was made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, wait_heard, write_plugin, write_program};
use crate::support::{invoice, send};

/// What the page shows and this test does not provoke.
const NOT_SAID: &[&str] = &[
    "notification forward_event",
    "request commitment_revocation",
    "request db_write",
    "request recover",
];

/// Members that are there sometimes, and not in this test.
const SOMETIMES: &[&str] = &[
    "init params.configuration.proxy",
    "init params.configuration.torv3-enabled",
    "init params.configuration.always_use_proxy",
    "peer_connected params.peer.remote_addr",
    "openchannel params.openchannel.shutdown_scriptpubkey",
    "htlc_accepted params.onion.short_channel_id",
    "htlc_accepted params.onion.next_node_id",
    "htlc_accepted params.onion.payment_metadata",
    "htlc_accepted params.forward_to",
    "htlc_accepted params.htlc.extra_tlvs",
    "rpc_command params.rpc_command.filter",
    // There are several kinds.
    "coin_movement params.coin_movement.",
];

/// Below these anything may stand.
const FREE: &[&str] = &[
    "init params.options",
    "rpc_command params.rpc_command.params",
    "rpc_command params.rpc_command.filter",
    "demo params",
    "demo_told params",
];

/// The page.
fn page() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/book/src/plugins/messages.md"
    );
    fs::read_to_string(path).unwrap()
}

/// The blocks of JSON on it that are messages of lightningd's.
fn shown() -> Vec<Value> {
    let page = page();
    let blocks = page.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let blocks = blocks.map(|block| serde_json::from_str::<Value>(block).expect(block));
    let said_by_plugins = ["log", "message", "progress"];
    let is_ours = |message: &Value| {
        let method = message["method"].as_str();
        let by_plugin = method.is_some_and(|method| said_by_plugins.contains(&method));
        // A notification about the log is lightningd's, one for the log a plugin's.
        method.is_some()
            && !(by_plugin && message["params"]["log"].is_null())
            && message["from"].is_null()
    };
    blocks.filter(is_ours).collect()
}

/// What a message is: a request or a notification, and its method.
fn kind(message: &Value) -> String {
    let method = message["method"].as_str().unwrap();
    let kind = if message["id"].is_null() {
        "notification"
    } else {
        "request"
    };
    format!("{kind} {method}")
}

/// The paths of all members.
fn members(value: &Value, path: &str, method: &str, found: &mut BTreeSet<String>) {
    if FREE.contains(&format!("{method} {path}").as_str()) {
        return;
    }
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                found.insert(below.clone());
                members(value, &below, method, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                members(item, &format!("{path}[]"), method, found);
            }
        }
        _ => {}
    }
}

/// The members of all messages of each kind.
fn shapes(messages: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in messages {
        let found = shapes.entry(kind(message)).or_default();
        members(message, "", message["method"].as_str().unwrap(), found);
    }
    shapes
}

/// A plugin that takes part in everything.
fn recorder(dir: &Path) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({
            "options": [{"name": "demo-greeting", "type": "string", "description": "What demo says.", "default": "hello", "dynamic": true}],
            "rpcmethods": [{"name": "demo", "usage": "[name]"}],
            "subscriptions": ["*"],
            "hooks": [
                "peer_connected", "openchannel", "htlc_accepted", "invoice_payment", "custommsg",
                {"name": "rpc_command", "filters": ["listpeers"]},
            ],
            "notifications": [{"method": "demo_told"}],
            "cancheck": true,
        })),
        branches: r#"
    demo)
        tell log '{"level":"unusual","message":"for a warning"}'
        tell demo_told '{"name":"you"}'
        reply '{}' ;;
    check) reply '{"command_to_check":"demo"}' ;;
    setconfig) reply '{}' ;;
    init) reply '{}' ;;
    shutdown) exit 0 ;;
    *) [ -z "$id" ] || reply '{"result":"continue"}' ;;
    "#,
    };
    write_plugin(dir, "recorder", &script)
}

/// A plugin that hears the log, of which there is too much to do anything else with.
fn logger(dir: &Path) -> PathBuf {
    let text = r#"#!/bin/sh
reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n\n' "$id" "$1"; }
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/^{"jsonrpc":"2.0","id":\("[^"]*"\).*/\1/p')
    case $line in
    *'"method":"getmanifest"'*) reply '{"options":[],"rpcmethods":[],"subscriptions":["log"]}' ;;
    *'"method":"init"'*) reply '{}'; exec 3>&1; exec cat >>"$0.heard" ;;
    esac
done
"#;
    write_program(dir, "logger", text)
}

fn node(net: &TestNet, name: &str, dir: &Path) -> (TestNode, PathBuf) {
    let recorder = recorder(dir);
    let options = NodeOptions::default()
        .argument(format!("--plugin={}", recorder.display()))
        .argument(format!("--plugin={}", logger(dir).display()));
    (net.node_with(name, options), recorder)
}

/// Two nodes live through what plugins are told of; what each plugin was told.
fn live() -> Vec<Value> {
    let net = TestNet::start();
    let (dir1, dir2) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (l1, plugin1) = node(&net, "l1", dir1.path());
    let (l2, plugin2) = node(&net, "l2", dir2.path());
    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let bill = invoice(&l2, 5_000, "one");
    send(&l1, &l2, &open, &bill, 5_000);
    wait_heard(&plugin1, "sendpay_success");
    let mut strange = bill.clone();
    strange["payment_hash"] = json!("ab".repeat(32));
    send(&l1, &l2, &open, &strange, 5_000);
    wait_heard(&plugin1, "sendpay_failure");
    l2.call("listpeers", json!({}));
    l2.call("demo", json!(["you"]));
    l2.call("check", json!({"command_to_check": "demo"}));
    l2.call("setconfig", json!(["demo-greeting", "good day", true]));
    wait_heard(&plugin2, "setconfig");
    wait_heard(&plugin2, "demo_told");
    wait_heard(&plugin2, "warning");
    let message = json!({"node_id": l2.id(), "msg": "80e90102"});
    l1.call("sendcustommsg", message);
    wait_until("the message, after the hook", || {
        let told = |message: &Value| message["method"] == "custommsg" && message["id"].is_null();
        heard(&plugin2).iter().any(told).then_some(())
    });
    let mut client = ln_rpc::client::Client::connect(&l2.rpc_socket()).unwrap();
    client
        .call("deprecations", &json!({"enable": false}))
        .unwrap();
    client.call("demo", &json!({})).unwrap();
    let other = write_plugin(
        dir2.path(),
        "other",
        &Script {
            manifest: manifest(
                json!({"rpcmethods": [{"name": "nothing", "usage": ""}], "subscriptions": ["shutdown"]}),
            ),
            branches: "nothing) reply '{}' ;; shutdown) exit 0 ;;",
        },
    );
    // Twice: one that ends when it is told to has not failed, and is not started again by itself.
    for _ in 0..2 {
        l2.call("plugin", json!(["start", other]));
        l2.call("plugin", json!(["stop", other]));
    }
    wait_heard(&plugin2, "plugin_stopped");
    wait_heard(&logger_of(dir2.path()), "log");
    l1.stop();
    wait_heard(&plugin2, "disconnect");
    l2.stop();
    wait_heard(&plugin2, "shutdown");
    let mut all = heard(&plugin2);
    all.extend(heard(&plugin1));
    all.extend(heard(&logger_of(dir2.path())));
    all
}

fn logger_of(dir: &Path) -> PathBuf {
    dir.join("logger")
}

#[test]
fn the_page_of_messages_shows_what_is_said() {
    let said = live();
    if let Some(path) = std::env::var_os("RECORD_MESSAGES") {
        let lines: Vec<String> = said.iter().map(Value::to_string).collect();
        fs::write(path, lines.join("\n")).unwrap();
    }
    let (said, shown) = (shapes(&said), shapes(&shown()));
    let none = BTreeSet::new();
    for (kind, members) in &said {
        let shown = shown.get(kind).unwrap_or(&none);
        let missing: Vec<_> = members.difference(shown).collect();
        assert!(missing.is_empty(), "{kind}: the page lacks {missing:?}");
    }
    for (kind, members) in &shown {
        if NOT_SAID.contains(&kind.as_str()) {
            continue;
        }
        let method = kind.split(' ').nth(1).unwrap();
        let said = said.get(kind).unwrap_or(&none);
        let sometimes = |path: &&&String| {
            let is = |known: &&str| format!("{method} {path}").starts_with(*known);
            !SOMETIMES.iter().any(is)
        };
        let too_much: Vec<_> = members.difference(said).collect();
        let too_much: Vec<_> = too_much.iter().filter(sometimes).collect();
        assert!(too_much.is_empty(), "{kind}: nobody says {too_much:?}");
    }
}
