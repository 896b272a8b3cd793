//! `message-padding`: what a peer is sent has one length only.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use ln_noise::{HEADER_LENGTH, TAG_LENGTH};
use support::{Config, Node, RawPeer, features};

const PIECE: usize = 1460;

fn padded_node() -> Node {
    let config = Config {
        message_padding: true,
        ..Config::default()
    };
    Node::with(1, config)
}

fn pinged(peer: &mut RawPeer, pong_bytes: u16) -> Vec<u8> {
    let [high, low] = pong_bytes.to_be_bytes();
    peer.send(&[0, 18, high, low, 0, 0]);
    let pong = peer.recv().unwrap();
    assert!(pong.starts_with(&[0, 19]), "{pong:?}");
    pong
}

#[test]
fn each_answer_fills_whole_pieces() {
    let node = padded_node();
    let mut peer = RawPeer::handshake(&node.bindings[0], node.id, 2);
    peer.exchange_init(&features().with(39));
    for pong_bytes in [0, 5, 1400, 1421, 1423, 3000] {
        let pong = pinged(&mut peer, pong_bytes);
        // A ping that wants no answer.
        let filler = peer.recv().unwrap();
        assert!(filler.starts_with(&[0, 18, 0xff, 0xff]), "{filler:?}");
        let sent = [pong, filler].map(|message| HEADER_LENGTH + message.len() + TAG_LENGTH);
        assert_eq!(sent.iter().sum::<usize>() % PIECE, 0, "{sent:?}");
    }
}

#[test]
fn a_peer_without_onion_messages_gets_no_filler() {
    let node = padded_node();
    let mut peer = node.raw_peer(2);
    for _ in 0..3 {
        pinged(&mut peer, 5);
    }
}
