//! Plugins that die are started again, and plugins whose file has changed are reloaded: nothing is lost on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use ln_testkit::nodes::{CallError, NodeOptions, TestNet, TestNode, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin_hooks::{Judged, answers, judge, judged};
use crate::plugins::{Script, heard, manifest, wait_heard, write_plugin, write_program};
use crate::support::{invoice, payment_status};

/// What `plugin reload` answers.
fn reload(node: &TestNode, plugin: &Path) -> Result<Value, String> {
    reload_with(node, json!(["reload", plugin.display().to_string()]))
}

fn reload_with(node: &TestNode, params: Value) -> Result<Value, String> {
    node.try_call("plugin", params)
        .map_err(|error| match error {
            CallError::Rpc(error) => error.message,
            CallError::Connection(problem) => panic!("{problem}"),
        })
}

/// The entries of `plugin list` with this path.
fn listed(node: &TestNode, plugin: &Path) -> Vec<Value> {
    let listed = node.call("plugin", json!(["list"]));
    let mut all = listed["plugins"].as_array().unwrap().clone();
    all.retain(|entry| entry["name"] == plugin.display().to_string());
    all
}

/// Puts another version in the place of a plugin's file.
fn write_version(plugin: &Path, text: &str) {
    let (dir, name) = (plugin.parent().unwrap(), plugin.file_name().unwrap());
    fs::remove_file(plugin).unwrap();
    write_program(dir, name.to_str().unwrap(), text);
}

fn messages(plugin: &Path, method: &str) -> Vec<Value> {
    let mut all = heard(plugin);
    all.retain(|message| message["method"] == method);
    all
}

fn with_plugin(net: &TestNet, plugin: &Path) -> TestNode {
    let argument = format!("--plugin={}", plugin.display());
    net.node_with("l1", NodeOptions::default().argument(argument))
}

/// A plugin that can die, with an option.
fn mortal(dir: &Path, dynamic: bool) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({
            "rpcmethods": [{"name": "hello", "usage": ""}, {"name": "die", "usage": ""}],
            "options": [{"name": "greeting", "type": "string", "default": "Hello", "description": ""}],
            "hooks": ["custommsg"],
            "subscriptions": ["invoice_creation"],
            "dynamic": dynamic,
        })),
        branches: r#"
    hello) reply '{"version":1,"pid":'$$'}' ;;
    die) exit 3 ;;
    custommsg) printf '%s\n' mortal >>"${0%/*}/asked"; reply '{"result":"continue"}' ;;
    "#,
    };
    write_plugin(dir, "mortal", &script)
}

#[test]
fn a_plugin_that_ends_is_started_again_as_it_was() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), true);
    let path = plugin.display().to_string();
    let l1 = net.node("l1");
    l1.call(
        "plugin",
        json!({"subcommand": "start", "plugin": path, "greeting": "Hi"}),
    );
    // Its place in the chain is before this one's.
    let later = judge(dir.path(), "later", &json!(["custommsg"]));
    l1.call("plugin", json!(["start", later.display().to_string()]));
    // The next process does not come up before it has been looked at.
    let blocked = PathBuf::from(format!("{path}.blocked"));
    fs::write(&blocked, "").unwrap();
    let text = fs::read_to_string(&plugin).unwrap();
    let waits = r#"getmanifest) while [ -e "$0.blocked" ]; do sleep 0.1; done; reply"#;
    write_version(&plugin, &text.replace("getmanifest) reply", waits));
    assert_eq!(l1.call_err("die", json!({})).0, -4);
    let (code, text) = match l1.try_call("hello", json!({})) {
        Err(CallError::Rpc(error)) => (error.code.number(), error.message),
        other => panic!("{other:?}"),
    };
    assert_eq!(code, -4, "{text}");
    assert!(text.contains("is being started again"), "{text}");
    let entries = listed(&l1, &plugin);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["active"], false);
    l1.wait_log("plugin-mortal: is started again in 1 s");
    fs::remove_file(&blocked).unwrap();
    l1.wait_for("the plugin to be back", || l1.poll("hello", json!({})));
    let inits = messages(&plugin, "init");
    assert_eq!(inits.len(), 2);
    for init in &inits {
        assert_eq!(init["params"]["options"], json!({"greeting": "Hi"}));
    }
    // The next time it takes longer.
    l1.poll("die", json!({}));
    l1.wait_log("plugin-mortal: is started again in 2 s");
    l1.wait_for("the plugin to be back", || l1.poll("hello", json!({})));
    let l2 = net.node("l2");
    net.connect(&l1, &l2);
    l2.call(
        "sendcustommsg",
        json!({"node_id": l1.id(), "msg": "777700"}),
    );
    let order = wait_until("both to be asked", || {
        let order = fs::read_to_string(dir.path().join("asked")).unwrap_or_default();
        (order.lines().count() == 2).then_some(order)
    });
    assert_eq!(order, "mortal\nlater\n");
}

#[test]
fn a_plugin_stays_ended_if_that_is_wanted() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), false);
    let never = write_plugin(
        dir.path(),
        "never",
        &Script {
            manifest: manifest(json!({"rpcmethods": [{"name": "end", "usage": ""}]})),
            branches: "end) exit 0 ;;",
        },
    );
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument("--plugin-restart=never:never");
    let l1 = net.node_with("l1", options);
    l1.poll("end", json!({}));
    l1.wait_log("plugin-never: ended by itself");
    assert!(listed(&l1, &never).is_empty());
    // `plugin stop` ends the wish, even if the plugin could not be stopped while it worked.
    let stop = json!(["stop", plugin.display().to_string()]);
    assert!(
        l1.call_err("plugin", stop.clone())
            .1
            .contains("cannot be managed")
    );
    l1.poll("die", json!({}));
    l1.call("plugin", stop);
    assert!(listed(&l1, &plugin).is_empty());
    assert_eq!(l1.call_err("hello", json!({})).0, -32601);
}

#[test]
fn a_plugin_that_disables_itself_is_not_started_any_more() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = write_plugin(
        dir.path(),
        "fickle",
        &Script {
            manifest: manifest(json!({"rpcmethods": [{"name": "die", "usage": ""}]})),
            branches: r#"
    init) if [ -e "$0.broken" ]; then exit 7; fi
          if [ -e "$0.off" ]; then reply '{"disable":"enough"}'; else reply '{}'; fi ;;
    die) exit 3 ;;"#,
        },
    );
    let l1 = with_plugin(&net, &plugin);
    let beside = |suffix: &str| PathBuf::from(format!("{}.{suffix}", plugin.display()));
    fs::write(beside("broken"), "").unwrap();
    l1.poll("die", json!({}));
    // What fails at a new start is tried again, later.
    l1.wait_log("plugin-fickle: can't be started again: ended before it answered init");
    fs::write(beside("off"), "").unwrap();
    fs::remove_file(beside("broken")).unwrap();
    l1.wait_log("plugin-fickle: disabled itself: enough");
    l1.wait_for("it to be gone", || {
        listed(&l1, &plugin).is_empty().then_some(())
    });
}

#[test]
fn an_important_plugin_that_can_not_be_kept_alive_ends_the_node() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), true);
    let options = NodeOptions::default()
        .argument(format!("--important-plugin={}", plugin.display()))
        .argument("--plugin-restart=mortal:always")
        .allow_complaint("important plugin");
    let l1 = net.node_with("l1", options);
    l1.poll("die", json!({}));
    l1.wait_for("the plugin to be back", || l1.poll("hello", json!({})));
    write_version(&plugin, "#!/bin/sh\nexit 1\n");
    l1.poll("die", json!({}));
    assert_eq!(l1.wait_for_exit().code(), Some(1));
}

#[test]
fn a_plugin_is_reloaded_with_its_options_though_it_is_not_dynamic() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let listener = write_plugin(
        dir.path(),
        "listener",
        &Script {
            manifest: manifest(json!({"subscriptions": ["plugin_started", "plugin_stopped"]})),
            branches: "",
        },
    );
    let plugin = mortal(dir.path(), false);
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument("--greeting=Moin");
    let l1 = net.node_with("l1", options);
    let old = l1.call("hello", json!({}))["pid"].clone();
    let processes = l1.own_helpers().len();
    let text = fs::read_to_string(&plugin).unwrap();
    let text = text.replace("\"version\":1", "\"version\":2");
    write_version(&plugin, &text);
    let reply = reload_with(&l1, json!(["reload", "mortal"])).unwrap();
    assert_eq!(reply["command"], "reload");
    let entry = json!({"name": plugin.display().to_string(), "active": true, "dynamic": false});
    let plugins = reply["plugins"].as_array().unwrap();
    assert_eq!(plugins.iter().filter(|plugin| **plugin == entry).count(), 1);
    assert_eq!(l1.call("hello", json!({}))["version"], 2);
    let inits = messages(&plugin, "init");
    assert_eq!(inits.len(), 2);
    assert_eq!(inits[1]["params"]["options"], json!({"greeting": "Moin"}));
    assert_eq!(inits[1]["params"]["configuration"]["startup"], false);
    let stopped = wait_heard(&listener, "plugin_stopped");
    assert_eq!(stopped["plugin_stopped"]["plugin_name"], "mortal");
    // Its death was not one of its own: nobody starts a third.
    wait_until("the old process to end", || {
        let helpers = l1.own_helpers();
        (helpers.len() == processes && helpers.iter().all(|helper| old != helper.pid)).then_some(())
    });
    let config = l1.call("listconfigs", json!({"config": "greeting"}));
    assert_eq!(config["configs"]["greeting"]["value_str"], "Moin");
    // One that has died is started at once.
    l1.poll("die", json!({}));
    reload(&l1, &plugin).unwrap();
    l1.call("hello", json!({}));
}

/// Versions that can't take over, and what is said of them.
fn broken_versions(good: &str) -> Vec<(String, &'static str)> {
    let with = |manifest: &str| {
        good.replace(
            "getmanifest) reply '",
            &format!("getmanifest) reply '{manifest}' ;;\nnever) reply '"),
        )
    };
    vec![
        (
            "#!/bin/sh\nexit 1\n".to_owned(),
            "ended before it answered getmanifest",
        ),
        ("#!/nowhere/at/all\n".to_owned(), "can't be started from"),
        (
            "#!/bin/sh\ncat >/dev/null\n".to_owned(),
            "failed to respond to 'getmanifest' in time",
        ),
        (
            "#!/bin/sh\necho hello\ncat\n".to_owned(),
            "ended before it answered getmanifest",
        ),
        (with(r#"{"options":{},"rpcmethods":[]}"#), "nonsense"),
        (
            with(r#"{"options":[],"rpcmethods":[],"disable":"not now"}"#),
            "disabled itself: not now",
        ),
        (
            with(r#"{"options":[],"rpcmethods":[{"name":"getinfo","usage":""}]}"#),
            "there is a method 'getinfo' already",
        ),
        (
            with(r#"{"options":[],"rpcmethods":[{"name":"other","usage":""}]}"#),
            "there is a method 'other' already",
        ),
        (
            with(
                r#"{"options":[{"name":"alias","type":"string","description":""}],"rpcmethods":[]}"#,
            ),
            "option of lightningd already",
        ),
        (
            with(r#"{"options":[],"rpcmethods":[]}"#),
            "has no option 'greeting', which was given",
        ),
        (
            good.replace("init) reply '{}'", "init) exit 5"),
            "ended before it answered init",
        ),
        (
            good.replace(
                "init) reply '{}'",
                "init) fail '{\"code\":1,\"message\":\"no port\"}'",
            ),
            "no port",
        ),
        (
            good.replace(
                "init) reply '{}'",
                "init) reply '{\"disable\":\"no port\"}'",
            ),
            "disabled itself: no port",
        ),
    ]
}

#[test]
fn a_broken_version_leaves_the_old_one_at_work_and_says_why() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), true);
    let path = plugin.display().to_string();
    let other = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "other", "usage": ""}]})),
        branches: "",
    };
    let other = write_plugin(dir.path(), "other", &other);
    let options = NodeOptions::default()
        .argument(format!("--plugin={}", other.display()))
        // Long enough for a slow machine.
        .argument("--dev-timeout-secs=10");
    let l1 = net.node_with("l1", options);
    l1.call(
        "plugin",
        json!({"subcommand": "start", "plugin": path, "greeting": "Hi"}),
    );
    let pid = l1.call("hello", json!({}))["pid"].clone();
    let processes = l1.own_helpers().len();
    let good = fs::read_to_string(&plugin).unwrap();
    let stays = |problem: &str| {
        let error = reload(&l1, &plugin).unwrap_err();
        assert!(error.contains(problem), "{problem}: {error}");
        assert!(error.contains("the old one goes on"), "{error}");
        assert_eq!(l1.call("hello", json!({}))["pid"], pid);
        wait_until("the new process to end", || {
            (l1.own_helpers().len() == processes).then_some(())
        });
    };
    for (text, problem) in broken_versions(&good) {
        write_version(&plugin, &text);
        stays(problem);
    }
    fs::write(&plugin, &good).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&plugin, mode).unwrap();
    stays("is not executable");
    fs::remove_file(&plugin).unwrap();
    stays("No such file");
    fs::create_dir(&plugin).unwrap();
    stays("is not a file");
    fs::remove_dir(&plugin).unwrap();
    write_program(
        dir.path(),
        "mortal",
        &good.replace("\"version\":1", "\"version\":2"),
    );
    reload(&l1, &plugin).unwrap();
    assert_eq!(l1.call("hello", json!({}))["version"], 2);
    let inits = messages(&plugin, "init");
    assert_eq!(
        inits.last().unwrap()["params"]["options"],
        json!({"greeting": "Hi"})
    );
    for (name, problem) in [("bcli", "part of lightningd"), ("nobody", "Could not find")] {
        let error = reload_with(&l1, json!(["reload", name])).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn what_a_reloaded_plugin_has_not_answered_is_answered_all_the_same() {
    let all = judged(&json!(["htlc_accepted"]));
    let open = all.open();
    let Judged { l2, plugin, .. } = &all;
    answers(plugin, "held", &json!({"result": "continue"}));
    let hash = all.pay(&open, "held");
    wait_heard(plugin, "htlc_accepted");
    // The new version adds a method; the request for the old one's is finished by the old one.
    let text = fs::read_to_string(plugin).unwrap();
    let slow = "wait-judge) reply '{}' ;;\n    release-*)";
    let slow = text
        .replace("release-*)", slow)
        .replace("\"release-judge\"", "\"wait-judge\"");
    let waits = r#"release-*) until [ -e "$0.go" ]; do read -r line; done;"#;
    write_version(plugin, &text.replace("release-*)", waits));
    reload(l2, plugin).unwrap();
    wait_until("the second question", || {
        (messages(plugin, "htlc_accepted").len() == 2).then_some(())
    });
    assert_eq!(payment_status(&all.l1, &hash).as_deref(), Some("pending"));
    let mut caller = ln_rpc::client::Client::connect(&l2.rpc_socket()).unwrap();
    let caller = thread::spawn(move || caller.call("release-judge", &json!({})));
    wait_heard(plugin, "release-judge");
    fs::remove_file(format!("{}.held", plugin.display())).unwrap();
    write_version(plugin, &slow);
    reload(l2, plugin).unwrap();
    // The third process lets the HTLC go on.
    assert_eq!(all.outcome(&hash), "complete");
    l2.call("wait-judge", json!({}));
    // The second one is left alone with its request until it has answered.
    assert_eq!(l2.call_err("release-judge", json!({})).0, -32601);
    assert!(!caller.is_finished());
    l2.stop();
    assert!(caller.join().unwrap().is_err());
}

#[test]
fn a_version_that_does_not_care_for_a_hook_is_not_asked() {
    let all = judged(&json!(["htlc_accepted"]));
    let open = all.open();
    let Judged { l2, plugin, .. } = &all;
    answers(plugin, "held", &json!({"result": "continue"}));
    let hash = all.pay(&open, "held");
    wait_heard(plugin, "htlc_accepted");
    let text = fs::read_to_string(plugin).unwrap();
    write_version(plugin, &text.replace("[\"htlc_accepted\"]", "[]"));
    reload(l2, plugin).unwrap();
    assert_eq!(all.outcome(&hash), "complete");
    assert_eq!(messages(plugin, "htlc_accepted").len(), 1);
}

#[test]
fn what_happens_during_a_reload_is_told_once() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), true);
    let l1 = with_plugin(&net, &plugin);
    let good = fs::read_to_string(&plugin).unwrap();
    let beside = |suffix: &str| PathBuf::from(format!("{}.{suffix}", plugin.display()));
    let during_reload = |version: &str, label: &str| {
        fs::remove_file(beside("heard")).unwrap();
        write_version(&plugin, version);
        let outcome = thread::scope(|scope| {
            let reloading = scope.spawn(|| reload(&l1, &plugin));
            wait_heard(&plugin, "init");
            invoice(&l1, 1_000, label);
            assert_eq!(l1.call("hello", json!({}))["version"], 1);
            assert!(
                reload(&l1, &plugin)
                    .unwrap_err()
                    .contains("being reloaded already")
            );
            fs::write(beside("go"), "").unwrap();
            reloading.join().unwrap()
        });
        fs::remove_file(beside("go")).unwrap();
        let told = wait_heard(&plugin, "invoice_creation");
        assert_eq!(told["invoice_creation"]["label"], label);
        outcome
    };
    let slow = |end: &str| {
        let init = format!("init) until [ -e \"$0.go\" ]; do sleep 0.1; done; {end}");
        let version = good.replace("init) reply '{}'", &init);
        let told = "custommsg) printf";
        // It tells which process hears.
        version.replace(
            told,
            "invoice_creation) printf 'new' >\"$0.who\" ;;\n    custommsg) printf",
        )
    };
    let outcome = during_reload(&slow("exit 1"), "one");
    assert!(outcome.unwrap_err().contains("the old one goes on"));
    assert!(!beside("who").exists());
    during_reload(&slow("reply '{}'"), "two").unwrap();
    wait_until("the new process to hear", || {
        beside("who").exists().then_some(())
    });
    invoice(&l1, 1_000, "three");
    wait_until("the third invoice to be told", || {
        let told = messages(&plugin, "invoice_creation");
        let labels: Vec<_> = told
            .iter()
            .map(|told| told["params"]["invoice_creation"]["label"].clone())
            .collect();
        assert!(labels.len() < 3, "{labels:?}");
        (labels == ["two", "three"]).then_some(())
    });
}

#[test]
fn no_peer_is_served_while_plugins_end() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = write_plugin(
        dir.path(),
        "lingering",
        &Script {
            manifest: manifest(json!({"subscriptions": ["shutdown"]})),
            branches: r#"
    init) reply '{}' ;;
    shutdown) while [ ! -e "$0.go" ]; do sleep 0.05; done; exit 0 ;;"#,
        },
    );
    let l2 = with_plugin(&net, &plugin);
    let l1 = net.node("l1");
    net.connect(&l1, &l2);
    thread::scope(|scope| {
        let stopping = scope.spawn(|| l2.call("stop", json!({})));
        // A plugin that has ended by now could not be asked about what the peer wants.
        l1.wait_for("the peer to be away", || {
            let peers = l1.poll("listpeers", json!([l2.id()]))?;
            let peer = peers["peers"].as_array()?.first().cloned();
            let gone = peer.is_none_or(|peer| peer["connected"] == false);
            gone.then_some(())
        });
        assert!(!stopping.is_finished(), "its plugin still runs");
        fs::write(format!("{}.go", plugin.display()), "").unwrap();
        stopping.join().unwrap();
    });
    assert!(l2.wait_for_exit().success());
}

#[test]
fn a_plugin_that_must_be_alone_ends_before_the_new_one_begins() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = write_plugin(
        dir.path(),
        "alone",
        &Script {
            manifest: manifest(json!({
                "rpcmethods": [{"name": "hello", "usage": ""}],
                "subscriptions": ["shutdown", "invoice_creation"],
            })),
            branches: r#"
    init) if mkdir "$0.lock"; then reply '{}'; else fail '{"code":1,"message":"locked"}'; fi ;;
    shutdown) rmdir "$0.lock"; exit 0 ;;
    hello) reply '{}' ;;"#,
        },
    );
    let l1 = with_plugin(&net, &plugin);
    let error = reload(&l1, &plugin).unwrap_err();
    assert!(error.contains("locked"), "{error}");
    reload_with(
        &l1,
        json!({"subcommand": "reload", "plugin": "alone", "stop_first": true}),
    )
    .unwrap();
    l1.call("hello", json!({}));
    // If the new one can't then, it is started again later.
    let good = fs::read_to_string(&plugin).unwrap();
    let bad = good.replace("init) if", "init) exit 1; if");
    write_version(&plugin, &bad);
    let error = reload_with(&l1, json!(["reload", "alone", true])).unwrap_err();
    assert!(error.contains("the old one has ended"), "{error}");
    l1.wait_log("plugin-alone: is started again in");
    write_version(&plugin, &good);
    l1.wait_for("the plugin to be back", || l1.poll("hello", json!({})));
}

#[test]
fn a_plugin_whose_file_changes_is_reloaded_by_itself_if_developers_want_that() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = mortal(dir.path(), false);
    let options = NodeOptions::default()
        .argument(format!("--plugin={}", plugin.display()))
        .argument("--dev-plugin-autoreload");
    let l1 = net.node_with("l1", options);
    let good = fs::read_to_string(&plugin).unwrap();
    let version = |number: u32| good.replace("\"version\":1", &format!("\"version\":{number}"));
    let wait_version = |number: u32| {
        l1.wait_for("the new version", || {
            (l1.poll("hello", json!({}))?["version"] == number).then_some(())
        })
    };
    write_version(&plugin, &version(2));
    wait_version(2);
    l1.wait_log("plugin-mortal: its file has changed: reloading it");
    write_version(&plugin, "#!/bin/sh\nexit 1\n");
    l1.wait_log("UNUSUAL plugin-mortal: ");
    l1.wait_log("ended before it answered getmanifest; the old one goes on");
    wait_version(2);
    fs::remove_file(&plugin).unwrap();
    wait_version(2);
    write_program(dir.path(), "mortal", &version(3));
    wait_version(3);
}
