//! What a node must survive: the list of bad inputs, T1 to T10.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{Read, Write};

use ln_codec::{Decode, Encode};
use ln_ipc::connectd::*;
use ln_ipc::gossipd::{ConnectdToGossipd, SendToPeer};
use ln_types::{ChannelId, Features, Network};
use ln_wire::{GossipTimestampFilter, PeerMessage};
use support::{Config, Node, RawPeer, channel_message, features, init, open};

const CHANNEL: ChannelId = ChannelId([7; 32]);

/// The node still takes a new peer.
fn is_alive(node: &Node) {
    let mut peer = node.raw_peer(99);
    peer.send(&[0, 18, 0, 1, 0, 0]);
    assert_eq!(peer.recv().unwrap(), [0, 19, 0, 1, 0]);
}

#[test]
fn t1_bad_acts_end_the_connection_and_nothing_else() {
    let node = Node::start(1);
    let mut infinity = [0; 50];
    infinity[1..34].fill(0);
    for act in [[0xff; 50], [0; 50], infinity] {
        let mut stream = open(&node.bindings[0]);
        stream.write_all(&act).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    // A truncated act, then the end.
    let mut stream = open(&node.bindings[0]);
    stream.write_all(&[0; 49]).unwrap();
    drop(stream);
    // Our own key.
    let peer = RawPeer::handshake(&node.bindings[0], node.id, 1);
    peer.must_be_closed();
    is_alive(&node);
}

#[test]
fn t2_and_t4_a_flood_of_unfinished_handshakes_keeps_nobody_out() {
    let node = Node::start(1);
    let half_open: Vec<_> = (0..200).map(|_| open(&node.bindings[0])).collect();
    is_alive(&node);
    drop(half_open);
}

#[test]
fn t2_a_handshake_that_stalls_times_out() {
    let config = Config {
        timeout_secs: 1,
        ..Config::default()
    };
    let node = Node::with(1, config);
    let mut silent = open(&node.bindings[0]);
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    // After the handshake, but before init: with time enough for the handshake on a slow machine.
    let config = Config {
        timeout_secs: 10,
        ..Config::default()
    };
    let node = Node::with(1, config);
    let mut peer = RawPeer::handshake(&node.bindings[0], node.id, 2);
    assert!(peer.recv().is_some(), "init");
    peer.must_be_closed();
}

#[test]
fn t3_empty_and_one_byte_messages_are_refused_and_the_longest_passes() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    node.connected();
    let mut longest = vec![0x80, 1];
    longest.resize(65535, 0);
    peer.send(&longest);
    assert!(matches!(node.next(), FromConnectd::CustomMessage(_)));
    for short in [&[][..], &[0]] {
        let mut peer = node.raw_peer(3);
        peer.send(short);
        peer.must_be_refused("without a type");
    }
}

#[test]
fn t3_key_rotation_in_both_directions() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    for _ in 0..1100 {
        peer.send(&[0, 18, 0, 0, 0, 0]);
        assert_eq!(peer.recv().unwrap(), [0, 19, 0, 0]);
    }
}

#[test]
fn t4_the_same_node_again_replaces_its_old_connection_in_order() {
    let mut node = Node::start(1);
    let old = node.raw_peer(2);
    let first = node.connected();
    let daemon = node.attach(&first, CHANNEL);
    for _ in 0..5 {
        let new = node.raw_peer(2);
        assert_eq!(node.disconnected().id, first.id);
        let next = node.connected();
        assert!(next.counter > first.counter);
        drop(new);
        assert_eq!(node.disconnected().counter, next.counter);
        let _again = node.raw_peer(2);
        node.connected();
    }
    daemon.wait_for_end();
    old.must_be_closed();
    is_alive(&node);
}

#[test]
fn t5_a_peer_that_never_reads_does_not_disturb_others() {
    let mut node = Node::start(1);
    let mut peer = node.raw_peer(2);
    let connected = node.connected();
    let mut daemon = node.attach(&connected, CHANNEL);
    let flood = std::thread::spawn(move || {
        let big = channel_message(132, CHANNEL, 65535);
        for _ in 0..300 {
            daemon.send(&big);
        }
        daemon
    });
    is_alive(&node);
    let mut count = 0;
    while count < 300 {
        assert_eq!(peer.recv().unwrap().len(), 65535);
        count += 1;
    }
    flood.join().unwrap();
}

#[test]
fn t5_who_lets_megabytes_of_answers_pile_up_is_dropped() {
    let mut node = Node::start(1);
    let peer = node.raw_peer(2);
    let id = node.connected().id;
    for _ in 0..500 {
        node.tell_as_gossipd(SendToPeer {
            id,
            message: vec![1; 65535],
        });
    }
    assert!(node.disconnected().reason.contains("does not read"));
    drop(peer);
    is_alive(&node);
}

#[test]
fn t6_pings() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    for unanswered in 65532..=65535_u16 {
        let [high, low] = unanswered.to_be_bytes();
        peer.send(&[0, 18, high, low, 0, 0]);
    }
    // Pongs nobody asked for, one of the greatest length.
    peer.send(&[0, 19, 0, 0]);
    let mut pong = vec![0, 19, 0xff, 0xfb];
    pong.resize(65535, 0);
    peer.send(&pong);
    peer.send(&[0, 18, 0xff, 0xfb, 0, 0]);
    assert_eq!(peer.recv().unwrap().len(), 65535);
    peer.send(&[0, 18, 0, 0, 0, 9]);
    peer.must_be_refused("Invalid ping");
}

#[test]
fn t6_a_ping_flood_is_answered_at_the_peers_own_cost() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    peer.send_many(&vec![vec![0, 18, 0xff, 0xfb, 0, 0]; 5000]);
    is_alive(&node);
    assert_eq!(peer.recv().unwrap().len(), 65535);
}

#[test]
fn t7_unknown_types() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    node.connected();
    for number in [3_u16, 255, 32769] {
        let message = number.to_be_bytes().to_vec();
        peer.send(&message);
        let FromConnectd::CustomMessage(custom) = node.next() else {
            panic!("not passed on")
        };
        assert_eq!(custom.message, message);
    }
    for number in [4_u16, 254, 512, 32768] {
        let mut peer = node.raw_peer(3);
        peer.send(&number.to_be_bytes());
        peer.must_be_refused("unknown even");
    }
}

#[test]
fn t8_before_during_and_after_init() {
    let node = Node::start(1);
    let start = || {
        let mut peer = RawPeer::handshake(&node.bindings[0], node.id, 2);
        assert!(peer.recv().unwrap().starts_with(&[0, 16]));
        peer
    };
    for early in [
        vec![0, 18, 0, 1, 0, 0],
        channel_message(136, CHANNEL, 100),
        vec![],
        vec![0x80, 0],
        vec![0, 16, 0],
    ] {
        let mut peer = start();
        peer.send(&early);
        peer.must_be_closed();
    }
    let mut patient = start();
    patient.send(&[0x80, 1, 9]);
    patient.send(&init(&features(), Network::Regtest));
    patient.send(&[0, 18, 0, 0, 0, 0]);
    assert!(patient.recv().is_some());
    patient.send(&init(&features(), Network::Regtest));
    patient.must_be_refused("second init");

    let mut elsewhere = start();
    elsewhere.send(&init(&features(), Network::Bitcoin));
    elsewhere.must_be_refused("No common network");
    let with = |bits: &[u16]| {
        init(
            &bits.iter().copied().collect::<Features>(),
            Network::Regtest,
        )
    };
    let mut impossible = start();
    impossible.send(&with(&[0, 8, 12, 14, 200]));
    impossible.must_be_refused("Unsupported feature 200");
    let mut careless = start();
    careless.send(&with(&[17]));
    careless.must_be_refused("Feature 17 requires feature 15");
    let mut huge = start();
    let mut message = vec![0, 16, 0, 0, 0xff, 0];
    message.resize(6 + 0xff00, 0xaa);
    huge.send(&message);
    huge.must_be_refused("bytes of features");
    is_alive(&node);
}

#[test]
fn t9_known_messages_that_do_not_decode_end_the_connection() {
    let node = Node::start(1);
    let bad = [
        vec![0, 17, 1],
        vec![0, 1, 1],
        vec![0, 19, 0, 5],
        vec![1, 9, 0],
        vec![2, 1, 0],
        channel_message(128, CHANNEL, 34)[..33].to_vec(),
    ];
    for message in bad {
        let mut peer = node.raw_peer(2);
        peer.send(&message);
        peer.must_be_refused("");
    }
    is_alive(&node);
}

#[test]
fn t10_a_daemon_that_sends_too_much_loses_its_own_channel_only() {
    let mut node = Node::start(1);
    let mut peer = node.raw_peer(2);
    let connected = node.connected();
    let mut sane = node.attach(&connected, ChannelId([8; 32]));
    let mut mad = node.attach(&connected, CHANNEL);
    mad.send(&channel_message(128, CHANNEL, 65536));
    mad.wait_for_end();
    node.wait_for_log("65536 bytes");
    let message = channel_message(132, ChannelId([8; 32]), 65535);
    sane.send(&message);
    assert_eq!(peer.recv().unwrap(), message);
}

#[test]
fn a_frame_that_was_tampered_with_ends_the_connection() {
    let node = Node::start(1);
    let mut peer = node.raw_peer(2);
    node.connected();
    peer.stream.write_all(&[0; 100]).unwrap();
    assert!(node.disconnected().reason.contains("authenticate"));
    peer.must_be_closed();
}

#[test]
fn gossip_goes_to_gossipd_and_the_store_to_whoever_asks() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut store = ln_gossip::store::new_store([3; 32]);
    let gossip = |byte| [&[1, 2][..], &[byte; 100]].concat();
    for byte in 0..50 {
        ln_gossip::store::append(&mut store, &gossip(byte), 1_700_000_000);
    }
    std::fs::write(file.path(), &store).unwrap();
    let mut node = Node::start(1);
    node.give_store(file.path());
    let mut peer = node.raw_peer(2);
    let connected = node.connected();
    assert!(matches!(node.gossip(), ConnectdToGossipd::PeerNew(_)));
    peer.send(&gossip(7));
    let ConnectdToGossipd::PeerGossip(heard) = node.gossip() else {
        panic!("gossipd heard nothing")
    };
    assert_eq!((heard.id, heard.message), (connected.id, gossip(7)));
    let filter = GossipTimestampFilter {
        chain_hash: Network::Regtest.chain_hash(),
        first_timestamp: 0,
        timestamp_range: u32::MAX,
    };
    peer.send(&PeerMessage::from(filter).to_bytes());
    for byte in (0..50).filter(|byte| *byte != 7) {
        assert_eq!(
            peer.recv().unwrap(),
            gossip(byte),
            "all but what it told us itself"
        );
    }
    assert!(
        matches!(node.gossip(), ConnectdToGossipd::PeerGossip(_)),
        "gossipd hears of the filter"
    );
    ln_gossip::store::append(&mut store, &gossip(77), 1_700_000_000);
    std::fs::write(file.path(), &store).unwrap();
    assert_eq!(
        peer.recv().unwrap(),
        gossip(77),
        "news come with the next flush"
    );
    node.tell_as_gossipd(SendToPeer {
        id: connected.id,
        message: gossip(88),
    });
    assert_eq!(peer.recv().unwrap(), gossip(88));
    drop(peer);
    assert!(matches!(node.gossip(), ConnectdToGossipd::PeerGone(_)));
    assert!(PeerMessage::from_bytes(&[0, 18, 0, 0, 0, 0]).is_ok());
}
