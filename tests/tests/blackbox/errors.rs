//! What a client can do wrong: parameters and bytes.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use ln_testkit::nodes::{TestNet, TestNode, patience};
use serde_json::{Value, json};

/// The parameters are wrong.
const INVALID_PARAMS: i32 = -32602;
const STRANGER: &str = "02c3f6c70fa61f5032f9ac5ec28185cf233d62cd99d71fdf364a899d623313e42e";
const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Method, parameters, code.
fn refusals() -> Vec<(&'static str, Value, i32)> {
    let bad = INVALID_PARAMS;
    vec![
        ("no-such-method", json!({}), -32601),
        ("", json!({}), -32601),
        // Missing.
        ("connect", json!({}), bad),
        ("newaddr", json!(["pigeon"]), bad),
        ("invoice", json!([1000]), bad),
        ("invoice", json!({"amount_msat": 1000, "label": "x"}), bad),
        ("sendpay", json!([]), bad),
        ("withdraw", json!([]), bad),
        // Too many, unknown, twice the same.
        ("getinfo", json!([1]), bad),
        ("getinfo", json!({"why": 1}), bad),
        ("listpeers", json!([STRANGER, "info", 3]), bad),
        ("listfunds", json!({"spent": false, "Spent": true}), bad),
        // Of the wrong kind.
        ("connect", json!(["not a key"]), bad),
        ("connect", json!([STRANGER, "127.0.0.1", 65_536]), bad),
        ("connect", json!([STRANGER, "127.0.0.1", -1]), bad),
        ("connect", json!([STRANGER, "127.0.0.1", "port"]), bad),
        ("connect", json!([{"id": STRANGER}]), bad),
        ("listpeerchannels", json!(["03"]), bad),
        ("listfunds", json!(["maybe"]), bad),
        ("invoice", json!(["lots", "label", "description"]), bad),
        ("invoice", json!([-1, "label", "description"]), bad),
        ("invoice", json!([1.5, "label", "description"]), bad),
        (
            "invoice",
            json!(["18446744073709551616msat", "label", "description"]),
            bad,
        ),
        ("invoice", json!(["1000btcs", "label", "description"]), bad),
        (
            "invoice",
            json!([1000, "label", "description", "soon"]),
            bad,
        ),
        ("waitblockheight", json!(["high"]), bad),
        ("feerates", json!(["perweek"]), bad),
        ("decode", json!([17, 18]), bad),
        ("withdraw", json!(["bcrt1qnonsense", "all"]), -1),
        (
            "withdraw",
            json!(["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "all"]),
            -1,
        ),
        ("sendpay", json!([[], HASH]), bad),
        ("sendpay", json!([[{"id": STRANGER}], HASH]), bad),
        ("close", json!(["nobody"]), bad),
        ("check", json!({}), bad),
        (
            "check",
            json!({"command_to_check": "invoice", "label": "x"}),
            bad,
        ),
        // Impossible.
        ("connect", json!([STRANGER]), 400),
        ("fundchannel", json!([STRANGER, 100_000]), 400),
        (
            "withdraw",
            json!(["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 100_000]),
            301,
        ),
        ("waitinvoice", json!(["nothing"]), -1),
        ("delinvoice", json!(["nothing", "unpaid"]), 905),
        ("waitsendpay", json!([HASH]), 208),
        ("delpay", json!([HASH, "complete"]), 208),
        ("pay", json!(["lnbcrt1nonsense"]), bad),
        ("deldatastore", json!(["nothing"]), 1200),
    ]
}

#[test]
fn wrong_parameters_are_refused_with_their_code() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut wrong = Vec::new();
    for (method, params, code) in refusals() {
        let (got, message) = node.call_err(method, params.clone());
        if got != code || message.is_empty() {
            wrong.push(format!(
                "{method} {params}: {got} \"{message}\", not {code}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    node.call("getinfo", json!({}));
}

#[test]
fn a_label_is_used_once() {
    let net = TestNet::start();
    let node = net.node("l1");
    node.call("invoice", json!([1000, "label", "description"]));
    assert_eq!(
        node.call_err("invoice", json!([1000, "label", "other"])).0,
        900
    );
    let twice = json!({"amount_msat": 1, "label": "a", "description": "", "preimage": HASH});
    node.call("invoice", twice);
    let again = json!({"amount_msat": 1, "label": "b", "description": "", "preimage": HASH});
    assert_eq!(node.call_err("invoice", again).0, 901);
    let deleted = node.call("delinvoice", json!(["label", "unpaid"]));
    assert_eq!(deleted["label"], "label");
    node.call("invoice", json!([1000, "label", "description"]));
    assert_eq!(node.call_err("delinvoice", json!(["label", "paid"])).0, 906);
}

/// Sends bytes to the RPC socket, ends the sending half, and reads what comes until the end.
fn exchange(node: &TestNode, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(node.rpc_socket()).unwrap();
    stream.set_read_timeout(Some(patience())).unwrap();
    // The node may hang up before it has read everything.
    let _refused = stream.write_all(bytes);
    let _closed = stream.shutdown(Shutdown::Write);
    let mut reply = Vec::new();
    let _reset = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

#[test]
fn garbage_on_the_socket_is_answered_and_harms_nobody() {
    let net = TestNet::start();
    let node = net.node("l1");
    let deep = "[".repeat(100_000);
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"",
        "x".repeat(1_000_000)
    );
    let garbage: Vec<&[u8]> = vec![
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\0\0\0\0\xff\xff\xff",
        b"{\"jsonrpc\":\"2.0\",,}",
        b"}",
        b"[]\n\n",
        b"nonsense",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getinfo\",\"params\":\"text\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getinfo\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":[]}",
        b"{\"jsonrpc\":\"1.0\",\"id\":{},\"method\":5,\"params\":[]}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\",\"params\":[]}",
        deep.as_bytes(),
        long.as_bytes(),
    ];
    for bytes in garbage {
        let shown: String = String::from_utf8_lossy(bytes).chars().take(80).collect();
        let reply = exchange(&node, bytes);
        if !reply.is_empty() {
            assert!(reply.ends_with("\n\n"), "{shown}: {reply}");
            let reply: Value = serde_json::from_str(&reply).unwrap_or_default();
            assert!(
                reply["error"]["code"].as_i64().unwrap_or(0) < 0,
                "{shown}: {reply}"
            );
        }
        node.call("getinfo", json!({}));
    }
    assert_eq!(exchange(&node, b""), "");
    assert_eq!(exchange(&node, b"\n\n \n"), "");
}

#[test]
fn malformed_requests_get_the_published_codes() {
    let net = TestNet::start();
    let node = net.node("l1");
    for (request, id) in [
        (
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"getinfo\"}",
            json!(7),
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"params\":[]}",
            json!("a"),
        ),
        ("{\"jsonrpc\":\"2.0\",,}", Value::Null),
    ] {
        let reply: Value = serde_json::from_str(&exchange(&node, request.as_bytes())).unwrap();
        assert_eq!(reply["error"]["code"], -32600, "{request}: {reply}");
        assert_eq!(reply["id"], id, "{request}: {reply}");
    }
}

#[test]
fn requests_may_come_in_any_pieces_and_several_at_once() {
    let net = TestNet::start();
    let node = net.node("l1");
    let request = |id: u32| {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"getinfo\",\"params\":{{}}}}")
    };
    let mut stream = UnixStream::connect(node.rpc_socket()).unwrap();
    for byte in request(1).as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    stream
        .write_all(format!("{}{}", request(2), request(3)).as_bytes())
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    let mut ids: Vec<u64> = serde_json::Deserializer::from_str(&replies)
        .into_iter::<Value>()
        .filter_map(|reply| reply.unwrap()["id"].as_u64())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
}
