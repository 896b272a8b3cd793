//! `setconfig`: options that change while the node runs, and stay changed.

use std::fs;
use std::path::PathBuf;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, write_plugin};

fn shown(node: &TestNode, name: &str) -> Value {
    node.call("listconfigs", json!({ "config": name }))["configs"][name].clone()
}

fn config(node: &TestNode, name: &str) -> PathBuf {
    node.dir().join("regtest").join(name)
}

#[test]
fn an_option_of_the_node_changes_and_stays_changed() {
    let net = TestNet::start();
    let node = net.node("l1");
    let name = "min-capacity-sat";
    let refused = |params: Value| node.call_err("setconfig", params).1;
    assert!(refused(json!([name])).contains("requires a value"));
    assert!(refused(json!([name, "abcd"])).contains("is not a number"));
    assert!(refused(json!([name, ["1"]])).contains("must not be an array"));
    assert!(refused(json!([name, "1\nalias=x"])).contains("more than one line"));
    assert!(refused(json!(["alias", "x"])).contains("Not a dynamic config option"));
    assert!(refused(json!(["aliass", "x"])).contains("Unknown config option"));
    let check = json!({"command_to_check": "setconfig", "config": name, "val": "abcd"});
    assert!(node.call_err("check", check).1.contains("is not a number"));
    node.call(
        "check",
        json!({"command_to_check": "setconfig", "config": name, "val": 5}),
    );
    assert_eq!(shown(&node, name)["value_int"], 10_000);
    assert!(!config(&node, "config.setconfig").exists());

    let file = config(&node, "config.setconfig");
    let source = format!("{}:2", file.display());
    let entry = json!({"value_int": 500_000, "source": source, "dynamic": true});
    let mut answer = entry.clone();
    answer["config"] = json!(name);
    assert_eq!(
        node.call("setconfig", json!([name, 500_000])),
        json!({ "config": answer })
    );
    assert_eq!(shown(&node, name), entry);
    node.restart();
    assert_eq!(shown(&node, name), entry);

    let answer = node.call(
        "setconfig",
        json!({"config": name, "val": "7", "transient": true}),
    );
    assert_eq!(answer["config"]["source"], "setconfig transient");
    assert_eq!(shown(&node, name)["value_int"], 7);
    node.restart();
    assert_eq!(shown(&node, name), entry);
    node.call("setconfig", json!([name, 400_000]));
    let lines = fs::read_to_string(&file).unwrap();
    assert!(lines.ends_with("\nmin-capacity-sat=400000\n"), "{lines}");
    assert_eq!(lines.lines().count(), 2);

    // What an operator does to the file meanwhile is not lost.
    fs::write(&file, "").unwrap();
    let text = format!("Configfile {} no longer has 2 lines!", file.display());
    assert_eq!(refused(json!([name, 3])), text);
    assert_eq!(shown(&node, name)["value_int"], 400_000);
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn a_smaller_channel_than_the_new_limit_is_refused_at_once() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    net.fund(&l1, ln_types::Sat::from_sat(1_000_000));
    net.connect(&l1, &l2);
    l2.call("setconfig", json!(["min-capacity-sat", 500_000]));
    let open = json!({"id": l2.id(), "amount": 400_000});
    let (_, text) = l1.call_err("fundchannel", open);
    assert!(text.contains("below our minimum of 500000sat"), "{text}");
}

fn options() -> Value {
    let option = |name: &str, kind: &str, multi: bool| json!({"name": name, "type": kind, "description": "x", "dynamic": true, "multi": multi, "default": null});
    json!([
        option("tone", "string", false),
        option("notes", "string", true),
        option("loud", "flag", false),
        option("beats", "int", false),
        {"name": "fixed", "type": "string", "description": "x", "default": "a"}
    ])
}

/// A node with a plugin whose options change while it runs, unless it dislikes them.
struct Tuned {
    node: TestNode,
    plugin: PathBuf,
    _net: TestNet,
    _dir: TempDir,
}

impl Tuned {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let script = Script {
            manifest: manifest(json!({ "options": options() })),
            branches: r#"setconfig)
        case $line in
        *sour*) fail '{"code":-32602,"message":"no sour notes"}' ;;
        *leave*) exit 1 ;;
        *) reply '{}' ;;
        esac ;;"#,
        };
        let plugin = write_plugin(dir.path(), "tuner.sh", &script);
        let net = TestNet::start();
        let options = NodeOptions::default()
            .argument(format!("--plugin={}", plugin.display()))
            .allow_complaint("tuner.sh");
        Self {
            node: net.node_with("l1", options),
            plugin,
            _net: net,
            _dir: dir,
        }
    }

    fn set(&self, params: Value) -> Value {
        self.node.call("setconfig", params)["config"].clone()
    }

    fn refused(&self, params: Value) -> (i32, String) {
        self.node.call_err("setconfig", params)
    }

    fn written(&self) -> String {
        fs::read_to_string(config(&self.node, "config.setconfig")).unwrap_or_default()
    }

    /// What the plugin was told last when it was started.
    fn told_at_start(&self) -> Value {
        self.node.wait_for("the plugin to be started", || {
            let mut inits = heard(&self.plugin).into_iter().rev();
            let init = inits.find(|message| message["method"] == "init")?;
            Some(init["params"]["options"].clone())
        })
    }
}

#[test]
fn a_plugin_is_told_of_new_values() {
    let tuned = Tuned::start();
    assert_eq!(tuned.set(json!(["tone", "a"]))["value_str"], "a");
    assert_eq!(tuned.set(json!(["loud"]))["set"], true);
    assert_eq!(tuned.set(json!(["beats", 4]))["value_int"], 4);
    let notes = tuned.set(json!(["notes", ["c", "", "c"]]));
    assert_eq!(notes["values_str"], json!(["c", "", "c"]));
    assert_eq!(notes["sources"].as_array().unwrap().len(), 3);
    assert_eq!(notes["plugin"], json!(tuned.plugin));
    let told: Vec<Value> = heard(&tuned.plugin)
        .into_iter()
        .filter(|message| message["method"] == "setconfig")
        .map(|message| message["params"].clone())
        .collect();
    let expected = [
        json!({"config": "tone", "val": "a"}),
        json!({"config": "loud"}),
        json!({"config": "beats", "val": "4"}),
        json!({"config": "notes", "val": ["c", "", "c"]}),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_plugin_that_refuses_or_ends_changes_nothing() {
    let tuned = Tuned::start();
    tuned.set(json!(["tone", "a"]));
    let before = tuned.written();
    let refused = |params: Value| tuned.refused(params).1;
    let sour = tuned.refused(json!(["tone", "sour"]));
    assert_eq!(sour, (-32602, "no sour notes".to_owned()));
    assert!(refused(json!(["beats", "many"])).contains("not a whole number"));
    assert!(refused(json!(["loud", "x"])).contains("does not take a value"));
    assert!(refused(json!(["notes", "x"])).contains("val must be an array"));
    assert!(refused(json!(["fixed", "x"])).contains("Not a dynamic"));
    assert_eq!(shown(&tuned.node, "tone")["value_str"], "a");
    // A plugin that ends instead of answering has not taken the value.
    assert_eq!(tuned.refused(json!(["tone", "leave"])).0, -4);
    assert_eq!(tuned.written(), before);
}

#[test]
fn a_plugin_that_is_started_again_is_told_what_counts_now() {
    let tuned = Tuned::start();
    tuned.set(json!(["tone", "a"]));
    tuned.set(json!(["beats", 4]));
    tuned.set(json!(["notes", ["c", "", "c"]]));
    tuned.set(json!({"config": "notes", "val": ["d"], "transient": true}));
    assert_eq!(shown(&tuned.node, "notes")["values_str"], json!(["d"]));
    tuned.node.call("plugin", json!(["stop", "tuner.sh"]));
    tuned.node.call("plugin", json!(["start", tuned.plugin]));
    let told = tuned.told_at_start();
    assert_eq!(told["tone"], "a");
    assert_eq!(told["beats"], 4);
    assert_eq!(told["notes"], json!(["d"]));
    tuned.node.restart();
    assert_eq!(tuned.told_at_start()["notes"], json!(["c", "", "c"]));
}
