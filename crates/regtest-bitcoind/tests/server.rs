//! The server from outside: HTTP, authentication, files, signals, and the command line client.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use regtest_bitcoind::client::{Client, ClientError};
use regtest_bitcoind::harness::{CREDENTIALS, RegtestChain, ReservedPort, is_original};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The daemon under test; the harness may run another one, these tests are about ours.
const DAEMON: &str = env!("CARGO_BIN_EXE_regtest-bitcoind");
const CLI: &str = env!("CARGO_BIN_EXE_regtest-cli");

/// Sends bytes and returns all that comes back until the server closes.
fn raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // A server that has seen enough may hang up before it has read everything; what it said is there to read all the same.
    let _refused = stream.write_all(request.as_bytes());
    let _closed = stream.shutdown(std::net::Shutdown::Write);
    let mut reply = Vec::new();
    let _reset = stream.read_to_end(&mut reply);
    String::from_utf8(reply).unwrap()
}

fn post(port: u16, credentials: &str, path: &str, body: &str) -> (u16, String) {
    let timeout = Some(Duration::from_secs(180));
    Client::new(&format!("127.0.0.1:{port}"), credentials, timeout)
        .post(path, body)
        .unwrap()
}

fn daemon(dir: &Path, arguments: &[&str]) -> Child {
    Command::new(DAEMON)
        .arg("-regtest")
        .arg(format!("-datadir={}", dir.display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads the daemon's output until it is ready.
fn wait_ready(child: &mut Child) -> String {
    let (mut text, mut byte) = (Vec::new(), [0_u8; 1]);
    let out = child.stdout.as_mut().unwrap();
    while !text.ends_with(b"Done loading\n") {
        assert_eq!(
            out.read(&mut byte).unwrap(),
            1,
            "ended early: {}",
            String::from_utf8_lossy(&text)
        );
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

fn cli(dir: &Path, port: u16, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(CLI)
        .arg("-regtest")
        .arg(format!("-datadir={}", dir.display()))
        .arg(format!("-rpcport={port}"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that does not read closes the pipe.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn wrong_or_missing_passwords_get_401() {
    let chain = RegtestChain::start().unwrap();
    let call = r#"{"method":"getblockcount","params":[],"id":1}"#;
    assert_eq!(post(chain.port(), CREDENTIALS, "/", call).0, 200);
    assert_eq!(post(chain.port(), "regtest:wrong", "/", call).0, 401);
    let reply = raw(
        chain.port(),
        "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert!(reply.starts_with("HTTP/1.1 401 "), "{reply}");
    assert!(
        reply.contains("WWW-Authenticate: Basic realm=\"jsonrpc\""),
        "{reply}"
    );
}

#[test]
fn malformed_requests_are_answered_and_survived() {
    let chain = RegtestChain::start().unwrap();
    let port = chain.port();
    let error = |body: &str| -> (u16, i64) {
        let (status, reply) = post(port, CREDENTIALS, "/", body);
        let reply: Value = serde_json::from_str(&reply).unwrap();
        (status, reply["error"]["code"].as_i64().unwrap())
    };
    assert_eq!(error("{"), (500, -32700));
    assert_eq!(error("3"), (500, -32700));
    assert_eq!(error(r#"{"id":1}"#), (400, -32600));
    assert_eq!(error(r#"{"method":1}"#), (400, -32600));
    assert_eq!(
        error(r#"{"method":"getblockcount","params":"x"}"#),
        (400, -32600)
    );
    assert_eq!(error(r#"{"method":"nonsense","id":1}"#), (404, -32601));
    assert_eq!(
        error(r#"{"method":"getblockhash","params":["x"]}"#),
        (500, -3)
    );
    assert_eq!(error(r#"{"method":"getblockhash","params":[]}"#), (500, -1));
    assert_eq!(
        error(r#"{"method":"getblockhash","params":[1,2,3]}"#),
        (500, -1)
    );
    assert_eq!(
        error(r#"{"method":"getblockhash","params":{"no":1}}"#),
        (500, -8)
    );
    assert_eq!(post(port, CREDENTIALS, "/elsewhere", "{}").0, 404);
    let deep = "[".repeat(100_000);
    assert_eq!(error(&deep), (500, -32700));
    for bytes in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n{",
    ] {
        raw(port, bytes);
    }
    let reply = raw(
        port,
        "POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n",
    );
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert_eq!(chain.height(), 0);
}

#[test]
fn batches_keep_their_order_and_named_parameters_work() {
    let chain = RegtestChain::start().unwrap();
    chain.mine(2);
    let batch = json!([
        {"method": "getblockhash", "params": [0], "id": "a"},
        {"method": "getblockhash", "params": {"height": 99}, "id": 2},
        {"method": "getblockcount", "id": null},
        5
    ]);
    let (status, reply) = post(chain.port(), CREDENTIALS, "/", &batch.to_string());
    let reply: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(status, 200);
    assert_eq!(reply[0]["id"], "a");
    assert!(reply[0]["error"].is_null() && reply[0]["result"].is_string());
    assert_eq!(
        (&reply[1]["error"]["code"], &reply[1]["id"]),
        (&json!(-8), &json!(2))
    );
    assert_eq!(reply[2]["result"], 2);
    assert_eq!(reply[3]["error"]["code"], -32600);
    let named = chain.call(
        "getblock",
        json!({"blockhash": reply[0]["result"], "verbosity": 0}),
    );
    assert!(named.is_string());
    let aliased = chain.call(
        "getblock",
        json!({"args": [reply[0]["result"]], "verbose": 0}),
    );
    assert_eq!(named, aliased);
    let version_2 = r#"{"jsonrpc":"2.0","method":"getblockhash","params":[99],"id":7}"#;
    let (status, reply) = post(chain.port(), CREDENTIALS, "/", version_2);
    let reply: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!((status, reply.get("result")), (200, None));
    assert_eq!(reply["jsonrpc"], "2.0");
    let notification = r#"{"jsonrpc":"2.0","method":"getblockcount"}"#;
    assert_eq!(
        post(chain.port(), CREDENTIALS, "/", notification),
        (204, String::new())
    );
}

#[test]
fn waiting_calls_return_when_the_tip_moves() {
    let chain = RegtestChain::start().unwrap();
    let address = format!("127.0.0.1:{}", chain.port());
    let now = chain.call("waitfornewblock", json!([1]));
    assert_eq!(now["height"], 0, "times out with the old tip");
    let waiter = std::thread::spawn(move || {
        let mut client = Client::new(&address, CREDENTIALS, Some(Duration::from_secs(180)));
        client
            .call("waitforblockheight", &json!([2, 60_000]))
            .unwrap()
    });
    chain.mine(1);
    let first = chain.call("getbestblockhash", json!([]));
    chain.mine(1);
    assert_eq!(waiter.join().unwrap()["height"], 2);
    let seen = chain.call("waitfornewblock", json!([60_000, first]));
    assert_eq!(seen["height"], 2, "the tip moved on before the call");
    let best = chain.call("getbestblockhash", json!([]));
    assert_eq!(chain.call("waitforblock", json!([best]))["hash"], best);
}

#[test]
fn one_instance_per_directory_and_port() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (reserved, elsewhere) = (ReservedPort::new(), ReservedPort::new());
    let port = format!("-rpcport={}", reserved.number());
    let mut first = daemon(dir.path(), &[&port]);
    wait_ready(&mut first);
    let second = daemon(dir.path(), &[&format!("-rpcport={}", elsewhere.number())]);
    let second = second.wait_with_output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("Cannot obtain a lock on directory"),
        "{}",
        stderr(&second)
    );
    let third = daemon(other.path(), &[&port]).wait_with_output().unwrap();
    assert_eq!(third.status.code(), Some(1));
    assert!(
        stderr(&third).contains("Unable to bind to 127.0.0.1:"),
        "{}",
        stderr(&third)
    );
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_signal_ends_it_cleanly_and_the_cookie_goes() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().unwrap();
        let reserved = ReservedPort::new();
        let port = reserved.number();
        let mut child = daemon(dir.path(), &[&format!("-rpcport={port}")]);
        wait_ready(&mut child);
        let cookie = dir.path().join("regtest/.cookie");
        let credentials = std::fs::read_to_string(&cookie).unwrap();
        assert!(credentials.starts_with("__cookie__:"));
        let call = r#"{"method":"getblockcount"}"#;
        assert_eq!(post(port, &credentials, "/", call).0, 200);
        assert_eq!(
            stdout(&cli(dir.path(), port, &["getblockcount"], "")),
            "0\n"
        );
        assert!(dir.path().join("regtest/bitcoind.pid").exists());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(!cookie.exists());
        let log = std::fs::read_to_string(dir.path().join("regtest/debug.log")).unwrap();
        assert!(log.contains("Done loading") && log.contains("Shutdown: done"));
    }
}

#[test]
fn stop_answers_and_ends_waiting_calls() {
    let mut chain = RegtestChain::start().unwrap();
    let address = format!("127.0.0.1:{}", chain.port());
    let waiter = std::thread::spawn(move || {
        let mut client = Client::new(&address, CREDENTIALS, Some(Duration::from_secs(180)));
        client.call("waitfornewblock", &json!([]))
    });
    assert_eq!(chain.call("stop", json!([])), "Bitcoin Core stopping");
    assert_eq!(chain.wait_for_exit(), Some(0));
    let _answered_or_closed = waiter.join().unwrap();
    assert!(matches!(
        chain.try_call("uptime", json!([])),
        Err(ClientError::Io(..))
    ));
}

#[test]
fn bad_command_lines_say_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let fails = |arguments: &[&str]| {
        let output = daemon(dir.path(), arguments).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    assert!(fails(&["-nonsense"]).contains("Invalid parameter -nonsense"));
    assert!(fails(&["word"]).contains("unexpected token 'word'"));
    assert!(fails(&["-regtest=0"]).contains("add -regtest"));
    assert!(fails(&["-chain=main"]).contains("chain 'main' is not known here"));
    assert!(fails(&["-rpcport=x"]).contains("Invalid value for -rpcport"));
    assert!(fails(&["-fallbackfee=x"]).contains("Invalid amount for -fallbackfee"));
    assert!(fails(&["-datadir=/nonexistent"]).contains("does not exist"));
    let version = Command::new(DAEMON).arg("-version").output().unwrap();
    assert!(stdout(&version).starts_with("Bitcoin Core daemon version v29.0.0"));
}

#[test]
fn the_configuration_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let reserved = ReservedPort::new();
    let port = reserved.number();
    let text = format!(
        "regtest=1\nrpcuser=me\nrpcpassword=secret\nrpcport=1\nfallbackfee=0.00003\n[regtest]\nrpcport={port}\n"
    );
    std::fs::write(dir.path().join("bitcoin.conf"), text).unwrap();
    let mut child = Command::new(DAEMON)
        .arg(format!("-datadir={}", dir.path().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_ready(&mut child);
    // The client reads the same file.
    let mut client = Command::new(CLI);
    let output = client
        .arg(format!("-datadir={}", dir.path().display()))
        .arg("stop")
        .output();
    assert_eq!(stdout(&output.unwrap()), "Bitcoin Core stopping\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn in_memory_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let reserved = ReservedPort::new();
    let port = format!("-rpcport={}", reserved.number());
    let options = [&port, "-inmemory", "-rpcuser=u", "-rpcpassword=p"];
    for _ in 0..2 {
        let mut child = daemon(dir.path(), &options);
        wait_ready(&mut child);
        let mut client = Client::new(
            &format!("127.0.0.1:{}", port.strip_prefix("-rpcport=").unwrap()),
            "u:p",
            Some(Duration::from_secs(180)),
        );
        assert_eq!(client.call("getblockcount", &json!([])).unwrap(), 0);
        let address = client.call("getnewaddress", &json!([])).unwrap();
        client
            .call("generatetoaddress", &json!([3, address]))
            .unwrap();
        client.call("stop", &json!([])).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert!(!dir.path().join("regtest/blocks").exists());
}

#[test]
fn a_torn_journal_loses_only_its_tail() {
    let mut chain = RegtestChain::start().unwrap();
    if is_original() {
        return;
    }
    chain.mine(5);
    let path = chain.dir().join("regtest/blocks/chain.dat");
    chain.call("stop", json!([]));
    chain.wait_for_exit();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    chain.kill_and_restart().unwrap();
    assert_eq!(chain.height(), 4);
    chain.mine(1);
    chain.kill_and_restart().unwrap();
    assert_eq!(chain.height(), 5);
}

#[test]
fn the_client_prints_and_exits_as_bitcoin_cli() {
    let chain = RegtestChain::start().unwrap();
    let login = ["-rpcuser=regtest", "-rpcpassword=regtest"];
    let run = |arguments: &[&str], input: &str| {
        let all: Vec<&str> = login.iter().chain(arguments).copied().collect();
        cli(chain.dir(), chain.port(), &all, input)
    };
    let mined = run(&["-generate", "2"], "");
    let mined: Value = serde_json::from_slice(&mined.stdout).unwrap();
    assert_eq!(mined["blocks"].as_array().unwrap().len(), 2);
    assert_eq!(stdout(&run(&["getblockcount"], "")), "2\n");
    assert_eq!(stdout(&run(&["getpeerinfo"], "")), "[\n]\n");
    let failed = run(&["getblockhash", "99"], "");
    assert_eq!(failed.status.code(), Some(8));
    assert_eq!(
        stderr(&failed),
        "error code: -8\nerror message:\nBlock height out of range\n"
    );
    let hash = stdout(&run(&["getblockhash", "1"], ""));
    let hash = hash.trim();
    let block = run(
        &[
            "-named",
            "getblock",
            &format!("blockhash={hash}"),
            "verbosity=1",
        ],
        "",
    );
    assert!(stdout(&block).starts_with(&format!("{{\n  \"hash\": \"{hash}\",\n  \"confirm")));
    let from_input = run(&["-stdin", "getblock"], &format!("{hash}\n0\n"));
    assert!(from_input.status.success() && stdout(&from_input).len() > 160);
    let password = ["-rpcuser=regtest", "-stdinrpcpass", "getblockcount"];
    assert_eq!(
        stdout(&cli(chain.dir(), chain.port(), &password, "regtest\n")),
        "2\n"
    );
    let wrong = ["-rpcuser=regtest", "-rpcpassword=wrong", "getblockcount"];
    let wrong = cli(chain.dir(), chain.port(), &wrong, "");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("Authorization failed: Incorrect rpcuser or rpcpassword"));
    let null = run(&["preciousblock", hash], "");
    assert_eq!((null.status.code(), stdout(&null).as_str()), (Some(0), ""));
    assert_eq!(run(&["getbalance"], "").stdout, b"0.00000000\n");
}

#[test]
fn the_client_waits_for_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let reserved = ReservedPort::new();
    let port = reserved.number();
    let login = ["-rpcuser=u", "-rpcpassword=p"];
    let refused = cli(
        dir.path(),
        port,
        &[&login[..], &["getblockcount"]].concat(),
        "",
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).starts_with("error: Could not connect to the server 127.0.0.1:"));
    let patient = [
        &login[..],
        &["-rpcwait", "-rpcwaittimeout=1", "getblockcount"],
    ]
    .concat();
    assert_eq!(cli(dir.path(), port, &patient, "").status.code(), Some(1));
    let path = dir.path().to_owned();
    let waiter = std::thread::spawn(move || {
        cli(
            &path,
            port,
            &["-rpcuser=u", "-rpcpassword=p", "-rpcwait", "getblockcount"],
            "",
        )
    });
    let mut child = daemon(
        dir.path(),
        &[&format!("-rpcport={port}"), "-rpcuser=u", "-rpcpassword=p"],
    );
    wait_ready(&mut child);
    assert_eq!(stdout(&waiter.join().unwrap()), "0\n");
    child.kill().unwrap();
    child.wait().unwrap();
}
