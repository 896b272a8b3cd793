//! Peers find each other.

use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use serde_json::{Value, json};

/// What `listpeers` tells about the only peer.
fn only_peer(node: &TestNode) -> Option<Value> {
    let reply = node.poll("listpeers", json!({}))?;
    let peers = reply["peers"].as_array()?;
    assert!(peers.len() <= 1, "{peers:?}");
    peers.first().cloned()
}

fn wait_connected(node: &TestNode, peer: &TestNode) {
    node.wait_for("the peer in listpeers", || {
        let found = only_peer(node)?;
        (found["id"] == peer.id() && found["connected"] == true).then_some(())
    });
}

#[test]
fn over_tcp() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let reply = l1.call("connect", json!([l2.id(), "127.0.0.1", l2.port()]));
    assert_eq!(reply["id"], l2.id());
    assert_eq!(reply["direction"], "out");
    assert_eq!(reply["address"]["port"], l2.port());
    wait_connected(&l1, &l2);
    wait_connected(&l2, &l1);
    // Once more is no error.
    let again = l1.call(
        "connect",
        json!([format!("{}@127.0.0.1:{}", l2.id(), l2.port())]),
    );
    assert_eq!(again["id"], l2.id());
    let pong = l1.call("ping", json!({"id": l2.id(), "len": 100, "pongbytes": 50}));
    assert_eq!(pong["totlen"], 54);
    l1.call("disconnect", json!([l2.id()]));
    for node in [&l1, &l2] {
        node.wait_for("the end of the connection", || {
            let connected = only_peer(node).is_some_and(|peer| peer["connected"] == true);
            (!connected).then_some(())
        });
    }
}

#[test]
fn by_the_name_localhost_without_dns() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    l1.call("connect", json!([l2.id(), "localhost", l2.port()]));
    wait_connected(&l1, &l2);
}

#[test]
fn over_a_unix_socket() {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let l2 = net.node_with("l2", NodeOptions::default().unix_socket());
    let info = l2.call("getinfo", json!({}));
    let sockets: Vec<&Value> = info["binding"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|place| place["type"] == "local socket")
        .collect();
    assert_eq!(sockets.len(), 1, "{info}");
    let place = format!("{}@{}", l2.id(), l2.peer_socket().display());
    let reply = l1.call("connect", json!([place]));
    assert_eq!(reply["address"]["type"], "local socket");
    wait_connected(&l2, &l1);
}

#[test]
fn in_vain() {
    let net = TestNet::start();
    let (l1, l2) = (net.node("l1"), net.node("l2"));
    let stranger = "02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let port = l2.port();
    assert_eq!(
        l1.call_err("connect", json!([l2.id()])).0,
        400,
        "no address is known"
    );
    // Somebody else's key: the handshake fails.
    let wrong = l1.call_err("connect", json!([stranger, "127.0.0.1", port]));
    assert!(matches!(wrong.0, 401 | 402 | -32602), "{wrong:?}");
    let nobody = l1.call_err("connect", json!([l2.id(), "127.0.0.1", 1]));
    assert_eq!(nobody.0, 401, "{nobody:?}");
    assert_eq!(l1.call_err("disconnect", json!([l2.id()])).0, -32602);
    l1.call("connect", json!([l2.id(), "127.0.0.1", port]));
}
