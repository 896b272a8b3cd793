//! Peers that come by websocket.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use ln_testkit::websocket::bridge;
use ln_types::NetAddr;
use support::{Config, Node, RawPeer, features, open};

fn node() -> Node {
    let config = Config {
        bindings: vec!["ws:127.0.0.1:0".to_owned()],
        timeout_secs: 10,
        ..Config::default()
    };
    Node::with(1, config)
}

fn place(node: &Node) -> SocketAddr {
    node.bindings[0].to_string().parse().unwrap()
}

/// Shakes hands as a browser does.
fn upgraded(node: &Node) -> TcpStream {
    let mut stream = open(&node.bindings[0]);
    let request = "GET / HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    // The key's answer, from RFC 6455.
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    stream
}

fn is_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    // Closed or reset: either will do.
    let _ = stream.read_to_end(&mut rest);
}

fn is_alive(node: &Node) {
    let way = NetAddr::from(bridge(place(node)));
    let mut peer = RawPeer::handshake(&way, node.id, 99);
    peer.exchange_init(&features());
    peer.send(&[0, 18, 0, 1, 0, 0]);
    assert_eq!(peer.recv().unwrap(), [0, 19, 0, 1, 0]);
}

#[test]
fn a_peer_by_websocket_is_like_any_other() {
    let node = node();
    let mut far = Node::start(2);
    far.connect(node.id, &[bridge(place(&node)).into()]);
    let at_far = far.connected();
    let at_node = node.connected();
    assert!(at_node.incoming && !at_far.incoming);
    assert_eq!(at_node.id, far.id);
    // The longest pong there is.
    let mut peer = RawPeer::handshake(&bridge(place(&node)).into(), node.id, 3);
    peer.exchange_init(&features());
    let [high, low] = 65531_u16.to_be_bytes();
    for _ in 0..10 {
        peer.send(&[0, 18, high, low, 0, 0]);
    }
    for _ in 0..10 {
        assert_eq!(peer.recv().unwrap().len(), 65535);
    }
}

#[test]
fn what_is_no_websocket_is_hung_up_on() {
    let node = node();
    let endless = vec![b'x'; 100_000];
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: node\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\n\r\n",
        &[0xff; 200],
        endless.as_slice(),
    ] {
        let mut stream = open(&node.bindings[0]);
        // It may hang up before it has read everything.
        let _ = stream.write_all(bytes);
        is_closed(stream);
    }
    // A peer that speaks plain TCP.
    let mut stream = open(&node.bindings[0]);
    let _ = stream.write_all(&[0; 50]);
    drop(stream);
    is_alive(&node);
}

#[test]
fn a_request_that_never_ends_is_not_waited_for() {
    let config = Config {
        bindings: vec!["ws:127.0.0.1:0".to_owned()],
        timeout_secs: 1,
        ..Config::default()
    };
    let node = Node::with(1, config);
    let mut stream = open(&node.bindings[0]);
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn frames_that_are_too_large_of_text_or_without_a_mask_end_the_connection() {
    let node = node();
    let frames: [&[u8]; 4] = [
        // A binary frame that says it has 2^40 bytes.
        &[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 9],
        // Text.
        &[0x81, 0x81, 0, 0, 0, 0, b'x'],
        // Not masked.
        &[0x82, 0x01, 9],
        // An opcode that is none.
        &[0x8b, 0x80, 0, 0, 0, 0],
    ];
    for frame in frames {
        let mut stream = upgraded(&node);
        stream.write_all(frame).unwrap();
        is_closed(stream);
    }
    is_alive(&node);
}
