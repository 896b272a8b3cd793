//! Plugins that are watched: floods, permissions, what they are doing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, program, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{Script, manifest, write_plugin};
use crate::support::Pair;

const FLOOD: &str = r#"go) reply '{}'; yes '{"jsonrpc":"2.0","method":"log","params":{"level":"debug","message":"drop"}}' ;;"#;

#[test]
fn a_node_works_while_a_plugin_floods_its_output() {
    let dir = TempDir::new().unwrap();
    let script = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "go", "usage": ""}]})),
        branches: FLOOD,
    };
    let plugin = write_plugin(dir.path(), "flood", &script);
    let argument = format!("--plugin={}", plugin.display());
    let pair = Pair::start_with(NodeOptions::default().argument(argument));
    let begin = Instant::now();
    for node in [&pair.l1, &pair.l2] {
        node.call("go", json!({}));
    }
    for node in [&pair.l1, &pair.l2] {
        node.wait_log("UNUSUAL plugin-flood: writes more than 2000 messages or 4 MiB a second");
    }
    pair.pay(10_000, "in the flood");
    for node in [&pair.l1, &pair.l2] {
        node.call("getinfo", json!({}));
        let listed = node.call("plugin", json!(["list"]));
        assert!(listed.to_string().contains("/flood"), "the flood goes on");
        let drops = node.log().all_with("plugin-flood: drop").len();
        let most = 21_000 + 2 * begin.elapsed().as_millis();
        assert!(drops as u128 <= most, "{drops} of at most {most}");
        assert_eq!(node.log().all_with("it is read more slowly").len(), 1);
    }
}

/// How many requests the flood on the socket has.
const REQUESTS: usize = 15_000;

/// The client of the next test: another process, started by a plugin.
#[test]
fn flooding_client() {
    let Ok(socket) = std::env::var("FLOODED_SOCKET") else {
        return;
    };
    let mut stream = UnixStream::connect(&socket).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"nothing","params":{}}"#;
        (0..REQUESTS).for_each(|_| stream.write_all(request.as_bytes()).unwrap());
        stream
    });
    let mut replies = 0;
    let mut chunk = vec![0; 65536];
    while replies < REQUESTS {
        let read = reader.read(&mut chunk).unwrap();
        assert!(read > 0);
        replies += chunk[..read]
            .windows(2)
            .filter(|two| two == b"\n\n")
            .count();
    }
    drop(writing.join());
    fs::write(format!("{socket}.flooded"), "").unwrap();
}

#[test]
fn a_node_works_while_a_plugin_floods_its_socket() {
    let dir = TempDir::new().unwrap();
    let client = std::env::current_exe().unwrap();
    let branches = format!(
        "go) reply '{{}}'; FLOODED_SOCKET=$PWD/lightning-rpc '{}' --exact plugin_guard::flooding_client >/dev/null 2>&1 & ;;",
        client.display()
    );
    let script = Script {
        manifest: manifest(json!({"rpcmethods": [{"name": "go", "usage": ""}]})),
        branches: &branches,
    };
    let plugin = write_plugin(dir.path(), "asker", &script);
    let net = TestNet::start();
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let node = net.node_with("l1", options);
    let begin = Instant::now();
    node.call("go", json!({}));
    let flooded = format!("{}.flooded", node.rpc_socket().display());
    // The rest of the requests is what the rate lets through; a machine that is slower than that never gets there.
    node.wait_for("the flood", || {
        node.call("getinfo", json!({}));
        let slowed = node
            .log()
            .all_with("plugin-asker: calls the node more than 1000 times");
        (!slowed.is_empty() || Path::new(&flooded).exists()).then_some(())
    });
    node.wait_for("the end of the flood", || {
        node.call("getinfo", json!({}));
        Path::new(&flooded).exists().then_some(())
    });
    // The operator is not counted with it, and the plugin got no more than its budget.
    let seconds = begin.elapsed().as_secs();
    assert!(seconds >= 4, "15000 requests in {seconds} seconds");
}

/// A plugin that calls the node with lightning-cli: `call-NAME METHOD` gives what it printed.
fn calling(dir: &Path, name: &str, more: Value) {
    let mut declared = manifest(json!({
        "rpcmethods": [
            {"name": format!("call-{name}"), "usage": "method"},
            {"name": format!("orphan-{name}"), "usage": "method"},
        ],
    }));
    let members = more.as_object().unwrap().clone();
    declared.as_object_mut().unwrap().extend(members);
    let cli = program("lightning-cli");
    let branches = format!(
        r#"
    call-*)
        wanted=$(printf '%s' "$line" | sed 's/.*"params":\["\([^"]*\)"\].*/\1/')
        reply "$('{cli}' --rpc-file="$PWD/lightning-rpc" -R "$wanted" || true)" ;;
    orphan-*)
        NODE=$PPID OUT="$0.orphan" sh -c '(
            exec >"$OUT.new" 2>&1 </dev/null
            sh -c '"'"'
                echo $$ >"$OUT.pid"
                while [ "$(sed "s/.*) //" /proc/$$/stat | cut -d" " -f2)" != "$NODE" ]; do :; done
                "{cli}" --rpc-file="$PWD/lightning-rpc" -R getinfo
                mv "$OUT.new" "$OUT"
            '"'"' &
        )'
        reply '{{}}' ;;
    rpc_command) reply '{{"replace":{{"jsonrpc":"2.0","id":1,"method":"newaddr","params":{{}}}}}}' ;;
    "#,
        cli = cli.display(),
    );
    let script = Script {
        manifest: declared,
        branches: &branches,
    };
    write_plugin(dir, name, &script);
}

#[test]
fn a_plugin_does_what_it_may_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    calling(dir.path(), "free", json!({}));
    calling(dir.path(), "shop", json!({"hooks": ["custommsg"]}));
    let replacing = json!({"hooks": [{"name": "rpc_command", "filters": ["listpeers"]}]});
    calling(dir.path(), "sly", replacing);
    calling(dir.path(), "nosy", json!({"hooks": ["htlc_accepted"]}));
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument("--plugin-permissions=shop:methods=getinfo,call-free:hooks=custommsg")
        .argument("--plugin-permissions=sly:methods=listpeers")
        .argument("--plugin-permissions=nosy:hooks=none")
        .argument("--plugin-permissions=nobody:hooks=none")
        .allow_complaint("plugin-permissions do not let it call 'newaddr'");
    let node = net.node_with("l1", options);
    node.wait_log("plugin-nosy: can't be used: it asks for the hook 'htlc_accepted': the option plugin-permissions=nosy:hooks=... does not name it");
    node.wait_log("plugin-permissions names the plugin 'nobody', which does not run");
    assert_eq!(node.call_err("call-nosy", json!(["getinfo"])).0, -32601);
    assert_eq!(node.call("call-shop", json!(["getinfo"]))["id"], node.id());
    assert!(node.call("call-free", json!(["newaddr"]))["p2tr"].is_string());
    let refused = node.call("call-shop", json!(["newaddr"]));
    assert_eq!(refused["code"], 1502, "{refused}");
    let text = "plugin shop may not call 'newaddr': the option plugin-permissions=shop:methods=... does not name it";
    assert_eq!(refused["message"], text);
    node.wait_log(&format!("UNUSUAL plugin-shop: {text}"));
    // Not with another's hands either.
    assert_eq!(node.call("listpeers", json!({}))["peers"], json!([]));
    node.wait_log("plugin-permissions do not let it call 'newaddr'");

    // Whoever has left the family may not call at all, and is buried when it ends.
    node.call("orphan-shop", json!({}));
    let file = dir.path().join("shop.orphan");
    let said = wait_until("the orphan's word", || fs::read_to_string(&file).ok());
    assert!(said.contains("it can't be told which plugin"), "{said}");
    let pid = fs::read_to_string(format!("{}.pid", file.display())).unwrap();
    wait_until("the orphan to be gone", || {
        let there = Path::new("/proc").join(pid.trim()).exists();
        (!there).then_some(())
    });
    node.call("getinfo", json!({}));
}

#[test]
fn permissions_that_make_no_sense_keep_the_node_from_starting() {
    for (value, text) in [
        (
            "shop:methods=listinvoice",
            "there is no method 'listinvoice': did you mean 'listinvoices'?",
        ),
        (
            "shop:hooks=custommessage",
            "there is no hook 'custommessage'",
        ),
        ("shop", "write NAME:methods="),
    ] {
        let dir = TempDir::new().unwrap();
        let output = Command::new(program("lightningd"))
            .arg(format!("--lightning-dir={}", dir.path().display()))
            .arg("--network=regtest")
            .arg(format!("--plugin-permissions={value}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("--plugin-permissions: "), "{said}");
        assert!(said.contains(text), "{said}");
    }
}

/// A node with two plugins in the same hooks.
fn watched() -> (TestNode, TempDir, TestNet) {
    let dir = TempDir::new().unwrap();
    let options = json!([
        {"name": "shown", "type": "int", "description": "x", "default": 7},
        {"name": "hidden", "type": "string-conceal", "description": "y"},
    ]);
    let hook = |more: Value| {
        let mut hook = json!({"name": "peer_connected"});
        let members = more.as_object().unwrap().clone();
        hook.as_object_mut().unwrap().extend(members);
        json!([hook])
    };
    let branches = "
    peer_connected) reply '{\"result\":\"continue\"}' ;;
    echo) reply '{\"preimage\":\"000102\",\"label\":\"said\"}' ;;
    refuse) fail '{\"code\":5,\"message\":\"no\"}' ;;
    ";
    let first = Script {
        manifest: manifest(json!({
            "options": options,
            "rpcmethods": [{"name": "echo", "usage": ""}, {"name": "refuse", "usage": ""}],
            "subscriptions": ["connect"],
            "hooks": hook(json!({"after": ["b"]})),
        })),
        branches,
    };
    write_plugin(dir.path(), "a", &first);
    let second = Script {
        manifest: manifest(json!({"hooks": hook(json!({}))})),
        branches,
    };
    write_plugin(dir.path(), "b", &second);
    fs::create_dir(dir.path().join("io")).unwrap();
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument(format!("--plugin-dir={}", dir.path().display()))
        .argument(format!("--dev-save-plugin-io={}/io", dir.path().display()))
        .argument("--hidden=secret");
    let node = net.node_with("l1", options);
    (node, dir, net)
}

#[test]
fn what_plugins_do_is_listed_and_saved() {
    let (node, dir, net) = watched();
    let other = net.node("l2");
    net.connect(&other, &node);
    for _ in 0..3 {
        node.call("echo", json!({}));
    }
    node.call_err("refuse", json!({}));
    let path = dir.path().join("a").display().to_string();
    let plain = node.call("plugin", json!(["list"]));
    let entry = json!({"name": path, "active": true, "dynamic": true});
    assert!(plain["plugins"].as_array().unwrap().contains(&entry));

    // Core Lightning's schema does not know what is more.
    let mut client = ln_rpc::client::Client::connect(&node.rpc_socket()).unwrap();
    let verbose = json!({"subcommand": "list", "verbose": true});
    let listed = client.call("plugin", &verbose).unwrap();
    let all = listed["plugins"].as_array().unwrap();
    let a = all.iter().find(|entry| entry["name"] == *path).unwrap();
    assert_eq!(a["state"], "running", "{a}");
    let options = json!([
        {"name": "hidden", "type": "string-conceal", "concealed": true},
        {"name": "shown", "type": "int", "value": 7, "concealed": false},
    ]);
    assert_eq!(a["options"], options);
    assert_eq!(a["methods"], json!(["echo", "refuse"]));
    assert_eq!(a["subscriptions"], json!(["connect"]));
    let hooks = json!([{"name": "peer_connected", "position": 2, "asked_before": ["b"], "asked_after": []}]);
    assert_eq!(a["hooks"], hooks);
    // getmanifest, init, peer_connected, and what was called above.
    assert_eq!(a["calls"], 7, "{a}");
    assert_eq!(a["errors"], 1);
    assert_eq!(a["pending"], 0);
    assert_eq!(a["faults"], 0);
    assert!(a["pid"].as_u64().unwrap() > 1);
    assert!(a["memory_bytes"].as_u64().unwrap() > 10_000);
    assert!(a["latency_p50_us"].as_u64() <= a["latency_p99_us"].as_u64());
    assert_eq!(all[0]["name"], "bcli");
    let word = node.call("plugin", json!(["list", "verbose=false"]));
    assert_eq!(word, plain);

    let files: Vec<_> = fs::read_dir(dir.path().join("io"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    let count = |start: &str| {
        let named = files.iter();
        let named = named.filter(|file| file.file_name().to_string_lossy().starts_with(start));
        named.count()
    };
    assert_eq!(count("hook_out-peer_connected-"), 2);
    assert_eq!(count("hook_in-peer_connected-"), 2);
    assert_eq!(count("notification_out-connect-"), 1);
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap();
        serde_json::from_str::<Value>(&text).unwrap();
    }
}

#[test]
fn a_plugin_is_traced_live() {
    let (node, _dir, _net) = watched();
    let trace = |arguments: &[&str]| {
        let mut child = Command::new(program("lightning-cli"))
            .arg(format!("--rpc-file={}", node.rpc_socket().display()))
            .args(["plugin", "trace"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let intro = lines.next().unwrap().unwrap();
        assert_eq!(intro, "# tracing a: end with Ctrl-C");
        (child, lines)
    };
    let (mut child, mut lines) = trace(&["a", "count=2"]);
    node.call("echo", json!({"payment_secret": "abc", "x": 1}));
    let mut line = || lines.next().unwrap().unwrap();
    let asked = line();
    assert!(
        asked.contains(" to plugin: {\"jsonrpc\":\"2.0\",\"id\":"),
        "{asked}"
    );
    assert!(
        asked.contains("\"params\":{\"payment_secret\":\"(masked)\",\"x\":1}"),
        "{asked}"
    );
    let answered = line();
    assert!(answered.contains(" from plugin after "), "{answered}");
    assert!(
        answered.contains("{\"preimage\":\"(masked)\",\"label\":\"said\"}"),
        "{answered}"
    );
    let rest: Vec<_> = lines.map(|line| line.unwrap()).collect();
    assert!(
        rest.concat()
            .contains("2 messages shown, 0 lost: that was as many as asked for")
    );
    assert!(child.wait().unwrap().success());

    // A watcher that goes, or that does not read, harms nobody.
    let (mut child, lines) = trace(&["a"]);
    for _ in 0..200 {
        node.call("echo", json!({}));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    node.call("echo", json!({}));
    // It ends with the plugin.
    let (mut child, lines) = trace(&["a"]);
    node.call("plugin", json!(["stop", "a"]));
    let rest: Vec<_> = lines.map(|line| line.unwrap()).collect();
    assert!(rest.concat().contains("the plugin ended"), "{rest:?}");
    assert!(child.wait().unwrap().success());
    let unknown = node.call_err("plugin", json!(["trace", "nobody"]));
    assert_eq!(unknown, (-32602, "Could not find plugin nobody".to_owned()));
    let silent = node.call_err("plugin", json!(["trace", "b"]));
    assert!(silent.1.contains("notifications"), "{silent:?}");
}
