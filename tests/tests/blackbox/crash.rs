//! What is left behind by a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ln_testkit::nodes::{CallError, NodeOptions, TestNet, TestNode, program, wait_until};
use ln_types::Sat;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Pair, channel};

/// The files that crashes left in a node's directory.
fn reports(node: &TestNode) -> Vec<PathBuf> {
    let entries = fs::read_dir(node.dir().join("regtest")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_report = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("crash.log.")
    };
    paths.filter(is_report).collect()
}

/// A report for its owner only, with nothing of the node's secret in it.
fn read(node: &TestNode, path: &Path) -> String {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let digits = path.extension().unwrap().to_str().unwrap();
    assert!(digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let text = fs::read_to_string(path).unwrap();
    let secret = fs::read(node.dir().join("regtest/hsm_secret")).unwrap();
    let words = String::from_utf8_lossy(&secret[32..]).into_owned();
    assert!(!text.contains(&words));
    text
}

#[test]
fn who_waits_for_a_helper_that_crashes_is_told_where_it_is_written() {
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--dev-panic=openingd:1")
        .allow_complaint("openingd-");
    let l1 = net.node_with("l1", options);
    let l2 = net.node("l2");
    net.fund(&l1, Sat::from_sat(1_000_000));
    net.connect(&l1, &l2);
    let open = json!({"id": l2.id(), "amount": 500_000});
    let (_, message) = l1.call_err("fundchannel", open);
    let [report] = &reports(&l1)[..] else {
        panic!("one crash, one report: {:?}", reports(&l1));
    };
    assert!(
        message.contains("openingd crashed: dev-panic asked for this"),
        "{message}"
    );
    assert!(message.contains(report.to_str().unwrap()), "{message}");
    let text = read(&l1, report);
    assert!(text.contains("dev_panic.rs"), "{text}");
    assert!(
        text.contains("ln_daemon::dev_panic::panic_if_asked"),
        "{text}"
    );
    assert!(text.contains("Server started with public key"), "{text}");
    let line = l1.wait_log("**BROKEN**");
    assert!(line.contains(report.to_str().unwrap()), "{line}");
    assert!(l1.log().all_with("backtrace: ").len() > 3);
    // The others don't mind.
    l1.call("getinfo", json!({}));
    l2.call("getinfo", json!({}));
}

#[test]
fn a_helper_of_the_whole_node_that_crashes_ends_it_with_words() {
    let net = TestNet::start();
    for helper in ["hsmd", "connectd", "gossipd"] {
        let dir = tempfile::TempDir::new().unwrap();
        let output = Command::new(program("lightningd"))
            .arg(format!("--lightning-dir={}", dir.path().display()))
            .args(["--network=regtest", "--developer", "--autolisten=false"])
            .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
            .arg(format!("--bitcoin-rpcport={}", net.chain.port()))
            .arg(format!("--dev-panic={helper}"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(1), "{helper}: {said}");
        let line = format!("{helper} crashed: dev-panic asked for this");
        let line = said.lines().find(|text| text.contains(&line));
        let report = line.unwrap_or_else(|| panic!("{helper}: {said}"));
        let (_, report) = report.rsplit_once("see ").unwrap();
        let report = report.split(['\n', ')']).next().unwrap();
        assert!(report.contains("/regtest/crash.log."), "{helper}: {said}");
        let report = fs::read_to_string(report).unwrap();
        assert!(report.contains("panic_if_asked"), "{helper}: {report}");
    }
}

#[test]
fn a_channel_goes_on_after_its_helper_was_ended_by_a_signal() {
    let options = NodeOptions::default().allow_complaint("channeld-chan#1");
    let pair = Pair::start_with(options);
    let helper = pair.l1.helper("channeld").unwrap();
    let pid = helper.pid.to_string();
    assert!(
        Command::new("kill")
            .args(["-ABRT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let line = pair
        .l1
        .wait_log("channeld crashed: killed by signal: 6 (SIGABRT)");
    let [report] = &reports(&pair.l1)[..] else {
        panic!("one crash, one report");
    };
    assert!(line.contains(report.to_str().unwrap()), "{line}");
    read(&pair.l1, report);
    pair.l1.wait_for("another channeld", || {
        let again = pair.l1.helper("channeld")?;
        (again.pid != helper.pid).then_some(())
    });
    for node in [&pair.l1, &pair.l2] {
        pair.net.wait_usable(node, &pair.open.channel_id);
    }
    pair.pay(10_000, "after the crash");
    assert!(channel(&pair.l1, &pair.open.channel_id).is_some());
}

#[test]
fn the_node_ends_where_it_made_a_mistake_and_comes_up_again() {
    let options = NodeOptions::default().allow_complaint("**BROKEN**");
    let pair = Pair::start_with(options);
    pair.pay(10_000, "before");
    let before = pair.wait_quiet();
    let answer = pair.l1.try_call("dev", json!({"subcommand": "crash"}));
    assert!(
        matches!(answer, Err(CallError::Connection(_))),
        "{answer:?}"
    );
    let status = pair.l1.wait_for_exit();
    assert_eq!(status.signal(), Some(6), "{status}");
    let [report] = &reports(&pair.l1)[..] else {
        panic!("one crash, one report");
    };
    let text = read(&pair.l1, report);
    assert!(text.starts_with("lightningd crashed: dev crash"), "{text}");
    assert!(text.contains("rpc/developer/dev.rs"), "{text}");
    let told = pair.l1.log().all_with("lightningd crashed: ").remove(0);
    assert!(told.contains(report.to_str().unwrap()), "{told}");
    pair.l1.start_again();
    assert_eq!(pair.wait_quiet(), before);
}

/// Who panics in the plugins below.
const PANICS: &str = "ln_plugin::sdk::panic::panic_if_asked";

/// A node whose backend panics when it is asked something, for which it waits: its log, and the files that were left.
fn run_with_backend(arguments: &[String]) -> (String, Vec<String>) {
    let net = TestNet::start();
    let dir = tempfile::TempDir::new().unwrap();
    let log = dir.path().join("log");
    let mut child = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.path().display()))
        .arg(format!("--log-file={}", log.display()))
        .args(["--network=regtest", "--developer", "--autolisten=false"])
        .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
        .arg(format!("--bitcoin-rpcport={}", net.chain.port()))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the backtrace of a panic", || {
        let text = fs::read_to_string(&log).ok()?;
        text.contains(PANICS).then_some(())
    });
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    let entries = fs::read_dir(dir.path().join("regtest")).unwrap();
    let names = entries.map(|entry| entry.unwrap().path());
    let reports = names.filter(|path| path.display().to_string().contains("/crash.log."));
    let reports = reports.map(|path| fs::read_to_string(path).unwrap());
    let reports = reports.collect();
    (fs::read_to_string(log).unwrap(), reports)
}

#[test]
fn a_mistake_in_a_plugin_of_ours_is_in_the_log_and_in_a_file() {
    let (said, reports) = run_with_backend(&["--dev-panic=bcli".to_owned()]);
    let line = said.lines().find(|line| line.contains("panicked: "));
    let line = line.unwrap_or_else(|| panic!("nothing of a panic: {said}"));
    assert!(
        line.contains("**BROKEN** plugin-bcli: bcli panicked: dev-panic asked for this (thread "),
        "{line}"
    );
    assert!(line.contains("ln-plugin/src/sdk/panic.rs:"), "{line}");
    assert!(line.contains("/crash.log."), "{line}");
    let frames = said.lines().filter(|line| line.contains("backtrace: "));
    assert!(frames.clone().count() > 3, "{said}");
    assert!(frames.clone().any(|frame| frame.contains(PANICS)), "{said}");
    assert!(
        reports[0].starts_with("bcli panicked: dev-panic asked for this"),
        "{reports:?}"
    );
    assert!(reports[0].contains(PANICS), "{reports:?}");
}

#[test]
fn a_mistake_in_a_plugin_made_with_the_kit_is_in_the_log() {
    let dir = tempfile::TempDir::new().unwrap();
    let plugin = dir.path().join("chain.sh");
    // Such a plugin is at hand: the built-in one, run as somebody else's.
    let script = format!(
        "#!/bin/bash\nFULGURITE_DEV_PANIC=0 exec -a bcli {}\n",
        program("lightningd").display()
    );
    fs::write(&plugin, script).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let (said, reports) = run_with_backend(&[
        "--disable-plugin=bcli".to_owned(),
        format!("--plugin={}", plugin.display()),
    ]);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("**BROKEN** plugin-chain.sh: "))
        .collect();
    assert!(
        lines[0].contains("panicked: dev-panic asked for this"),
        "{said}"
    );
    assert!(lines[0].contains("ln-plugin/src/sdk/panic.rs:"), "{said}");
    let frame = |line: &&str| line.contains("backtrace: ") && line.contains(PANICS);
    assert!(lines.iter().any(frame), "{said}");
    assert_eq!(
        reports, [""; 0],
        "such files are of the node's own mistakes"
    );
}
