//! Plugins that answer badly: the log says which one and what it wrote, whoever waits for them hears of it, and the node goes on.

use std::fs;
use std::path::Path;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, heard, manifest, wait_heard, write_plugin};

/// Writes a plugin with methods.
fn with_methods(dir: &Path, name: &str, methods: &[&str], branches: &str) {
    let methods: Vec<Value> = methods
        .iter()
        .map(|name| json!({"name": name, "usage": ""}))
        .collect();
    let script = Script {
        manifest: manifest(json!({ "rpcmethods": methods })),
        branches,
    };
    write_plugin(dir, name, &script);
}

/// A node with all plugins of a directory.
fn node_with(net: &TestNet, dir: &Path) -> TestNode {
    let argument = format!("--plugin-dir={}", dir.display());
    net.node_with(
        "l1",
        NodeOptions::default()
            .argument("--plugin-restart=never")
            .argument(argument),
    )
}

/// What a process used at most of the memory so far, in bytes.
fn peak_memory(node: &TestNode) -> u64 {
    let pid = node.pid().expect("the node runs");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() * 1024
}

/// What plugins write in answer to a question, and what the log says then.
const ENDING: &[(&str, &str, &str)] = &[
    (
        "stray",
        "reply '{}'; echo 'hello world'; yes garbage | head -n 100000",
        "plugin-stray: wrote what is no message to standard output (expected a JSON object, got the byte 0x68): 'hello world': \
         plugins print to standard error",
    ),
    (
        "lines",
        "yes garbage | head -n 100000",
        "plugin-lines: wrote what is no message to standard output (expected a JSON object, got the byte 0x67): 'garbage'",
    ),
    (
        "terminal",
        r#"printf '{"jsonrpc":"1.0","\\u001b[2J":1}\n'"#,
        "plugin-terminal: wrote what is no message to standard output (a message must have \"jsonrpc\": \"2.0\")",
    ),
    (
        "latin",
        r#"printf '{"jsonrpc":"2.0","id":%s,"result":"\377"}\n\n' "$id""#,
        "plugin-latin: wrote what is no message to standard output (JSON text is not UTF-8",
    ),
    (
        "deep",
        r#"printf '{"jsonrpc":"2.0","id":%s,"result":' "$id"; head -c 100000 /dev/zero | tr '\0' '['"#,
        "plugin-deep: wrote what is no message to standard output (JSON text is nested deeper than 100 levels): '{\"jsonrpc\"",
    ),
    (
        "half",
        r#"printf '{"jsonrpc":"2.0","id":%s,"resu' "$id"; exit 0"#,
        "plugin-half: ended by itself (exit status: 0) in the middle of a message: '{\"jsonrpc\":\"2.0\",\"id\":",
    ),
    (
        "closed",
        "exec >&-; sleep 1000",
        "plugin-closed: ended by itself",
    ),
];

#[test]
fn what_is_no_message_ends_the_plugin_with_a_word_about_it() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    for (name, branch, _) in ENDING {
        let branch = format!("go-{name}) {branch} ;;");
        with_methods(dir.path(), name, &[&format!("go-{name}")], &branch);
    }
    let node = node_with(&net, dir.path());
    for (name, _, line) in ENDING {
        let called = node.try_call(&format!("go-{name}"), json!({}));
        // What was answered before the stray line counts.
        assert_eq!(called.is_ok(), *name == "stray", "{name}: {called:?}");
        node.wait_log(line);
        node.wait_for("the plugin to be gone", || {
            let (code, _) = node.call_err(&format!("go-{name}"), json!({}));
            (code == -32601).then_some(())
        });
        node.call("getinfo", json!({}));
    }
    // Each is told once.
    assert_eq!(node.log().all_with("'garbage'").len(), 1);
}

#[test]
fn a_reply_without_end_does_not_fill_the_memory() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let branch = r#"go) printf '{"jsonrpc":"2.0","id":%s,"result":"' "$id"; head -c 1073741824 /dev/zero | tr '\0' x; printf '"}\n\n' ;;"#;
    with_methods(dir.path(), "huge", &["go"], branch);
    let node = node_with(&net, dir.path());
    let before = peak_memory(&node);
    let (code, text) = node.call_err("go", json!({}));
    assert_eq!(code, -4, "{text}");
    node.wait_log("plugin-huge: wrote what is no message to standard output (JSON text is longer than 67108864 bytes): '{\"jsonrpc\"");
    node.call("getinfo", json!({}));
    let used = peak_memory(&node) - before;
    assert!(used < 300 << 20, "{used} bytes for a reply of 1 GiB");
}

#[test]
fn answers_that_fit_no_question_are_ignored() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let branches = r#"
    wrong) printf '{"jsonrpc":"2.0","id":"cln:wrong#999","result":1}\n\n{"jsonrpc":"2.0","id":[7],"result":1}\n\n'; reply '{"n":1}' ;;
    twice) reply '{"n":1}'; reply '{"n":2}' ;;
    both) printf '{"jsonrpc":"2.0","id":%s,"result":{},"error":{"code":5,"message":"no"}}\n\n' "$id" ;;
    neither) printf '{"jsonrpc":"2.0","id":%s}\n\n' "$id" ;;
    old) printf '{"jsonrpc":"2.0","id":%s,"result":{"n":1},"error":null}\n\n' "$id" ;;
    stderr) yes garbage | head -n 1000 >&2; reply '{"n":1}' ;;
    asks) printf '{"jsonrpc":"2.0","id":"x","method":"getinfo","params":{}}\n\n'; reply '{"n":1}' ;;
    many) yes '{"jsonrpc":"2.0","method":"nonsense","params":{}}' | head -n 3000; reply '{"n":1}' ;;
    "#;
    let methods = [
        "wrong", "twice", "both", "neither", "old", "stderr", "asks", "many",
    ];
    with_methods(dir.path(), "odd", &methods, branches);
    let node = node_with(&net, dir.path());
    for method in methods {
        let called = node.try_call(method, json!({}));
        if matches!(method, "both" | "neither") {
            let (code, text) = node.call_err(method, json!({}));
            assert_eq!(code, -3, "{text}");
            assert!(text.contains(method), "{text}");
        } else {
            assert_eq!(called.unwrap()["n"], 1, "{method}");
        }
    }
    node.wait_log(
        "UNUSUAL plugin-odd: answered \"cln:wrong#999\", which it was not asked: ignored",
    );
    node.wait_log("UNUSUAL plugin-odd: asked for 'getinfo' on its standard output: requests go to the RPC socket");
    node.wait_log("plugin-odd: sent a bad 'nonsense': its manifest does not declare this notification (1000 times by now)");
    let told = node.log().all_with("sent a bad 'nonsense'").len();
    assert_eq!(
        told, 12,
        "3000 faults are told ten times, and at 100 and 1000"
    );
}

#[test]
fn nobody_answers_for_another_plugin() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let victim = r#"
    ask) printf '%s' "$id" >"${0%/*}/id.new"; mv "${0%/*}/id.new" "${0%/*}/id"; held=$id ;;
    release) reply '{}'; id=$held; reply '{"from":"victim"}' ;;
    "#;
    with_methods(dir.path(), "victim", &["ask", "release"], victim);
    let forger = r#"forge) own=$id; id=$(cat "${0%/*}/id"); reply '{"from":"forger"}'; id=$own; reply '{}' ;;"#;
    with_methods(dir.path(), "forger", &["forge"], forger);
    let node = node_with(&net, dir.path());
    let mut caller = ln_rpc::client::Client::connect(&node.rpc_socket()).unwrap();
    let waiting = std::thread::spawn(move || caller.call("ask", &json!({})));
    wait_until("the question", || {
        dir.path().join("id").exists().then_some(())
    });
    node.call("forge", json!({}));
    node.wait_log("plugin-forger: answered");
    node.call("release", json!({}));
    let answer = waiting.join().unwrap().unwrap();
    assert_eq!(answer["from"], "victim");
}

/// A plugin that is silent in a hook, with half an answer written or none, until it is told to go on.
fn silent(dir: &Path, name: &str, start: &str) -> std::path::PathBuf {
    let branches = format!(
        r#"
    peer_connected) held=$id; printf '{start}' ;;
    release) own=$id; id=$held; reply '{{"result":"disconnect"}}'; id=$own; reply '{{}}' ;;
    "#
    );
    let script = Script {
        manifest: manifest(json!({
            "hooks": ["peer_connected"],
            "rpcmethods": [{"name": "release", "usage": ""}],
        })),
        branches: &branches,
    };
    write_plugin(dir, name, &script)
}

#[test]
fn who_takes_too_long_in_a_hook_is_passed_over() {
    for (start, released) in [("", true), (r#"{"jsonrpc":"2.0","id":1,"#, false)] {
        let net = TestNet::start();
        let dir = TempDir::new().unwrap();
        let plugin = silent(dir.path(), "silent.sh", start);
        let l1 = net.node("l1");
        let options = NodeOptions::default()
            .argument(format!("--plugin={}", plugin.display()))
            .argument("--plugin-hook-timeout=silent.sh:peer_connected=1")
            .argument("--plugin-hook-timeout=peer_connected=3600")
            .allow_complaint("did not answer the hook");
        let l2 = net.node_with("l2", options);
        let configs = l2.call("listconfigs", json!({"config": "plugin-hook-timeout"}));
        let values = &configs["configs"]["plugin-hook-timeout"]["values_str"];
        assert_eq!(values[0], "silent.sh:peer_connected=1", "{configs}");
        net.connect(&l1, &l2);
        wait_heard(&plugin, "peer_connected");
        l2.wait_log("plugin-silent.sh: did not answer the hook peer_connected within 1 seconds (plugin-hook-timeout): taken as if it had not been asked");
        let connected = || l2.call("listpeers", json!({}))["peers"][0]["connected"].clone();
        assert_eq!(connected(), true);
        if released {
            // Its answer comes too late to count.
            l2.call("release", json!({}));
            l2.wait_log("DEBUG   plugin-silent.sh: answered");
            assert_eq!(connected(), true);
        }
        assert!(!heard(&plugin).is_empty());
    }
}

#[test]
fn a_time_limit_that_makes_no_sense_keeps_the_node_from_starting() {
    let dir = TempDir::new().unwrap();
    let output = std::process::Command::new(ln_testkit::nodes::program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .args(["--network=regtest", "--plugin-hook-timeout=openchanel=5"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(
            "--plugin-hook-timeout: there is no hook 'openchanel': did you mean 'openchannel'?"
        ),
        "{said}"
    );
}
