//! What happens when bitcoind is away, slow, restarted or not bitcoind at all.
use std::time::{Duration, Instant};

use crate::support::{Act, FakeBitcoind, Host, greeting, html, status};
use ln_rpc::{RpcError, RpcErrorCode};
use regtest_bitcoind::harness::ReservedPort;
use serde_json::{Value, json};

fn info() -> Value {
    json!({"chain": "regtest", "headers": 7, "blocks": 6, "initialblockdownload": false})
}

fn start(acts: Vec<Act>, options: Value) -> (FakeBitcoind, Host) {
    let bitcoind = FakeBitcoind::start(vec![greeting()]);
    bitcoind.then(acts);
    let host = Host::start(bitcoind.port, options);
    (bitcoind, host)
}

fn ask(host: &mut Host) -> Result<Value, RpcError> {
    host.call("getchaininfo", json!([]))
}

#[test]
fn one_connection_serves_all_calls() {
    let acts = (0..20).map(|_| Act::Result(info())).collect();
    let (bitcoind, mut host) = start(acts, json!({}));
    for _ in 0..20 {
        ask(&mut host).unwrap();
    }
    assert!(bitcoind.seen().iter().all(|seen| seen.connection == 0));
}

#[test]
fn a_connection_closed_while_idle_is_replaced_without_an_error() {
    let acts = vec![
        Act::ResultAndClose(info()),
        Act::Result(info()),
        Act::Close,
        Act::Result(info()),
    ];
    let (bitcoind, mut host) = start(acts, json!({}));
    for _ in 0..3 {
        ask(&mut host).unwrap();
    }
    // The last call was sent twice: on the connection that was closed, and on a fresh one.
    let connections: Vec<usize> = bitcoind.seen().iter().map(|s| s.connection).collect();
    assert_eq!(connections, [0, 1, 1, 2]);
}

#[test]
fn a_reply_that_is_cut_off_is_an_error_and_the_next_call_works() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\": ".to_owned();
    let (_bitcoind, mut host) = start(vec![Act::RawAndClose(cut), Act::Result(info())], json!({}));
    let error = ask(&mut host).unwrap_err();
    assert_eq!(error.code, RpcErrorCode::BcliError);
    assert!(error.message.contains("cut off"), "{error}");
    assert_eq!(error.data.clone().unwrap()["transient"], true);
    assert!(ask(&mut host).is_ok());
}

#[test]
fn a_web_page_is_no_answer() {
    let (_bitcoind, mut host) = start(
        vec![
            Act::Raw(html("<html>Sign in</html>")),
            Act::Raw(html("{}{}")),
            Act::Raw(html("")),
            Act::Raw(html("{\"result\": {\"chain\": 7}}")),
            Act::RawAndClose("SSH-2.0-OpenSSH\r\n".to_owned()),
            Act::Result(info()),
        ],
        json!({}),
    );
    for expected in ["<html>Sign in", "HTTP 200", "HTTP 200", "chain", "not HTTP"] {
        let error = ask(&mut host).unwrap_err();
        assert_eq!(error.code, RpcErrorCode::BcliError);
        assert!(error.message.contains(expected), "{error}");
    }
    assert!(ask(&mut host).is_ok());
}

#[test]
fn errors_with_http_200_are_errors_too() {
    // pyln-testing's proxy answers so.
    let error = "{\"error\": {\"code\": -8, \"message\": \"out of range\"}, \"code\": -32603, \"id\": \"bcli\"}";
    let (_bitcoind, mut host) = start(
        vec![
            Act::Raw(html(error)),
            Act::Raw(html("{\"error\": \"go away\"}")),
        ],
        json!({}),
    );
    assert!(
        ask(&mut host)
            .unwrap_err()
            .message
            .contains("error code: -8")
    );
    assert!(ask(&mut host).unwrap_err().message.contains("go away"));
}

#[test]
fn a_bitcoind_that_does_not_answer_fails_the_call() {
    let (_bitcoind, mut host) = start(
        vec![Act::Hang, Act::Result(info())],
        json!({"bitcoin-rpcclienttimeout": 5}),
    );
    let error = ask(&mut host).unwrap_err();
    assert!(error.message.contains("in time"), "{error}");
    assert!(ask(&mut host).is_ok());
}

#[test]
fn a_call_waits_for_a_busy_or_starting_bitcoind() {
    let (bitcoind, mut host) = start(
        vec![
            Act::Raw(status(
                "503 Service Unavailable",
                "Work queue depth exceeded",
            )),
            Act::Error(-28, "Loading block index..."),
            Act::Close,
            Act::Close,
            Act::Result(info()),
        ],
        json!({"bitcoin-retry-timeout": 60}),
    );
    assert!(ask(&mut host).is_ok());
    assert_eq!(bitcoind.seen().len(), 5);
    assert!(
        host.log
            .iter()
            .any(|line| line.contains("Loading block index"))
    );
}

#[test]
fn without_patience_a_starting_bitcoind_is_an_error() {
    let (_bitcoind, mut host) = start(vec![Act::Error(-28, "Verifying blocks...")], json!({}));
    let error = ask(&mut host).unwrap_err();
    assert!(error.message.contains("Verifying blocks"), "{error}");
}

#[test]
fn a_restarted_bitcoinds_new_cookie_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let cookie = dir.path().join("regtest");
    std::fs::create_dir(&cookie).unwrap();
    let cookie = cookie.join(".cookie");
    std::fs::write(&cookie, "__cookie__:one").unwrap();
    let bitcoind = FakeBitcoind::start(vec![greeting()]);
    let options = json!({
        "bitcoin-datadir": dir.path(), "bitcoin-rpcuser": null, "bitcoin-rpcpassword": null,
    });
    let mut host = Host::start(bitcoind.port, options);
    std::fs::write(&cookie, "__cookie__:two").unwrap();
    bitcoind.then(vec![
        Act::Raw(status("401 Unauthorized", "")),
        Act::Result(info()),
    ]);
    assert!(ask(&mut host).is_ok());
    assert_eq!(
        bitcoind.seen()[1].authorization,
        "Basic X19jb29raWVfXzp0d28="
    );
    bitcoind.then(vec![
        Act::Raw(status("401 Unauthorized", "")),
        Act::Raw(status("401 Unauthorized", "")),
    ]);
    let error = ask(&mut host).unwrap_err();
    assert!(error.message.contains("refuses our user"), "{error}");
}

#[test]
fn a_bitcoind_that_does_not_fit_stops_the_start() {
    let refused = |info: Value| {
        let bitcoind = FakeBitcoind::start(vec![Act::Result(info)]);
        let mut host = Host::new();
        host.init(bitcoind.port, json!({})).unwrap_err().message
    };
    assert_eq!(
        refused(json!({"version": 210_000, "localrelay": true})),
        "Unsupported bitcoind version 210000, at least 220000 required."
    );
    assert!(refused(json!({"version": 270_000, "localrelay": false})).contains("blocksonly"));
    let text = refused(json!({"version": "new"}));
    assert!(text.contains("Make sure you have bitcoind running"));
    assert!(
        text.contains("This node is on the network 'regtest'"),
        "{text}"
    );
}

#[test]
fn a_start_waits_for_bitcoind() {
    let bitcoind = FakeBitcoind::start(vec![
        Act::Close,
        Act::Error(-28, "Loading wallet..."),
        greeting(),
    ]);
    let mut host = Host::new();
    host.init(bitcoind.port, json!({"bitcoin-retry-timeout": 60}))
        .unwrap();
    assert_eq!(
        host.log.last().unwrap(),
        "bitcoin-cli initialized and connected to bitcoind."
    );
}

#[test]
fn a_start_waits_as_long_as_it_is_told_to() {
    // Nobody listens there.
    let port = ReservedPort::new();
    let mut host = Host::new();
    let started = Instant::now();
    let error = host
        .init(port.number(), json!({"bitcoin-retry-timeout": 1}))
        .unwrap_err();
    assert!(started.elapsed() >= Duration::from_secs(1));
    for part in [
        "could not connect to the server 127.0.0.1",
        "-stdinrpcpass echo 'hello world'",
    ] {
        assert!(error.message.contains(part), "{error}");
    }

    // Without patience there is one attempt.
    let bitcoind = FakeBitcoind::start(vec![Act::Close, greeting()]);
    let error = Host::new().init(bitcoind.port, json!({})).unwrap_err();
    assert!(
        error
            .message
            .contains("Make sure you have bitcoind running")
    );
    assert!(bitcoind.seen().is_empty());
}

#[test]
fn a_bitcoind_that_takes_the_call_and_does_not_answer_ends_the_start() {
    let bitcoind = FakeBitcoind::start(vec![Act::Hang, greeting()]);
    let options = json!({"bitcoin-retry-timeout": 1, "bitcoin-rpcclienttimeout": 5});
    let error = Host::new().init(bitcoind.port, options).unwrap_err();
    assert!(
        error.message.contains("no complete reply in time"),
        "{error}"
    );
    assert!(bitcoind.seen().is_empty());
}
