//! Plugins that are no plugins, offer what can't be, or die at any moment: each ends at most itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, manifest, wait_heard, write_plugin, write_program};

fn plugin_argument(plugin: &Path) -> String {
    format!("--plugin={}", plugin.display())
}

fn listed(node: &TestNode) -> Vec<String> {
    let listed = node.call("plugin", json!(["list"]));
    let plugins = listed["plugins"].as_array().unwrap().iter();
    let names = plugins.filter_map(|plugin| plugin["name"].as_str()?.rsplit('/').next());
    names.map(str::to_owned).collect()
}

/// What can't be run at all, with what is said of it.
fn no_programs(dir: &Path) -> Vec<(PathBuf, &'static str)> {
    let data = dir.join("data");
    fs::write(&data, "no program").unwrap();
    let place = dir.join("place");
    fs::create_dir(&place).unwrap();
    vec![
        (data, "is not executable: run chmod +x"),
        (place, "is not a file"),
        (dir.join("none"), "No such file"),
        (
            write_program(dir, "lost", "#!/nowhere/at/all\n"),
            "can't be started",
        ),
        (
            write_program(dir, "words", "no program\n"),
            "can't be started",
        ),
        (
            write_program(dir, "silent", "#!/bin/sh\ncat >/dev/null\n"),
            "failed to respond to 'getmanifest' in time",
        ),
    ]
}

#[test]
fn what_is_no_plugin_is_refused_with_a_reason() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let l1 = net.node_with(
        "l1",
        NodeOptions::default().argument("--dev-timeout-secs=10"),
    );
    for (path, problem) in no_programs(dir.path()) {
        let start = json!(["start", path.display().to_string()]);
        let (_, text) = l1.call_err("plugin", start);
        assert!(text.contains(problem), "{problem}: {text}");
        assert!(text.contains(&path.display().to_string()), "{text}");
    }
    assert_eq!(listed(&l1), ["bcli"]);
    // One whose file can't be run any more does not keep a node from starting, unless it is important.
    let lost = plugin_argument(&dir.path().join("lost"));
    let l2 = net.node_with("l2", NodeOptions::default().argument(lost));
    l2.wait_log("UNUSUAL plugin-manager: plugin lost can't be started from");
    assert_eq!(listed(&l2), ["bcli"]);
}

const NONSENSE: &str = "answered getmanifest with nonsense";

fn method(name: &str) -> Value {
    json!({"name": name, "usage": ""})
}

/// Manifests whose shape is wrong, or that offer what there is not.
fn odd_manifests() -> Vec<(&'static str, Value, &'static str)> {
    let hook = json!({"hooks": ["htlc_refused"]});
    let topic = json!({"notifications": [{"method": "connect"}]});
    let bits = json!({"featurebits": {"node": "80"}});
    let topic_problem = "'connect' is a notification of lightningd's own";
    let more: [(_, _, _); 10] = [
        ("number", json!({"rpcmethods": 7}), NONSENSE),
        ("usage", json!({"rpcmethods": [{"name": "x"}]}), NONSENSE),
        ("topic", json!({"subscriptions": [7]}), NONSENSE),
        ("bits", json!({"featurebits": {"node": "xyz"}}), NONSENSE),
        ("dynbits", bits, "not dynamic may add feature bits"),
        (
            "ids",
            json!({"nonnumericids": false}),
            "nonnumericids must be",
        ),
        ("hook", hook, "there is no hook 'htlc_refused'"),
        ("native", topic, topic_problem),
        ("static", json!({"dynamic": false}), "Not a dynamic plugin"),
        ("hooks", json!({"hooks": [{"after": []}]}), NONSENSE),
    ];
    let mut all = vec![
        ("list", json!([]), NONSENSE),
        ("empty", json!({}), NONSENSE),
    ];
    all.extend(more.map(|(name, more, problem)| (name, manifest(more), problem)));
    all
}

/// Manifests whose names are taken.
fn clashing_manifests() -> Vec<(&'static str, Value, &'static str)> {
    let methods = |names: &[&str]| {
        let all: Vec<Value> = names.iter().map(|name| method(name)).collect();
        manifest(json!({"rpcmethods": all}))
    };
    let option = |more: Value| {
        let mut option = json!({"name": "o", "type": "string", "description": ""});
        let members = more.as_object().unwrap().clone();
        option.as_object_mut().unwrap().extend(members);
        manifest(json!({"options": [option]}))
    };
    let flags = json!({"type": "flag", "multi": true});
    let own = "option 'alias' is an option of lightningd already";
    vec![
        (
            "taken",
            methods(&["getinfo"]),
            "there is a method 'getinfo'",
        ),
        (
            "others",
            methods(&["mine"]),
            "there is a method 'mine' already",
        ),
        ("twice", methods(&["a", "a"]), "'a' is declared twice"),
        ("kind", option(json!({"type": "float"})), NONSENSE),
        ("multi", option(flags), "can't be used: option 'o'"),
        ("option", option(json!({"name": "alias"})), own),
        (
            "options",
            option(json!({"name": "size"})),
            "its option 'size' is",
        ),
    ]
}

#[test]
fn an_offer_that_can_not_be_is_refused_with_a_reason() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let good = Script {
        manifest: manifest(json!({
            "rpcmethods": [{"name": "mine", "usage": "", "description": "d", "category": "c"}],
            "options": [{"name": "size", "type": "int", "description": "", "unit": "m"}],
            "subscriptions": ["nobody_tells_this", "*"],
            "tomorrow": {"new": [1, null]},
        })),
        branches: "mine) reply '{}' ;;",
    };
    let good = write_plugin(dir.path(), "good", &good);
    let l1 = net.node_with(
        "l1",
        NodeOptions::default().argument(plugin_argument(&good)),
    );
    // What is not known yet is no fault.
    l1.call("mine", json!({}));
    l1.wait_log("plugin-good: subscribed to 'nobody_tells_this', which nobody tells of");
    for (name, offer, problem) in [odd_manifests(), clashing_manifests()].concat() {
        let script = Script {
            manifest: offer,
            branches: "",
        };
        let plugin = write_plugin(dir.path(), name, &script);
        let start = json!(["start", plugin.display().to_string()]);
        let (_, text) = l1.call_err("plugin", start);
        assert!(text.contains(problem), "{name}: {text}");
    }
    assert_eq!(listed(&l1), ["bcli", "good"]);
    l1.call("mine", json!({}));
}

/// A plugin that is killed when it hears a method; with what it does before.
fn dies_at(dir: &Path, name: &str, method: &str, before: &str) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({
            "rpcmethods": [{"name": format!("call-{name}"), "usage": ""}],
            "hooks": ["peer_connected"],
            "subscriptions": ["connect"],
        })),
        branches: "",
    };
    let path = write_plugin(dir, name, &script);
    let text = fs::read_to_string(&path).unwrap();
    let death = format!(
        "case $method in\n    {method}) {before} kill -9 $$ ;;\n    peer_connected) reply '{{\"result\":\"continue\"}}' ;;"
    );
    fs::write(&path, text.replacen("case $method in", &death, 1)).unwrap();
    path
}

#[test]
fn a_plugin_may_die_at_any_moment() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let offer = r#"reply '{"options":[],"rpcmethods":[],"dynamic":true}';"#;
    let moments = [
        ("asked", "getmanifest", ""),
        ("known", "getmanifest", offer),
        ("started", "init", ""),
        ("called", "call-*", ""),
        ("hooked", "peer_connected", ""),
        ("told", "connect", ""),
    ];
    for (name, method, before) in moments {
        dies_at(dir.path(), name, method, before);
    }
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument("--plugin-restart=never");
    let l1 = net.node_with("l1", options);
    for name in ["asked", "known", "started"] {
        l1.wait_log(&format!(
            "plugin-{name}: ended by itself (signal: 9 (SIGKILL))"
        ));
    }
    assert_eq!(listed(&l1), ["bcli", "called", "hooked", "told"]);
    assert_eq!(l1.call_err("call-called", json!({})).0, -4);
    let l2 = net.node("l2");
    net.connect(&l2, &l1);
    l1.wait_for("the other two to be gone", || {
        (listed(&l1) == ["bcli"]).then_some(())
    });
    l1.wait_log("plugin-hooked: ended by itself");
    l1.wait_log("plugin-told: ended by itself");
    // The same while the node runs.
    for name in ["asked", "known", "started"] {
        let start = json!(["start", dir.path().join(name).display().to_string()]);
        let (_, text) = l1.call_err("plugin", start);
        assert!(text.contains("ended"), "{name}: {text}");
    }
    net.open_channel(&l2, &l1, Sat::from_sat(1_000_000));
}

#[test]
fn feature_bits_are_offered_only_if_their_plugin_works() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let bits = |bit: u32| {
        let digits = usize::try_from(bit / 8 * 2 + 2).unwrap();
        let number = 1 << (bit % 8);
        format!("{number:02x}{}", "0".repeat(digits - 2))
    };
    let script = |bit: u32, branches| Script {
        manifest: manifest(json!({
            "dynamic": false,
            "featurebits": {"init": bits(bit), "node": bits(bit), "invoice": bits(bit), "channel": bits(bit)},
        })),
        branches,
    };
    write_plugin(dir.path(), "works", &script(201, ""));
    let off = write_plugin(
        dir.path(),
        "off",
        &script(204, r#"init) reply '{"disable":"not today"}' ;;"#),
    );
    write_plugin(dir.path(), "dies", &script(208, "init) exit 1 ;;"));
    let options = NodeOptions::default().argument(format!("--plugin-dir={}", dir.path().display()));
    let l1 = net.node_with("l1", options);
    l1.wait_log("plugin-off: disabled itself: not today");
    // It was told of its own.
    let told = wait_heard(&off, "init")["configuration"]["feature_set"]["node"].clone();
    let has = |set: &Value, bit: usize| {
        let hex = set.as_str().unwrap();
        let digit = hex
            .len()
            .checked_sub(1 + bit / 4)
            .map(|at| hex.as_bytes()[at]);
        digit.is_some_and(|digit| char::from(digit).to_digit(16).unwrap() & (1 << (bit % 4)) != 0)
    };
    assert!(has(&told, 204), "{told}");
    let ours = l1.call("getinfo", json!({}))["our_features"].clone();
    for set in ["init", "node", "invoice", "channel"] {
        let set = &ours[set];
        assert!(has(set, 201) && !has(set, 204) && !has(set, 208), "{ours}");
    }
    let l2 = net.node("l2");
    net.connect(&l2, &l1);
    let peers = l2.call("listpeers", json!({}));
    let seen = &peers["peers"][0]["features"];
    assert!(
        has(seen, 201) && !has(seen, 204) && !has(seen, 208),
        "{seen}"
    );
}

#[test]
fn an_important_plugin_that_vanished_keeps_the_node_from_starting() {
    let dir = TempDir::new().unwrap();
    let lost = write_program(dir.path(), "lost", "#!/nowhere/at/all\n");
    fs::set_permissions(&lost, fs::Permissions::from_mode(0o755)).unwrap();
    let output = std::process::Command::new(ln_testkit::nodes::program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .arg("--network=regtest")
        .arg(format!("--important-plugin={}", lost.display()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("plugin lost can't be started from"), "{said}");
}
