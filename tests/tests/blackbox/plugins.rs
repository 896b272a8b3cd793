//! Users' plugins: found, asked, served, ended. They are shell scripts, for there is no simpler program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, program, wait_until};
use ln_testkit::schemas;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A plugin's script: what it says of itself, and what it does, as branches of a `case` over methods.
pub(crate) struct Script<'a> {
    pub(crate) manifest: Value,
    pub(crate) branches: &'a str,
}

/// Writes a plugin. What it reads it keeps in a file beside it that ends in `.heard`.
pub(crate) fn write_plugin(dir: &Path, name: &str, script: &Script<'_>) -> PathBuf {
    let text = format!(
        r#"#!/bin/sh
reply() {{ printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n\n' "$id" "$1"; }}
fail() {{ printf '{{"jsonrpc":"2.0","id":%s,"error":%s}}\n\n' "$id" "$1"; }}
tell() {{ printf '{{"jsonrpc":"2.0","method":"%s","params":%s}}\n\n' "$1" "$2"; }}
while read -r line; do
    [ -n "$line" ] || continue
    printf '%s\n' "$line" >>"$0.heard"
    id=$(printf '%s' "$line" | sed -n 's/^{{"jsonrpc":"2.0","id":\("[^"]*"\).*/\1/p')
    method=$(printf '%s' "$line" | sed 's/^{{"jsonrpc":"2.0",\("id":"[^"]*",\)*"method":"\([^"]*\)".*/\2/')
    case $method in
    getmanifest) reply '{manifest}' ;;
    {branches}
    init) reply '{{}}' ;;
    esac
done
"#,
        manifest = script.manifest,
        branches = script.branches,
    );
    write_program(dir, name, &text)
}

/// Writes an executable file.
pub(crate) fn write_program(dir: &Path, name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(dir).unwrap();
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Writes a file for which a plugin may be looking at this moment: it finds all of it or nothing.
pub(crate) fn put(path: &Path, text: &str) {
    let new = format!("{}.new", path.display());
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// The messages a plugin has read so far.
pub(crate) fn heard(plugin: &Path) -> Vec<Value> {
    let text = fs::read_to_string(format!("{}.heard", plugin.display())).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The parameters of the first message with this method, once it came.
pub(crate) fn wait_heard(plugin: &Path, method: &str) -> Value {
    wait_until(&format!("{method} to reach {}", plugin.display()), || {
        let mut heard = heard(plugin).into_iter();
        heard
            .find(|message| message["method"] == method)
            .map(|message| message["params"].clone())
    })
}

pub(crate) fn manifest(more: Value) -> Value {
    let mut manifest = json!({"options": [], "rpcmethods": [], "dynamic": true});
    let members = more.as_object().unwrap().clone();
    manifest.as_object_mut().unwrap().extend(members);
    manifest
}

fn help_lines(node: &TestNode) -> Vec<String> {
    let help = node.call("help", json!({}));
    let lines = help["help"].as_array().unwrap().iter();
    lines
        .filter_map(|line| line["command"].as_str().map(str::to_owned))
        .collect()
}

pub(crate) fn lightningd(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.display()))
        .arg("--network=regtest")
        .args(arguments)
        .output()
        .unwrap()
}

/// The plugin of the talk that never answers.
const SILENT: &str = "#!/bin/sh\ncat >>\"$0.heard\"\n";

/// Its second version: it answers the first question and is silent from then on.
const DUMB: &str = r#"#!/bin/sh
id=
while [ -z "$id" ]; do
    read -r line
    id=$(printf '%s' "$line" | sed -n 's/.*"id": *\("[^"]*"\).*/\1/p')
done
echo '{"jsonrpc":"2.0","id":'"$id"',"result":{
    "options": [{"name": "dumboption", "type": "string", "default": "gumby", "description": "How dumb am I?"}],
    "rpcmethods": [{"name": "dumbmethod", "usage": "", "description": "You'"'"'d expect this to do something."}]
}}'
while read -r line; do
    printf '%s\n' "$line" >>"$0.heard"
    case $line in *'"method":"init"'*)
        id=$(printf '%s' "$line" | sed -n 's/^{"jsonrpc":"2.0","id":\("[^"]*"\).*/\1/p')
        echo '{"jsonrpc":"2.0","id":'"$id"',"result":{}}' ;;
    esac
done
"#;

#[test]
fn a_plugin_that_never_answers_keeps_the_node_from_starting_and_is_named() {
    let dir = TempDir::new().unwrap();
    let plugin = write_program(dir.path(), "plugin.sh", SILENT);
    let output = lightningd(
        dir.path(),
        &[
            "--developer",
            // Long enough for a slow machine to start it and have it read.
            "--dev-timeout-secs=10",
            &format!("--plugin={}", plugin.display()),
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    for part in [
        "plugin.sh failed to respond to 'getmanifest' in time",
        &*plugin.display().to_string(),
        r#"{"allow-deprecated-apis":false}"#,
        "within 10 seconds",
        "--disable-plugin=plugin.sh",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let asked = fs::read_to_string(format!("{}.heard", plugin.display())).unwrap();
    assert!(asked.starts_with(
        r#"{"jsonrpc":"2.0","id":"cln:getmanifest#1","method":"getmanifest","params":{"allow-deprecated-apis":false}}"#
    ));
    assert!(asked.ends_with("\n\n"));
}

#[test]
fn a_dumb_plugin_shows_its_option_and_method_and_hangs_only_who_calls_it() {
    let dir = TempDir::new().unwrap();
    let plugin = write_program(dir.path(), "plugin.sh", DUMB);
    let argument = format!("--plugin={}", plugin.display());
    let output = lightningd(dir.path(), &["--help", &argument]);
    assert!(output.status.success(), "{output:?}");
    let help = String::from_utf8(output.stdout).unwrap();
    let line = help
        .lines()
        .find(|line| line.contains("--dumboption"))
        .unwrap();
    assert!(line.contains("How dumb am I? (default: gumby)"), "{line}");

    let net = TestNet::start();
    let options = NodeOptions::default().argument(argument);
    let node = net.node_with("l1", options.argument("--dumboption=very"));
    assert!(help_lines(&node).contains(&"dumbmethod ".to_owned()));
    let config = node.call("listconfigs", json!({"config": "dumboption"}));
    let config = &config["configs"]["dumboption"];
    assert_eq!(config["value_str"], "very");
    assert_eq!(config["source"], "cmdline");
    assert_eq!(config["plugin"], plugin.display().to_string());
    let init = wait_heard(&plugin, "init");
    assert_eq!(init["options"], json!({"dumboption": "very"}));
    let network_dir = node.dir().join("regtest");
    let about = &init["configuration"];
    assert_eq!(about["lightning-dir"], network_dir.display().to_string());
    assert_eq!(about["rpc-file"], "lightning-rpc");
    assert_eq!(about["startup"], true);
    assert_eq!(about["network"], "regtest");

    let mut caller = ln_rpc::client::Client::connect(&node.rpc_socket()).unwrap();
    let waiting = std::thread::spawn(move || caller.call("dumbmethod", &json!([1])));
    assert_eq!(wait_heard(&plugin, "dumbmethod"), json!([1]));
    node.call("getinfo", json!({}));
    node.stop();
    let outcome = waiting.join().unwrap();
    assert!(outcome.is_err(), "{outcome:?}");
}

/// A node with a plugin that has methods and options.
struct Greeter {
    plugin: PathBuf,
    node: TestNode,
    dir: TempDir,
    // Last: the node ends before its chain.
    _net: TestNet,
}

fn greeter() -> Greeter {
    let dir = TempDir::new().unwrap();
    let serving = manifest(json!({
        "rpcmethods": [
            {"name": "hello", "usage": "[name]"},
            {"name": "refuse", "usage": ""},
            {"name": "where", "usage": ""},
            {"name": "die", "usage": ""},
        ],
        "options": [
            {"name": "greeting", "type": "string", "default": "Hello", "description": "what to say"},
            {"name": "times", "type": "int", "description": "how often"},
            {"name": "loud", "type": "flag", "description": "shout"},
            {"name": "names", "type": "string", "multi": true, "description": "whom"},
        ],
    }));
    let branches = r#"
    hello) reply "{\"got\":$line}" ;;
    refuse) fail '{"code":-7,"message":"not today","data":{"why":"tired"}}' ;;
    where) reply "{\"dir\":\"$PWD\",\"plugin\":\"$LIGHTNINGD_PLUGIN\",\"version\":\"$LIGHTNINGD_VERSION\",\"argument\":\"$1\"}" ;;
    die) echo "$id" >"$0.died"; exit 3 ;;
    init) tell log '{"level":"unusual","message":"two\nlines"}'; reply '{}' ;;
    "#;
    let script = Script {
        manifest: serving,
        branches,
    };
    let plugin = write_plugin(dir.path(), "greeter", &script);
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument("--greeting")
        .argument("Moin")
        .argument("--names=a")
        .argument("--names=b");
    let node = net.node_with("l1", options);
    Greeter {
        plugin,
        node,
        dir,
        _net: net,
    }
}

#[test]
fn plugins_serve_methods_and_log() {
    let Greeter { plugin, node, .. } = &greeter();
    node.wait_log("UNUSUAL plugin-greeter: two");
    node.wait_log("UNUSUAL plugin-greeter: lines");
    let init = wait_heard(plugin, "init");
    assert_eq!(
        init["options"],
        json!({"greeting": "Moin", "names": ["a", "b"]})
    );
    // The request comes through as it was, with an id that tells who asked.
    let got = node.call("hello", json!({"name": "x", "n": 1e3}))["got"].clone();
    assert_eq!(got["params"], json!({"name": "x", "n": 1e3}));
    assert!(got["id"].as_str().unwrap().contains("/cln:hello#"), "{got}");
    let refused = node.call_err("refuse", json!({}));
    assert_eq!(refused, (-7, "not today".to_owned()));
    let place = node.call("where", json!({}));
    let network_dir = node.dir().join("regtest").canonicalize().unwrap();
    assert_eq!(place["dir"], network_dir.display().to_string());
    assert_eq!(place["plugin"], "1");
    assert!(place["version"].as_str().unwrap().starts_with("v26.06"));
    assert_eq!(place["argument"], "--developer");
    assert!(help_lines(node).contains(&"hello [name]".to_owned()));
    node.call("check", json!({"command_to_check": "hello", "name": "x"}));
}

#[test]
fn a_plugin_stopped_is_gone_and_started_again_has_options_of_its_own() {
    let Greeter { plugin, node, .. } = &greeter();
    let path = plugin.display().to_string();
    let stopped = node.call("plugin", json!({"subcommand": "stop", "plugin": "greeter"}));
    assert_eq!(stopped["result"], "Successfully stopped greeter.");
    assert_eq!(node.call_err("hello", json!({})).0, -32601);
    let listed = node.call("plugin", json!(["list"]));
    assert!(!listed.to_string().contains(&path), "{listed}");
    fs::remove_file(format!("{path}.heard")).unwrap();
    let started = node.call(
        "plugin",
        json!({"subcommand": "start", "plugin": path, "greeting": "Hi", "times": 3, "loud": true}),
    );
    let entry = json!({"name": path, "active": true, "dynamic": true});
    assert!(
        started["plugins"].as_array().unwrap().contains(&entry),
        "{started}"
    );
    let init = wait_heard(plugin, "init");
    assert_eq!(
        init["options"],
        json!({"greeting": "Hi", "loud": true, "names": ["a", "b"], "times": 3})
    );
    assert_eq!(init["configuration"]["startup"], false);
    let again = node.call_err("plugin", json!({"subcommand": "start", "plugin": path}));
    assert!(again.1.contains("already registered"), "{again:?}");
    let unknown = json!({"subcommand": "stop", "plugin": "nobody"});
    assert_eq!(node.call_err("plugin", unknown).0, -32602);
    let native = json!({"subcommand": "stop", "plugin": "bcli"});
    assert!(
        node.call_err("plugin", native)
            .1
            .contains("cannot be managed")
    );
}

#[test]
fn the_end_of_a_plugin_answers_who_waits_and_new_files_are_found() {
    let Greeter { node, dir, .. } = &greeter();
    let died = node.call_err("die", json!({}));
    assert_eq!(died.0, -4, "{died:?}");
    node.wait_log("ended by itself (exit status: 3)");
    // It is started again.
    node.wait_for("the plugin to be back", || node.poll("hello", json!({})));
    // A new file, and a changed one, run after a look around.
    let script = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "second", "usage": ""}]})),
        branches: "second) reply '{\"version\":1}' ;;",
    };
    let second = write_plugin(dir.path(), "second", &script);
    node.call("plugin", json!(["rescan"]));
    assert_eq!(node.call("second", json!({}))["version"], 1);
    let changed = fs::read_to_string(&second).unwrap().replace(":1}", ":2}");
    fs::remove_file(&second).unwrap();
    write_program(dir.path(), "second", &changed);
    node.call("plugin", json!(["rescan"]));
    assert_eq!(node.call("second", json!({}))["version"], 2);
    node.stop();
}

#[test]
fn plugins_live_in_the_default_directory_and_can_be_kept_out() {
    let net = TestNet::start();
    let node = net.node_with(
        "l1",
        NodeOptions::default().argument("--disable-plugin=off"),
    );
    node.stop();
    let dir = node.dir().join("plugins");
    let method = |name: &str| manifest(json!({"rpcmethods": [{"name": name, "usage": ""}]}));
    for (dir, name) in [
        (dir.clone(), "here"),
        (dir.join("below"), "there"),
        (dir.clone(), "off"),
    ] {
        let script = Script {
            manifest: method(name),
            branches: "",
        };
        write_plugin(&dir, name, &script);
    }
    // One that wants a name that is taken does not run; nor does one that has nothing to do.
    let clash = Script {
        manifest: method("getinfo"),
        branches: "",
    };
    write_plugin(&dir, "clash", &clash);
    let idle = Script {
        manifest: manifest(json!({"disable": "nothing to do"})),
        branches: "",
    };
    write_plugin(&dir, "idle", &idle);
    write_program(&dir, "garbage", "#!/bin/sh\necho hello world\ncat\n");
    write_program(&dir, "gone", "#!/bin/sh\nexit 1\n");
    node.start_again();
    let lines = help_lines(&node);
    assert!(lines.contains(&"here ".to_owned()), "{lines:?}");
    assert!(lines.contains(&"there ".to_owned()));
    assert!(!lines.contains(&"off ".to_owned()));
    node.wait_log("plugin-clash: can't be used: there is a method 'getinfo' already");
    node.wait_log("plugin-idle: disabled itself: nothing to do");
    node.wait_log("plugin-garbage: wrote what is no message to standard output");
    node.wait_log("plugin-gone: ended by itself (exit status: 1)");
    let listed = node.call("plugin", json!({"subcommand": "list"}));
    assert_eq!(listed["plugins"].as_array().unwrap().len(), 3, "{listed}");
}

#[test]
fn options_that_clash_or_are_unknown_keep_the_node_from_starting() {
    let dir = TempDir::new().unwrap();
    let option = |name: &str| {
        manifest(json!({"options": [{"name": name, "type": "string", "description": ""}]}))
    };
    let script = |name: &str| Script {
        manifest: option(name),
        branches: "",
    };
    let one = write_plugin(dir.path(), "one", &script("same"));
    let two = write_plugin(dir.path(), "two", &script("same"));
    let own = write_plugin(dir.path(), "own", &script("alias"));
    let refused = |arguments: &[&str]| {
        let output = lightningd(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let plugin = |path: &Path| format!("--plugin={}", path.display());
    let said = refused(&[&plugin(&one), &plugin(&two)]);
    assert!(
        said.contains("plugin two can't be used: its option 'same'"),
        "{said}"
    );
    let said = refused(&[&plugin(&own)]);
    assert!(
        said.contains("is an option of lightningd already"),
        "{said}"
    );
    let said = refused(&[&plugin(&one), "--sam=x"]);
    assert!(said.contains("--sam: unknown option"), "{said}");
    let said = refused(&["--plugin=/nowhere/at/all"]);
    assert!(said.contains("/nowhere/at/all"), "{said}");
    let dead = write_program(dir.path(), "dead", "#!/bin/sh\nexit 1\n");
    let said = refused(&[&format!("--important-plugin={}", dead.display())]);
    assert!(said.contains("important plugin"), "{said}");
}

#[test]
fn plugins_tell_each_other_and_hear_of_the_end() {
    let dir = TempDir::new().unwrap();
    let teller = Script {
        manifest: manifest(json!({
            "rpcmethods": [{"name": "announce", "usage": ""}],
            "notifications": [{"method": "news"}],
        })),
        branches: r#"announce) tell news '{"n":1}'; tell secret '{}'; reply '{}' ;;"#,
    };
    let listener = |topics: &[&str]| Script {
        manifest: manifest(json!({"subscriptions": topics})),
        branches: "shutdown) exit 0 ;;",
    };
    write_plugin(dir.path(), "teller", &teller);
    let one = write_plugin(dir.path(), "one", &listener(&["news", "shutdown"]));
    let all = write_plugin(dir.path(), "all", &listener(&["*"]));
    let lines = write_plugin(dir.path(), "lines", &listener(&["log", "warning"]));
    let net = TestNet::start();
    let options = NodeOptions::default().argument(format!("--plugin-dir={}", dir.path().display()));
    let node = net.node_with("l1", options);
    node.call("announce", json!({}));
    for plugin in [&one, &all] {
        assert_eq!(wait_heard(plugin, "news"), json!({"n": 1}));
        let news = heard(plugin);
        let news = news.iter().find(|news| news["method"] == "news").unwrap();
        assert_eq!(news["origin"], "teller");
    }
    node.wait_log("UNUSUAL plugin-teller: sent a bad 'secret'");
    assert!(heard(&all).iter().all(|message| message["method"] != "log"));
    wait_until("the warning as a notification", || {
        let mut heard = heard(&lines).into_iter();
        heard.find(|message| {
            let warning = &message["params"]["warning"];
            warning["level"] == "warn" && warning["source"] == "plugin-teller"
        })
    });
    wait_heard(&lines, "log");
    for message in heard(&lines) {
        for topic in ["log", "warning"] {
            if let Some(fields) = message["params"].get(topic) {
                schemas::check_notification(topic, fields).assert(&message.to_string());
            }
        }
    }
    node.stop();
    assert_eq!(wait_heard(&one, "shutdown"), json!({"shutdown": {}}));
}

#[test]
fn the_end_of_an_important_plugin_is_the_nodes_and_no_others_is() {
    let dir = TempDir::new().unwrap();
    let script = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "die", "usage": ""}]})),
        branches: "die) exit 0 ;;",
    };
    let plugin = write_plugin(dir.path(), "vital", &script);
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument(format!("--important-plugin={}", plugin.display()))
        .allow_complaint("important plugin");
    let node = net.node_with("l1", options);
    node.poll("die", json!({}));
    assert_eq!(node.wait_for_exit().code(), Some(1));
}
