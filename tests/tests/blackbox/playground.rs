//! The playground: shapes, the page, several side by side, and what is left behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use ln_testkit::nodes::{HelperProcess, descendants, process_is_running, program, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

fn playground(words: &[&str], tmp: &Path) -> Command {
    let mut command = Command::new(program("lightning-playground"));
    command
        .args(words)
        .env("TMPDIR", tmp)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Runs it to its end: whether it succeeded, and all it printed.
fn outcome(words: &[&str], tmp: &Path) -> (bool, String) {
    let output = playground(words, tmp).output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&shown).into_owned(),
    )
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

/// One that is there to play with.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    shown: String,
}

impl Running {
    fn start(words: &[&str], tmp: &Path) -> Self {
        let mut child = playground(words, tmp).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            out,
            shown: String::new(),
        }
    }

    /// Reads what it prints up to a line with this text.
    fn read_to(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let count = self.out.read_line(&mut line).unwrap();
            self.shown.push_str(&line);
            assert!(count > 0, "it ended before '{text}':\n{}", self.shown);
            if line.contains(text) {
                return;
            }
        }
    }

    fn start_and_wait(words: &[&str], tmp: &Path) -> Self {
        let mut running = Self::start(words, tmp);
        running.read_to("or: PATH=");
        running
    }

    /// What stands behind a heading.
    fn told(&self, heading: &str) -> String {
        let mut lines = self.shown.lines();
        let line = lines.find_map(|line| line.strip_prefix(heading));
        line.unwrap().trim().to_owned()
    }

    fn dir(&self) -> PathBuf {
        PathBuf::from(self.told("Files and logs:"))
    }

    /// Runs one of its commands.
    fn run(&self, name: &str, words: &[&str]) -> Value {
        let output = Command::new(self.dir().join("bin").join(name))
            .args(words)
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name} {words:?}: {output:?}");
        serde_json::from_str(&shown).unwrap_or(Value::String(shown))
    }

    /// What the page draws.
    fn state(&self) -> Value {
        let page = self.told("Page:");
        let address = page.trim_start_matches("http://").trim_end_matches('/');
        // The plugin that serves it starts with its node, which may answer before.
        let mut stream = wait_until("the page", || TcpStream::connect(address).ok());
        let request = format!("GET /state HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The same once every node has answered the page in time, and has its part of these channels.
    fn whole_state(&self, channels: usize) -> Value {
        wait_until("all to answer the page in time", || {
            let state = self.state();
            let nodes = state["nodes"].as_array().unwrap();
            let live = state["channels"].as_array().unwrap();
            let is_whole = nodes.iter().all(|node| node["up"] == true)
                && live.len() == channels
                && live.iter().all(|channel| channel["connected"] == true);
            is_whole.then_some(state)
        })
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end and that of all it started.
    fn wait(mut self) -> bool {
        let left = descendants(self.child.id());
        self.out.read_to_string(&mut self.shown).unwrap();
        let success = self.child.wait().unwrap().success();
        wait_for_ends(&left);
        success
    }

    fn interrupt(self) -> bool {
        self.signal(Signal::INT);
        self.wait()
    }
}

fn wait_for_ends(processes: &[HelperProcess]) {
    for process in processes {
        let what = format!("the end of {}", process.name);
        wait_until(&what, || (!process_is_running(process.pid)).then_some(()));
    }
}

/// The states of the channels that the page draws, and between whom: names in order.
fn channels(state: &Value) -> Vec<(String, String)> {
    let name = |id: &Value| {
        let nodes = state["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == *id).unwrap();
        node["name"].as_str().unwrap().to_owned()
    };
    let channels = state["channels"].as_array().unwrap();
    let mut ends: Vec<_> = channels
        .iter()
        .map(|channel| {
            assert_eq!(channel["state"], "CHANNELD_NORMAL");
            assert_eq!(channel["connected"], true);
            assert_eq!(channel["a_msat"], channel["b_msat"]);
            let (a, b) = (name(&channel["a"]), name(&channel["b"]));
            if a < b { (a, b) } else { (b, a) }
        })
        .collect();
    ends.sort();
    ends
}

fn pairs(names: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = names.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn several_live_side_by_side_and_a_payment_is_drawn() {
    let tmp = TempDir::new().unwrap();
    let ring = Running::start(&["--nodes", "3", "--shape", "ring"], tmp.path());
    let star = Running::start(&["--nodes", "4", "--shape", "star"], tmp.path());
    let [mut ring, mut star] = [ring, star];
    ring.read_to("or: PATH=");
    star.read_to("or: PATH=");
    assert_ne!(ring.told("Page:"), star.told("Page:"));
    let all = pairs(&[("l1", "l2"), ("l1", "l3"), ("l2", "l3")]);
    assert_eq!(channels(&ring.whole_state(all.len())), all);
    let all = pairs(&[("l1", "l2"), ("l1", "l3"), ("l1", "l4")]);
    assert_eq!(channels(&star.whole_state(all.len())), all);
    assert!(ring.shown.contains("alias l3="), "{}", ring.shown);

    let invoice = ring.run("l3", &["invoice", "1000sat", "x", "y"]);
    ring.run("l1", &["pay", invoice["bolt11"].as_str().unwrap()]);
    ring.run("btc", &["-generate", "1"]);
    wait_until("the payment and the block on the page", || {
        let state = ring.state();
        let mut channels = state["channels"].as_array().unwrap().iter();
        let moved = channels.any(|channel| {
            let (a, b) = (&channel["a_msat"], &channel["b_msat"]);
            (a.as_u64() == Some(4_999_000_000) && b.as_u64() == Some(5_001_000_000))
                || (b.as_u64() == Some(4_999_000_000) && a.as_u64() == Some(5_001_000_000))
        });
        (moved && state["height"] == 109).then_some(())
    });

    // Neither those that run nor what is not a playground's is removed.
    let other = tmp.path().join("playground-of-children");
    fs::create_dir(&other).unwrap();
    let (success, shown) = outcome(&["--clean"], tmp.path());
    assert!(
        success && shown.matches("is in use by").count() == 2,
        "{shown}"
    );
    let (success, shown) = outcome(
        &["--clean", "--dir", star.dir().to_str().unwrap()],
        tmp.path(),
    );
    assert!(
        !success && shown.contains("a playground runs in"),
        "{shown}"
    );

    assert!(ring.interrupt());
    assert_eq!(star.run("l4", &["getinfo"])["alias"], "l4");
    star.signal(Signal::TERM);
    assert!(star.wait());
    fs::remove_dir(&other).unwrap();
    assert_eq!(entries(tmp.path()), 0);
}

#[test]
fn a_node_goes_and_comes_back() {
    let tmp = TempDir::new().unwrap();
    let mut line = Running::start_and_wait(&["--nodes", "2"], tmp.path());
    line.run("l2", &["stop"]);
    line.read_to("l2 has ended");
    let state = line.state();
    assert_eq!(state["nodes"][1]["up"], false);
    assert_eq!(state["nodes"][1]["problem"], "not running");
    assert_eq!(state["channels"][0]["connected"], false);
    line.run("start", &["l2", "--alias=back"]);
    assert_eq!(line.run("l2", &["getinfo"])["alias"], "back");
    line.whole_state(1);
    // The one with the page, too.
    line.run("l1", &["stop"]);
    line.read_to("l1 has ended");
    line.run("start", &["l1"]);
    line.whole_state(1);
    for words in [vec!["l1"], vec!["l9"], vec!["btc"], vec!["../l1"], vec![]] {
        let start = Command::new(line.dir().join("bin/start"))
            .args(&words)
            .output()
            .unwrap();
        assert!(!start.status.success(), "{words:?}");
    }
    assert!(line.interrupt());
    assert_eq!(entries(tmp.path()), 0);
}

#[test]
fn one_node_has_coins_and_nobody() {
    let tmp = TempDir::new().unwrap();
    let one = Running::start_and_wait(&["--nodes=1", "--shape=ring"], tmp.path());
    let funds = one.run("l1", &["listfunds"]);
    assert_eq!(funds["outputs"][0]["amount_msat"], 40_000_000_000_u64);
    assert_eq!(one.state()["channels"], json!([]));
    assert!(one.interrupt());
    assert_eq!(entries(tmp.path()), 0);
}

#[test]
fn thirty_nodes_are_a_line() {
    let tmp = TempDir::new().unwrap();
    let thirty = Running::start_and_wait(&["--nodes", "30"], tmp.path());
    // Aliases of so many are in a file.
    let aliases = thirty.dir().join("aliases");
    assert!(thirty.shown.contains(&format!(". '{}'", aliases.display())));
    assert!(fs::read_to_string(aliases).unwrap().contains("alias l30="));
    assert_eq!(channels(&thirty.whole_state(29)).len(), 29);
    assert!(thirty.interrupt());
    assert_eq!(entries(tmp.path()), 0);
}

#[test]
fn the_talk_is_shown_and_then_goes_on() {
    let tmp = TempDir::new().unwrap();
    let dir = tmp.path().join("here");
    let words = ["--script", "talk", "--nodes", "3", "--stay", "--dir"];
    let mut command = playground(&words, tmp.path());
    command.arg(&dir).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut shell = child.stdin.take().unwrap();
    shell
        .write_all(b"l3 listpeerchannels | grep state\\\"\nbtc getblockcount\n")
        .unwrap();
    drop(shell);
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    for part in [
        "$ l2 pay lnbcrt",
        "$ l2 close ",
        "# 3 nodes on a private chain",
        "Page:            http://127.0.0.1:",
        "\"state\": \"CHANNELD_NORMAL\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!dir.exists());
}

#[test]
fn what_a_killed_one_leaves_is_removed_and_only_that() {
    let tmp = TempDir::new().unwrap();
    let line = Running::start_and_wait(&["--nodes", "2"], tmp.path());
    let mine = tmp.path().join("playground-mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("keep"), "me").unwrap();
    let processes = descendants(line.child.id());
    assert!(processes.len() > 8, "{processes:?}");
    line.signal(Signal::KILL);
    assert!(!line.wait());
    // They end without anybody's help.
    wait_for_ends(&processes);
    assert_eq!(entries(tmp.path()), 2);

    let (success, shown) = outcome(&["--clean"], tmp.path());
    assert!(success && shown.contains("Removed "), "{shown}");
    assert_eq!(fs::read_to_string(mine.join("keep")).unwrap(), "me");
    assert_eq!(entries(tmp.path()), 1);
    let (success, shown) = outcome(&["--clean"], tmp.path());
    assert!(success && shown.contains("Nothing to remove"), "{shown}");
    let (success, shown) = outcome(&["--clean", "--dir", mine.to_str().unwrap()], tmp.path());
    assert!(!success && shown.contains("is no playground"), "{shown}");
}

#[test]
fn processes_that_outlive_their_playground_are_ended() {
    let tmp = TempDir::new().unwrap();
    let left = fs::canonicalize(tmp.path())
        .unwrap()
        .join("playground-left");
    fs::create_dir(&left).unwrap();
    // A number that another process has by now.
    let owner = json!({"pid": std::process::id(), "started": 1, "boot": "another"});
    fs::write(left.join("playground.json"), owner.to_string()).unwrap();
    let sleep = |dir: &Path| {
        let mut command = Command::new("sleep");
        command.arg("10000").env("FULGURITE_PLAYGROUND", dir);
        command.spawn().unwrap()
    };
    let mut forgotten = sleep(&left);
    let mut others = sleep(&tmp.path().join("playground-other"));
    // Until it is the program it has this one's environment.
    let environment = format!("/proc/{}/environ", forgotten.id());
    wait_until("the process to be marked", || {
        let text = fs::read(&environment).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.contains("FULGURITE_PLAYGROUND").then_some(())
    });
    let (success, shown) = outcome(&["--clean"], tmp.path());
    assert!(success, "{shown}");
    assert!(!forgotten.wait().unwrap().success());
    assert_eq!(others.try_wait().unwrap(), None);
    others.kill().unwrap();
    others.wait().unwrap();
    assert_eq!(entries(tmp.path()), 0);
}

#[test]
fn an_end_in_the_middle_is_clean() {
    for (moment, signal) in [
        ("# 2 nodes", Signal::INT),
        ("$ regtest-bitcoind", Signal::TERM),
        ("waiting for the chain", Signal::HUP),
        ("waiting for 2 nodes", Signal::INT),
        ("waiting for coins", Signal::TERM),
    ] {
        let tmp = TempDir::new().unwrap();
        let mut line = Running::start(&["--nodes", "2"], tmp.path());
        line.read_to(moment);
        line.signal(signal);
        // Unless everything was there before the signal was.
        let _told = line.wait();
        assert_eq!(entries(tmp.path()), 0, "{moment}");
    }
}

#[test]
fn what_can_not_be_is_refused_and_leaves_nothing() {
    let tmp = TempDir::new().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let full = TempDir::new().unwrap();
    fs::write(full.path().join("mine"), "").unwrap();
    let full_path = full.path().to_str().unwrap();
    for (words, part) in [
        (vec!["--nodes", "0"], "a number from 1 to 100, not 0"),
        (
            vec!["--nodes", "many"],
            "a number from 1 to 100, not 'many'",
        ),
        (vec!["--nodes", "1000000"], "a number from 1 to 100"),
        (vec!["--port", &port], "can't be had"),
        (vec!["--dir", full_path], "not empty"),
        (vec!["--dir", "/proc/nothing/here"], "can't make"),
        (vec!["--clean", "--dir", "/nowhere"], "can't find"),
    ] {
        let (success, shown) = outcome(&words, tmp.path());
        assert!(!success, "{words:?}");
        assert!(shown.starts_with("error: "), "{shown}");
        assert!(shown.contains(part), "{words:?}: {shown}");
        assert_eq!(entries(tmp.path()), 0, "{words:?}");
    }
    assert_eq!(entries(full.path()), 1);
    let (success, shown) = outcome(&["--nodes", "2"], &tmp.path().join("missing"));
    assert!(
        !success && shown.contains("can't make a directory"),
        "{shown}"
    );
}

#[test]
fn no_space_is_told_at_once() {
    let tmp = TempDir::new().unwrap();
    let allowed = Command::new("unshare").args(["-rm", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("not tried: this user may not mount a small file system");
        return;
    }
    let script = "mount -t tmpfs -o size=1m none \"$TMPDIR\" && exec \"$0\" --nodes 2";
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .arg(program("lightning-playground"))
        .env("TMPDIR", tmp.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(shown.contains("no space: 2 nodes need"), "{shown}");
}
