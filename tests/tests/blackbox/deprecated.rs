//! What is on its way out: it works while it is allowed, and says what replaces it where it is not.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, wait_heard, write_plugin};

/// One connection, on which requests are written letter by letter.
struct Wire(UnixStream);

impl Wire {
    fn to(node: &TestNode) -> Self {
        Self(UnixStream::connect(node.rpc_socket()).unwrap())
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.0.write_all(request.to_string().as_bytes()).unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"\n\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            text.push(byte[0]);
        }
        serde_json::from_slice(&text).unwrap()
    }
}

fn invoice(label: &str, amount: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "invoice", "params": {amount: 24, "label": label, "description": "d"}})
}

#[test]
fn a_former_name_is_taken_where_it_is_allowed() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut wire = Wire::to(&node);
    assert!(wire.ask(&invoice("a", "msatoshi"))["result"].is_object());
    let both = json!({"msatoshi": 24, "amount_msat": 24, "label": "b", "description": "d"});
    let (_, text) = node.call_err("invoice", both);
    assert!(text.contains("duplicate"), "{text}");
    let off = json!({"jsonrpc": "2.0", "id": 1, "method": "deprecations", "params": [false]});
    assert!(wire.ask(&off)["result"].is_object());
    let refused = wire.ask(&invoice("b", "msatoshi"));
    assert_eq!(refused["error"]["code"], -32602);
    let text = "parameter 'msatoshi' is deprecated: write 'amount_msat' instead";
    assert_eq!(refused["error"]["message"], text);
    assert!(wire.ask(&invoice("b", "amount_msat"))["result"].is_object());
    // The other connections are as before.
    let mut wire = Wire::to(&node);
    assert!(wire.ask(&invoice("c", "msatoshi"))["result"].is_object());
}

#[test]
fn a_promise_allows_what_is_forbidden() {
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--allow-deprecated-apis=false")
        .argument("--i-promise-to-fix-broken-api-user=msatoshi")
        .argument("--i-promise-to-fix-broken-api-user=of.another.version");
    let node = net.node_with("l1", options);
    let mut wire = Wire::to(&node);
    assert!(wire.ask(&invoice("a", "msatoshi"))["result"].is_object());
    let id = node.id();
    let (_, text) = node.call_err("fundchannel", json!({"id": id, "satoshi": 100_000}));
    assert!(text.contains("write 'amount' instead"), "{text}");
}

#[test]
fn a_client_of_2019_is_answered_as_in_2019() {
    let net = TestNet::start();
    let node = net.node("l1");
    let old = |method: &str, params: Value| json!({"id": 0, "method": method, "params": params});
    let new = json!({"msatoshi": 24, "label": "a", "description": "d"});
    let mut wire = Wire::to(&node);
    assert!(wire.ask(&old("invoice", new))["result"]["bolt11"].is_string());
    let listed = wire.ask(&old("listinvoices", json!({"label": "a"})));
    let entry = &listed["result"]["invoices"][0];
    assert_eq!(entry["amount_msat"], "24msat");
    assert_eq!(entry["msatoshi"], 24);
    let modern = node.call("listinvoices", json!({}));
    assert_eq!(modern["invoices"][0]["amount_msat"], 24);
    assert_eq!(modern["invoices"][0]["msatoshi"], Value::Null);
    let off = json!({"jsonrpc": "2.0", "id": 1, "method": "deprecations", "params": [false]});
    wire.ask(&off);
    let refused = wire.ask(&old("getinfo", json!({})));
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("jsonrpc")
    );
}

fn old_manifest() -> Value {
    json!({"options": [], "rpcmethods": [], "subscriptions": ["connect", "disconnect"], "hooks": []})
}

fn connected(options: NodeOptions, manifest: &Value) -> (TempDir, std::path::PathBuf, Value) {
    let dir = TempDir::new().unwrap();
    let script = Script {
        manifest: manifest.clone(),
        branches: "",
    };
    let plugin = write_plugin(dir.path(), "hears.sh", &script);
    let net = TestNet::start();
    let l1 = net.node_with(
        "l1",
        options.argument(format!("--plugin={}", plugin.display())),
    );
    let l2 = net.node("l2");
    net.connect(&l1, &l2);
    let told = wait_heard(&plugin, "connect");
    assert_eq!(
        told.pointer("/id").or(told.pointer("/connect/id")),
        Some(&json!(l2.id()))
    );
    (dir, plugin, told)
}

#[test]
fn a_plugin_of_2019_hears_of_peers_as_in_2019() {
    let (_dir, plugin, told) = connected(NodeOptions::default(), &old_manifest());
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "address"]);
    let manifest = heard(&plugin).into_iter().next().unwrap();
    assert_eq!(manifest["params"]["allow-deprecated-apis"], true);
    let mut later = old_manifest();
    later["dynamic"] = json!(false);
    let (_dir, _, told) = connected(NodeOptions::default(), &later);
    assert!(told["connect"]["direction"].is_string());
    let options = NodeOptions::default()
        .argument("--allow-deprecated-apis=false")
        .allow_complaint("was written for pylightning 0.0.7");
    let (_dir, _, told) = connected(options, &old_manifest());
    assert!(told["connect"]["direction"].is_string());
}
