use ln_types::{Sat, ShortChannelId};

use crate::samples::{SampleChannel, SampleNode, amount, graph};
use crate::store::{DeleteChannel, internal_bytes};

const A: SampleNode = SampleNode(1);
const B: SampleNode = SampleNode(2);
const C: SampleNode = SampleNode(3);

fn scid(n: u32) -> ShortChannelId {
    ShortChannelId::new(100, n, 0).unwrap()
}

#[test]
fn a_channel_is_there_once_its_amount_is() {
    let ab = SampleChannel::new(scid(1), A, B);
    let half = graph(&[ab.announcement()]);
    assert_eq!(half.channel_count(), 0);
    assert!(half.unfunded().is_some());
    let whole = graph(&[ab.announcement(), amount(1000), ab.update(1, 5)]);
    let channel = whole.channel(scid(1)).unwrap();
    assert_eq!(channel.amount, Sat::from_sat(1000));
    assert_eq!(channel.source(0), ab.nodes[0].id().into());
    assert_eq!(channel.destination(0), ab.nodes[1].id().into());
    assert_eq!(channel.policy(0), None);
    assert_eq!(channel.policy(1).unwrap().timestamp, 5);
    assert_eq!(whole.node_count(), 2);
    assert_eq!((whole.live_records(), whole.dead_records()), (2, 0));
}

#[test]
fn a_later_update_replaces_an_earlier_one() {
    let ab = SampleChannel::new(scid(1), A, B);
    let graph = graph(&[
        ab.announcement(),
        amount(1),
        ab.update(0, 5),
        ab.update(0, 6),
    ]);
    assert_eq!(
        graph.channel(scid(1)).unwrap().policy(0).unwrap().timestamp,
        6
    );
    assert_eq!((graph.live_records(), graph.dead_records()), (2, 1));
}

#[test]
fn nodes_go_with_their_last_channel() {
    let (ab, bc) = (
        SampleChannel::new(scid(1), A, B),
        SampleChannel::new(scid(2), B, C),
    );
    let graph = graph(&[
        ab.announcement(),
        amount(1),
        bc.announcement(),
        amount(2),
        A.announcement(5),
        B.announcement(5),
        internal_bytes(DeleteChannel { scid: scid(1) }),
    ]);
    assert_eq!(graph.node(A.id().into()), None);
    let b = graph.node(B.id().into()).unwrap();
    assert_eq!(b.channels, [scid(2)]);
    assert_eq!(b.announcement.unwrap().timestamp, 5);
    assert_eq!((graph.live_records(), graph.dead_records()), (2, 2));
}

#[test]
fn what_is_about_unknown_channels_and_nodes_is_left_out() {
    let ab = SampleChannel::new(scid(1), A, B);
    let graph = graph(&[
        ab.update(0, 5),
        A.announcement(5),
        amount(1),
        vec![0x10, 0x99],
    ]);
    assert_eq!((graph.channel_count(), graph.node_count()), (0, 0));
    assert_eq!((graph.live_records(), graph.dead_records()), (0, 2));
}

#[test]
fn channels_are_found_by_range() {
    let channels = [1, 2, 3].map(|n| SampleChannel::new(scid(n), A, B));
    let records: Vec<Vec<u8>> = channels
        .iter()
        .flat_map(|channel| [channel.announcement(), amount(1)])
        .collect();
    let graph = graph(&records);
    let between = |from, to| graph.channels_between(scid(from), scid(to)).count();
    assert_eq!(between(2, 3), 2);
    assert_eq!(between(3, 2), 0);
    assert_eq!(graph.node(A.id().into()).unwrap().channels.len(), 3);
}

#[test]
fn a_place_that_becomes_free_is_taken_again() {
    let ab = SampleChannel::new(scid(1), A, B);
    let ac = SampleChannel::new(scid(2), A, C);
    let bc = SampleChannel::new(scid(3), B, C);
    let gone = internal_bytes(DeleteChannel { scid: scid(1) });
    let graph = graph(&[
        ab.announcement(),
        amount(1),
        ac.announcement(),
        amount(2),
        gone,
        bc.announcement(),
        amount(3),
    ]);
    let of = |node: SampleNode| {
        let channels = graph.channels_of(node.id().into());
        let told = channels.map(|(scid, channel)| (scid.transaction(), channel.amount.as_sat()));
        told.collect::<Vec<_>>()
    };
    assert_eq!(of(A), [(2, 2)]);
    assert_eq!(of(B), [(3, 3)]);
    assert_eq!(of(C), [(2, 2), (3, 3)]);
    let named: Vec<_> = graph
        .channels()
        .map(|(scid, _)| scid.transaction())
        .collect();
    assert_eq!(named, [2, 3]);
    assert_eq!(graph.channel_count(), 2);
    assert_eq!(graph.channels_of(SampleNode(9).id().into()).count(), 0);
}
