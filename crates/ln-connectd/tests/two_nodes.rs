//! Two connectds that talk to each other.
#![allow(
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use ln_ipc::connectd::*;
use ln_ipc::gossipd::{ConnectdToGossipd, PeerNew};
use ln_types::{ChannelId, NetAddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};
use support::{Config, Node, channel_message, features, id};

const CHANNEL: ChannelId = ChannelId([7; 32]);

/// Two nodes, the first of which connected to the second.
fn pair() -> (Node, ConnectdPeerConnected, Node, ConnectdPeerConnected) {
    pair_with(Node::start(1), Node::start(2))
}

fn pair_with(
    mut one: Node,
    two: Node,
) -> (Node, ConnectdPeerConnected, Node, ConnectdPeerConnected) {
    one.connect(two.id, &two.bindings);
    let (at_one, at_two) = (one.connected(), two.connected());
    (one, at_one, two, at_two)
}

#[test]
fn both_sides_learn_who_and_where_the_other_is() {
    let (one, at_one, two, at_two) = pair();
    assert_eq!((at_one.id, at_one.incoming), (two.id, false));
    assert_eq!((at_two.id, at_two.incoming), (one.id, true));
    assert_eq!(at_one.address, two.bindings[0]);
    assert_eq!(at_one.features, features());
    assert_eq!(at_two.features, features());
    assert_eq!(
        at_one.remote_addr,
        Some(at_two.address),
        "the acceptor tells what it sees"
    );
    assert_eq!(at_two.remote_addr, None);
    let new = PeerNew {
        id: two.id,
        gossip_queries: true,
    };
    assert_eq!(one.gossip(), ConnectdToGossipd::PeerNew(new));
    one.wait_for_log("Handed peer, entering loop");
}

#[test]
fn unix_sockets_work_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("peer");
    let bindings = vec![path.to_str().unwrap().to_owned()];
    let two = Node::with(
        2,
        Config {
            bindings,
            ..Config::default()
        },
    );
    let (_one, at_one, _two, at_two) = pair_with(Node::start(1), two);
    assert_eq!(
        at_one.address,
        NetAddr::Unix(path.to_str().unwrap().to_owned())
    );
    assert_eq!(at_two.address, at_one.address);
    assert_eq!(at_one.remote_addr, None);
}

#[test]
fn connecting_again_says_the_same_and_to_nobody_fails() {
    let (mut one, at_one, two, _) = pair();
    one.connect(two.id, &[]);
    assert_eq!(one.connected(), at_one);
    for (peer, addresses, words) in [
        (id(3), vec![], "no address"),
        (one.id, two.bindings.clone(), "our own"),
        (id(3), two.bindings.clone(), "wrong key?"),
        (
            id(3),
            vec!["example.com:1".parse().unwrap()],
            "dns disabled",
        ),
        (
            id(3),
            vec!["/nonexistent".parse().unwrap()],
            "Connection establishment",
        ),
    ] {
        let none = addresses.is_empty();
        one.connect(peer, &addresses);
        let FromConnectd::ConnectFailed(failed) = one.next() else {
            panic!("not failed")
        };
        assert_eq!((failed.id, failed.no_address), (peer, none));
        assert!(failed.reason.contains(words), "{} / {words}", failed.reason);
    }
}

#[test]
fn a_later_address_is_tried_when_the_first_fails() {
    let (mut one, two) = (Node::start(1), Node::start(2));
    // Bound, so that nobody else is given the port, but not listening.
    let flags = SocketFlags::CLOEXEC;
    let dead = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    bind(&dead, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = SocketAddrV4::try_from(getsockname(&dead).unwrap()).unwrap();
    one.connect(
        two.id,
        &[SocketAddr::from(address).into(), two.bindings[0].clone()],
    );
    assert_eq!(one.connected().address, two.bindings[0]);
}

#[test]
fn channel_messages_pass_between_daemons() {
    let (mut one, at_one, mut two, at_two) = pair();
    let mut daemon_one = one.attach(&at_one, CHANNEL);
    let mut daemon_two = two.attach(&at_two, CHANNEL);
    for length in [34, 1500, 65535] {
        let message = channel_message(132, CHANNEL, length);
        daemon_one.send(&message);
        assert_eq!(daemon_two.recv(), message);
        daemon_two.send(&message);
        assert_eq!(daemon_one.recv(), message);
    }
}

#[test]
fn a_thousand_messages_stay_in_order() {
    let (mut one, at_one, mut two, at_two) = pair();
    let mut daemon_one = one.attach(&at_one, CHANNEL);
    let daemon_two = two.attach(&at_two, CHANNEL);
    let messages: Vec<_> = (34..1500)
        .map(|length| channel_message(128, CHANNEL, length))
        .collect();
    let sent = messages.clone();
    let sender = std::thread::spawn(move || {
        for message in &sent {
            daemon_one.send(message);
        }
        daemon_one
    });
    for message in &messages {
        assert_eq!(&daemon_two.recv(), message);
    }
    sender.join().unwrap();
}

#[test]
fn a_daemon_that_does_not_read_stops_only_its_own_peer() {
    let (mut one, at_one, two, at_two) = pair();
    let three = Node::start(3);
    let mut two = two;
    two.connect(three.id, &three.bindings);
    let (two_to_three, three_to_two) = (two.connected(), three.connected());
    let mut three = three;
    // Nobody attaches CHANNEL at two for its connection with one: what comes is kept up to a bound, then the peer is not read.
    let mut flooding = one.attach(&at_one, CHANNEL);
    std::thread::spawn(move || {
        let big = channel_message(128, CHANNEL, 65535);
        for _ in 0..100 {
            flooding.send(&big);
        }
        flooding
    });
    assert_eq!(two.spoke().channel_id, CHANNEL);
    let (mut a, b) = (
        two.attach(&two_to_three, CHANNEL),
        three.attach(&three_to_two, CHANNEL),
    );
    let message = channel_message(132, CHANNEL, 100);
    a.send(&message);
    assert_eq!(b.recv(), message);
    // Once somebody comes, everything is delivered.
    let daemon = two.attach(&at_two, CHANNEL);
    for _ in 0..100 {
        assert_eq!(daemon.recv().len(), 65535);
    }
}

#[test]
fn a_message_for_nobody_is_reported_and_kept() {
    let (mut one, at_one, mut two, at_two) = pair();
    let mut daemon_one = one.attach(&at_one, CHANNEL);
    let message = channel_message(136, CHANNEL, 100);
    daemon_one.send(&message);
    let spoke = two.spoke();
    let expected = ConnectdPeerSpoke {
        id: one.id,
        counter: at_two.counter,
        channel_id: CHANNEL,
        message_type: 136,
    };
    assert_eq!(spoke, expected);
    let daemon_two = two.attach(&at_two, CHANNEL);
    assert_eq!(daemon_two.recv(), message);
    let other = ChannelId([8; 32]);
    let message = channel_message(136, other, 100);
    daemon_one.send(&message);
    assert_eq!(two.spoke().channel_id, other);
    two.tell(ConnectdRejectSpoke {
        id: one.id,
        counter: at_two.counter,
        channel_id: other,
    });
    // Sent until the rejection has arrived: from then on it is news again.
    daemon_one.send(&message);
    two.tell(ConnectdPing {
        id: one.id,
        request: 1,
        len: 0,
        pong_bytes: 0,
    });
    loop {
        match two.next() {
            FromConnectd::PeerSpoke(spoke) => assert_eq!(spoke.channel_id, other),
            FromConnectd::PingReply(_) => break,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_daemon_said_before_the_end_still_arrives() {
    let (mut one, at_one, mut two, at_two) = pair();
    let mut daemon_one = one.attach(&at_one, CHANNEL);
    let daemon_two = two.attach(&at_two, CHANNEL);
    let last = channel_message(38, CHANNEL, 100);
    daemon_one.send(&last);
    drop(daemon_one);
    one.tell(ConnectdDisconnect {
        id: two.id,
        counter: at_one.counter + 100,
    });
    one.tell(ConnectdDisconnect {
        id: two.id,
        counter: at_one.counter,
    });
    assert_eq!(daemon_two.recv(), last);
    daemon_two.wait_for_end();
    assert_eq!(one.disconnected().counter, at_one.counter);
    assert_eq!(two.disconnected().counter, at_two.counter);
}

#[test]
fn a_last_message_of_lightningd_is_sent_before_the_end() {
    let (mut one, _, two, _) = pair();
    let warning = [&[0, 1][..], &[0; 32], &[0, 2], b"so"].concat();
    one.tell(ConnectdSendMessage {
        id: two.id,
        message: warning,
        then_disconnect: true,
    });
    let FromConnectd::PeerError(error) = two.next() else {
        panic!("no warning")
    };
    assert_eq!(
        (error.warning, error.text.as_str(), error.channel_id),
        (true, "so", ChannelId::ALL)
    );
    two.disconnected();
    one.disconnected();
}

#[test]
fn an_error_for_all_channels_is_reported_and_ends_the_connection() {
    let (mut one, _, two, _) = pair();
    let error = [&[0, 17][..], &[0; 32], &[0, 2], b"no"].concat();
    one.tell(ConnectdSendMessage {
        id: two.id,
        message: error,
        then_disconnect: false,
    });
    let FromConnectd::PeerError(error) = two.next() else {
        panic!("no error")
    };
    assert_eq!((error.warning, error.text.as_str()), (false, "no"));
    two.disconnected();
    one.disconnected();
}

#[test]
fn custom_messages_are_passed_on() {
    let (mut one, _, two, _) = pair();
    let message = vec![0x80, 1, 1, 2, 3];
    one.tell(ConnectdSendMessage {
        id: two.id,
        message: message.clone(),
        then_disconnect: false,
    });
    let FromConnectd::CustomMessage(custom) = two.next() else {
        panic!("no custom message")
    };
    assert_eq!((custom.id, custom.message), (one.id, message));
}

#[test]
fn the_ping_command_is_answered() {
    let (mut one, _, two, _) = pair();
    let ping = |id, request, pong_bytes| ConnectdPing {
        id,
        request,
        len: 128,
        pong_bytes,
    };
    let reply = |request, total_len| {
        FromConnectd::PingReply(ConnectdPingReply {
            request,
            total_len,
            error: None,
        })
    };
    one.tell(ping(two.id, 1, 128));
    assert_eq!(one.next(), reply(1, 132));
    one.tell(ping(two.id, 2, 65531));
    assert_eq!(one.next(), reply(2, 65535));
    one.tell(ping(two.id, 3, 65532));
    assert_eq!(one.next(), reply(3, 0));
    one.tell(ping(id(9), 4, 0));
    let FromConnectd::PingReply(failed) = one.next() else {
        panic!("no reply")
    };
    assert!(failed.error.unwrap().contains("not connected"));
}

#[test]
fn an_important_peer_is_dialled_again() {
    let dev = ConnectdDev {
        fast_reconnect: true,
        ..ConnectdDev::default()
    };
    let mut one = Node::with(
        1,
        Config {
            dev,
            ..Config::default()
        },
    );
    let mut two = Node::start(2);
    one.tell(ConnectdSetImportant {
        id: two.id,
        important: true,
        addresses: two.bindings.clone(),
    });
    let (first, at_two) = (one.connected(), two.connected());
    two.tell(ConnectdDisconnect {
        id: one.id,
        counter: at_two.counter,
    });
    assert_eq!(one.disconnected().counter, first.counter);
    assert_eq!(two.disconnected().counter, at_two.counter);
    let second = one.connected();
    assert!(second.counter > first.counter);
    one.tell(ConnectdSetImportant {
        id: two.id,
        important: false,
        addresses: vec![],
    });
    one.tell(ConnectdDisconnect {
        id: two.id,
        counter: second.counter,
    });
    one.disconnected();
}

#[test]
fn both_dialling_at_once_end_up_with_one_connection() {
    let (mut one, mut two) = (Node::start(1), Node::start(2));
    let (at_one, at_two) = (one.bindings.clone(), two.bindings.clone());
    one.connect(two.id, &at_two);
    two.connect(one.id, &at_one);
    // Whatever happened in between, both sides have a connection in the end, and it works.
    let mut ends = [None, None];
    for (node, end) in [&one, &two].into_iter().zip(&mut ends) {
        *end = Some(node.connected());
    }
    two.tell(ConnectdPing {
        id: one.id,
        request: 1,
        len: 0,
        pong_bytes: 1,
    });
    let mut request = 1;
    loop {
        match two.next() {
            FromConnectd::PingReply(reply) if reply.error.is_none() => break,
            FromConnectd::PingReply(_) => {
                request += 1;
                two.tell(ConnectdPing {
                    id: one.id,
                    request,
                    len: 0,
                    pong_bytes: 1,
                });
            }
            FromConnectd::PeerConnected(_) | FromConnectd::PeerDisconnected(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn dev_disconnect_cuts_where_it_is_told() {
    let script = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let dev = ConnectdDev {
            disconnect_file: Some(file.path().to_str().unwrap().to_owned()),
            no_reconnect: true,
            ..ConnectdDev::default()
        };
        (
            file,
            Config {
                dev,
                ..Config::default()
            },
        )
    };
    let (_file, config) = script(
        "=WIRE_INIT\n$WIRE_UPDATE_FEE\n-WIRE_COMMITMENT_SIGNED*2\n+WIRE_SHUTDOWN\n<WIRE_STFU\n",
    );
    let (mut one, mut at_one, mut two, mut at_two) =
        pair_with(Node::with(1, config), Node::start(2));
    one.wait_for_log("dev_disconnect: =WIRE_INIT (WIRE_INIT)");
    let commit = channel_message(132, CHANNEL, 100);
    let mut daemon_one = one.attach(&at_one, CHANNEL);
    let mut daemon_two = two.attach(&at_two, CHANNEL);
    daemon_one.send(&channel_message(134, CHANNEL, 100));
    daemon_one.send(&commit);
    daemon_one.send(&commit);
    assert_eq!(daemon_two.recv(), commit, "the fee was dropped");
    daemon_two.wait_for_end();
    let mut reconnect = |one: &mut Node, two: &mut Node| {
        one.disconnected();
        two.disconnected();
        one.connect(two.id, &two.bindings);
        (at_one, at_two) = (one.connected(), two.connected());
        (one.attach(&at_one, CHANNEL), two.attach(&at_two, CHANNEL))
    };
    (daemon_one, daemon_two) = reconnect(&mut one, &mut two);
    let shutdown = channel_message(38, CHANNEL, 100);
    daemon_one.send(&shutdown);
    daemon_one.send_if_there(&commit);
    assert_eq!(daemon_two.recv(), shutdown);
    daemon_two.wait_for_end();
    (daemon_one, daemon_two) = reconnect(&mut one, &mut two);
    let stfu = channel_message(2, CHANNEL, 100);
    daemon_two.send(&stfu);
    assert_eq!(daemon_one.recv(), stfu);
    daemon_one.wait_for_end();
}

#[test]
fn an_address_in_use_is_reported() {
    let taken = Node::start(1);
    let address = taken.bindings[0].to_string();
    let config = Config {
        bindings: vec![address.clone()],
        ..Config::default()
    };
    let error = Node::try_with(5, config).err().unwrap();
    assert!(error.contains(&address), "{error}");
    assert!(error.contains("another program"), "{error}");
}
