//! `daemon`, and telling a service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ln_testkit::nodes::{NodeOptions, TestNet, patience, process_is_running, program, wait_until};
use tempfile::TempDir;

/// Runs lightningd in a directory as an operator would, on the net's chain.
fn lightningd(net: &TestNet, dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program("lightningd"));
    command
        .arg(format!("--lightning-dir={}", dir.display()))
        .args(["--network=regtest", "--autolisten=false", "--disable-dns"])
        .args(["--bitcoin-rpcuser=regtest", "--bitcoin-rpcpassword=regtest"])
        .arg("--bitcoin-rpcconnect=127.0.0.1")
        .arg(format!("--bitcoin-rpcport={}", net.chain.port()))
        .args(more);
    command
}

fn cli(dir: &Path, method: &str) -> Output {
    Command::new(program("lightning-cli"))
        .arg(format!("--lightning-dir={}", dir.display()))
        .args(["--network=regtest", method])
        .output()
        .unwrap()
}

#[test]
fn a_node_in_the_background_serves_when_the_command_returns() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let log = format!("--log-file={}/log", dir.path().display());
    let socket = dir.path().join("notify");
    let listener = UnixDatagram::bind(&socket).unwrap();
    listener.set_read_timeout(Some(patience())).unwrap();
    let started = lightningd(&net, dir.path(), &["--daemon", &log])
        .env("NOTIFY_SOCKET", &socket)
        .output()
        .unwrap();
    assert!(started.status.success(), "{started:?}");
    assert!(started.stderr.is_empty(), "{started:?}");
    let pid_file = dir.path().join("lightningd-regtest.pid");
    let pid = fs::read_to_string(pid_file).unwrap();
    let pid: u32 = pid.trim().parse().unwrap();
    let mut buffer = [0; 200];
    let mut heard = || {
        let length = listener.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert_eq!(heard(), format!("READY=1\nMAINPID={pid}\n"));
    assert!(cli(dir.path(), "getinfo").status.success());
    assert!(cli(dir.path(), "stop").status.success());
    assert_eq!(heard(), "STOPPING=1\n");
    wait_until("the node to end", || {
        (!process_is_running(pid)).then_some(())
    });
}

#[test]
fn what_keeps_a_node_in_the_background_from_starting_is_told() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let log = format!("--log-file={}/log", dir.path().display());
    let fails = |more: &[&str], code: i32, words: &str| {
        let mut command = lightningd(&net, dir.path(), more);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(words), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    };
    fails(&["--daemon"], 1, "daemon needs log-file");
    fails(&["--daemon", "--log-file=-"], 1, "daemon needs log-file");
    fails(
        &["--daemon", &log, "--aliass=x"],
        1,
        "did you mean 'alias'?",
    );
    fails(
        &["--daemon", &log, "--alias=a", "--rescan=x"],
        1,
        "--rescan: ",
    );
    let first = lightningd(&net, dir.path(), &["--daemon", &log]).status();
    assert!(first.unwrap().success());
    fails(&["--daemon", &log], 11, "already running");
    assert!(cli(dir.path(), "stop").status.success());
}

#[test]
fn nothing_is_written_for_options_that_are_wrong() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    for wrong in [
        "--fee-base=x",
        "--log-level=loud",
        "--offline=no",
        "--conf=/none/at/all",
        "--dev-fast-gossip",
    ] {
        let output = lightningd(&net, dir.path(), &[wrong]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{wrong}: {text}");
        assert_eq!(text.lines().count(), 1, "{wrong}: {text}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{wrong}");
    }
}

#[test]
fn a_helper_waits_for_a_debugger() {
    let net = TestNet::start();
    let options = NodeOptions::default()
        .argument("--dev-debugger=lightning_openingd")
        .allow_complaint("waits for a debugger");
    let l1 = net.node_with("l1", options);
    let l2 = net.node("l2");
    net.fund(&l1, ln_types::Sat::from_sat(1_000_000));
    net.connect(&l1, &l2);
    std::thread::scope(|scope| {
        let open = serde_json::json!({"id": l2.id(), "amount": 500_000});
        let opening = scope.spawn(|| l1.call("fundchannel", open));
        let line = l1.wait_log("lightning_openingd waits for a debugger: gdb -p ");
        let pid = line.rsplit(' ').next().unwrap().trim_end_matches(')');
        let go_on = Command::new("kill").args(["-CONT", pid]).status();
        assert!(go_on.unwrap().success());
        assert!(opening.join().unwrap()["txid"].is_string());
    });
}

#[test]
fn peers_come_over_the_path_that_addr_names() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("peer");
    let options = NodeOptions::default()
        .argument("--dev-allow-localhost")
        .argument(format!("--addr={}", path.display()));
    let l2 = net.node_with("l2", options);
    let l1 = net.node("l1");
    let id = format!("{}@{}", l2.id(), path.display());
    let connected = l1.call("connect", serde_json::json!([id]));
    assert_eq!(connected["address"]["type"], "local socket");
    let info = l2.call("getinfo", serde_json::json!({}));
    let announced = info["address"].as_array().unwrap();
    assert!(
        announced.iter().all(|address| address["type"] == "ipv4"),
        "{info}"
    );
}
