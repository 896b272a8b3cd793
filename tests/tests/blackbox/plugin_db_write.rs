//! A plugin that keeps a copy of the database: it never differs, whatever ends in between.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode, wait_until};
use ln_testkit::schemas;
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins::{put, write_program};
use crate::support::{invoice, payment_status, send, to_us_at_rest};

/// Keeps a copy beside itself, and before each transaction compares what is committed with it. `PLUGIN.do` says what it does instead of
/// answering, once: `kill` the node, `die`, `refuse`, `hang`; with a word, such as a table's name, not before a transaction that holds it:
/// `kill invoices`. `PLUGIN compare DATABASE` compares at another time.
const COPIER: &str = r#"#!/usr/bin/env python3
import json, os, shutil, signal, sqlite3, sys, time

me = sys.argv[0]
copy_path, before_path, state_path = me + ".copy", me + ".before", me + ".state"


def dump(path):
    if not os.path.exists(path):
        return list(sqlite3.connect(":memory:").iterdump())
    connection = sqlite3.connect("file:" + path + "?mode=ro", uri=True)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def complain(text):
    with open(me + ".complaints", "a") as file:
        file.write(text + "\n")


def compare(database):
    ours, theirs = dump(copy_path), dump(database)
    if ours != theirs:
        lines = [line for line in ours + theirs if (line in ours) != (line in theirs)]
        complain("the copy differs: " + repr(lines[:6]))


if len(sys.argv) > 2 and sys.argv[1] == "compare":
    compare(sys.argv[2])
    sys.exit(0)

known = None
if os.path.exists(state_path):
    known = int(open(state_path).read())
first = True


def write(version, writes):
    global known, first
    if known is not None and first and version == known:
        # The last one was never committed.
        shutil.copyfile(before_path, copy_path)
        with open(me + ".rolled-back", "a") as file:
            file.write(str(version) + "\n")
    elif known is not None and version != (known + 1) % 2**32:
        complain("%d follows %d" % (version, known))
    first = False
    compare("lightningd.sqlite3")
    if os.path.exists(copy_path):
        shutil.copyfile(copy_path, before_path)
    else:
        open(before_path, "w").close()
    connection = sqlite3.connect(copy_path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for statement in writes:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()
    known = version
    with open(state_path + ".new", "w") as file:
        file.write(str(version))
    os.rename(state_path + ".new", state_path)


def special(writes):
    try:
        todo, _, word = open(me + ".do").read().partition(" ")
    except FileNotFoundError:
        return None
    if not any(word in statement for statement in writes):
        return None
    os.remove(me + ".do")
    return todo


for line in sys.stdin:
    if not line.strip():
        continue
    message = json.loads(line)
    method = message["method"]
    if "id" not in message:
        continue
    result = {}
    if method == "getmanifest":
        result = {"options": [], "rpcmethods": [], "dynamic": True, "hooks": ["db_write"]}
    elif method == "db_write":
        params = message["params"]
        with open(me + ".heard", "a") as file:
            file.write(json.dumps(params) + "\n")
        todo = special(params["writes"])
        if todo == "die":
            sys.exit(1)
        write(params["data_version"], params["writes"])
        if todo == "kill":
            os.kill(os.getppid(), signal.SIGKILL)
            sys.exit(0)
        if todo == "hang":
            open(me + ".hangs", "w").close()
            time.sleep(100000)
        result = {"result": "no" if todo == "refuse" else "continue"}
    elif method == "init":
        open(me + ".init", "w").close()
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

struct Copier(PathBuf);

impl Copier {
    fn new(dir: &Path, name: &str) -> Self {
        Self(write_program(dir, name, COPIER))
    }

    fn file(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}.{ending}", self.0.display()))
    }

    fn read(&self, ending: &str) -> String {
        fs::read_to_string(self.file(ending)).unwrap_or_default()
    }

    fn next_time(&self, what: &str) {
        put(&self.file("do"), what);
    }

    /// The copy is the database, now and each time before.
    fn check(&self, node: &TestNode) {
        let database = node.dir().join("regtest/lightningd.sqlite3");
        let mut compare = Command::new(&self.0);
        compare.arg("compare").arg(database);
        assert!(compare.status().unwrap().success());
        assert_eq!(self.read("complaints"), "");
    }

    fn heard(&self) -> Vec<Value> {
        let text = self.read("heard");
        // It may be writing the last one at this moment.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn set(node: &TestNode, key: &str) {
    let params = json!({"key": key, "string": "it's ☕", "mode": "create-or-replace"});
    node.call("datastore", params);
}

#[test]
fn a_copy_is_the_database_after_each_commit_and_each_crash() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let copier = Copier::new(dir.path(), "copier.py");
    let option = |plugin: &Path| format!("--plugin={}", plugin.display());
    let l1 = net.node("l1");
    let l2 = net.node_with("l2", NodeOptions::default().argument(option(&copier.0)));
    let heard = copier.heard();
    for call in &heard {
        schemas::check_hook("db_write", call).assert("db_write");
    }
    // From the first transaction on, which makes the tables.
    assert_eq!(heard[0]["data_version"], 1);
    let first = heard[0]["writes"][0].as_str().unwrap();
    assert_eq!(first, "CREATE TABLE version (version INTEGER)");

    let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    let pay = |label: &str| {
        let bill = invoice(&l2, 10_000, label);
        send(&l1, &l2, &open, &bill, 10_000);
        bill["payment_hash"].clone()
    };
    let paid = |hash: &Value| {
        l1.wait_for("the payment", || {
            (payment_status(&l1, hash)? == "complete").then_some(())
        });
    };
    paid(&pay("quiet"));
    // The node ends between the copy's commit and its own, in the middle of a payment.
    for (round, when) in ["kill datastore", "kill channel_htlcs", "kill invoices"]
        .iter()
        .enumerate()
    {
        for node in [&l2, &l1] {
            net.wait_usable(node, &open.channel_id);
            // What is left of the payment before is written too.
            to_us_at_rest(node, &open.channel_id);
        }
        let bill = invoice(&l2, 10_000, &format!("round {round}"));
        copier.next_time(when);
        if round == 0 {
            set(&l1, "unconcerned");
            l2.poll("datastore", json!({"key": "last", "string": "word"}));
        } else {
            send(&l1, &l2, &open, &bill, 10_000);
        }
        assert_eq!(l2.wait_for_exit().signal(), Some(9));
        l2.start_again();
        net.connect(&l1, &l2);
        if round == 0 {
            net.wait_usable(&l2, &open.channel_id);
            net.wait_usable(&l1, &open.channel_id);
            send(&l1, &l2, &open, &bill, 10_000);
        }
        paid(&bill["payment_hash"]);
        let back = copier.read("rolled-back");
        assert_eq!(back.lines().count(), round + 1, "{back}");
    }
    // And anywhere else.
    l2.kill();
    l2.start_again();
    l2.stop();
    copier.check(&l2);
}

#[test]
fn a_copy_that_has_a_hole_ends_and_the_node_goes_on() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let names = ["refuse", "die", "hang"];
    let copiers = names.map(|name| Copier::new(dir.path(), name));
    let mut options = NodeOptions::default()
        .argument("--plugin-hook-timeout=hang:db_write=15")
        .argument(format!("--plugin-dir={}", dir.path().display()));
    for name in names {
        options = options.allow_complaint(format!("plugin-{name}"));
    }
    let node = net.node_with("l1", options);
    for (name, copier) in names.iter().zip(&copiers) {
        copier.next_time(name);
    }
    // Nobody waits for more than the transaction: while it waits for the plugins, the node answers.
    std::thread::scope(|scope| {
        let written = scope.spawn(|| set(&node, "key"));
        wait_until("the question", || {
            copiers[2].file("hangs").exists().then_some(())
        });
        node.call("getinfo", json!({}));
        written.join().unwrap();
    });
    for name in names {
        node.wait_log(&format!("BROKEN** plugin-{name}: "));
    }
    let plugins = node.call("plugin", json!(["list"]));
    assert!(!plugins.to_string().contains("refuse"), "{plugins}");
    set(&node, "again");
    let stored = node.call("listdatastore", json!({}));
    assert_eq!(stored["datastore"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_is_committed_without_an_important_copy() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let copier = Copier::new(dir.path(), "copier.py");
    let options = NodeOptions::default()
        .argument(format!("--important-plugin={}", copier.0.display()))
        .allow_complaint("plugin-copier.py")
        .allow_complaint("without it, the node stops");
    let node = net.node_with("l1", options);
    set(&node, "before");
    for what in ["refuse", "die"] {
        copier.next_time(what);
        let params = json!({"key": what, "string": "x"});
        assert!(node.try_call("datastore", params).is_err());
        assert_eq!(node.wait_for_exit().code(), Some(1));
        node.start_again();
        let stored = node.call("listdatastore", json!({}));
        assert_eq!(stored["datastore"].as_array().unwrap().len(), 1);
    }
    node.stop();
    copier.check(&node);
}
