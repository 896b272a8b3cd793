#![allow(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use bitcoin::ScriptBuf;
use ln_codec::Encode;
use ln_types::{Msat, Network};
use ln_wire::{ChannelUpdate, NodeAddress, NodeAddresses, PeerMessage};

mod hostile;
mod sequences;

use super::*;
use crate::samples::{SampleChannel, SampleNode, bytes};
use crate::store::{self, Records};

const US: SampleNode = SampleNode(9);
const A: SampleNode = SampleNode(1);
const B: SampleNode = SampleNode(2);
const C: SampleNode = SampleNode(3);
const NOW: u32 = 1_700_000_000;

fn scid(n: u32) -> ShortChannelId {
    ShortChannelId::new(100, n, 0).unwrap()
}

/// An intake and the store its actions make; checks after each step that a reader of the store comes to the same graph.
struct Rig {
    intake: Intake,
    store: Vec<u8>,
    now: u32,
}

impl Rig {
    fn new() -> Self {
        Self::with_limits(Limits::normal())
    }

    fn with_limits(limits: Limits) -> Self {
        let store = store::new_store([7; 32]);
        let end = u64::try_from(store.len()).unwrap();
        let chain_hash = Network::Regtest.chain_hash();
        let height = BlockHeight(110);
        Self {
            intake: Intake::new(Graph::new(), end, chain_hash, US.id(), height, limits),
            store,
            now: NOW,
        }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let actions = self.intake.step(event, &Env { now: self.now });
        for action in &actions {
            self.carry_out(action);
        }
        assert_eq!(
            u64::try_from(self.store.len()).unwrap(),
            self.intake.store_end()
        );
        self.assert_readers_agree();
        actions
    }

    fn record(&self, at: RecordRef) -> Vec<u8> {
        let start = usize::try_from(at.message_offset()).unwrap();
        self.store[start..start + usize::from(at.length)].to_vec()
    }

    fn put(&mut self, at: RecordRef, header: RecordHeader) {
        let start = usize::try_from(at.offset).unwrap();
        self.store[start..start + 12].copy_from_slice(&header.to_bytes());
    }

    fn carry_out(&mut self, action: &Action) {
        match action {
            Action::Append {
                message,
                timestamp,
                flags,
            } => {
                let header = RecordHeader::new(message, *timestamp, *flags);
                self.store.extend(header.to_bytes());
                self.store.extend(message);
            }
            Action::AppendCopy {
                record,
                timestamp,
                flags,
            } => {
                let message = self.record(*record);
                let header = RecordHeader::new(&message, *timestamp, *flags);
                self.store.extend(header.to_bytes());
                self.store.extend(message);
            }
            Action::SetFlags { record, flags } => {
                let mut header = self.header(*record);
                header.flags = *flags;
                self.put(*record, header);
            }
            Action::SetTimestamp { record, timestamp } => {
                let flags = self.header(*record).flags;
                let header = RecordHeader::new(&self.record(*record), *timestamp, flags);
                self.put(*record, header);
            }
            _ => (),
        }
    }

    fn header(&self, at: RecordRef) -> RecordHeader {
        let start = usize::try_from(at.offset).unwrap();
        let mut reader = ln_codec::Reader::new(&self.store[start..]);
        ln_codec::Decode::decode(&mut reader).unwrap()
    }

    fn assert_readers_agree(&self) {
        let mut graph = Graph::new();
        let mut records = Records::new(&self.store[1..], 1);
        while let Some(record) = records.next_record().unwrap() {
            graph.apply(&record);
        }
        assert_eq!(records.remaining(), 0);
        let ours = &self.intake.graph;
        assert!(graph.channels().eq(ours.channels()));
        assert_eq!(graph.node_count(), ours.node_count());
        for (key, node) in graph.nodes() {
            let (mut theirs, mut mine) = (node.clone(), ours.node(key).unwrap().clone());
            theirs.channels.sort_unstable();
            mine.channels.sort_unstable();
            assert_eq!(theirs, mine);
        }
        assert_eq!(graph.live_records(), ours.live_records());
    }

    fn peer(&mut self, message: Vec<u8>) -> Vec<Action> {
        let peer = SampleNode(77).id();
        self.step(Event::Peer { peer, message })
    }

    /// Sends a message and gives back the text of the warning it earns.
    fn warning(&mut self, message: Vec<u8>) -> Option<String> {
        self.peer(message)
            .into_iter()
            .find_map(|action| match action {
                Action::Send { message, .. } => match *message {
                    PeerMessage::Warning(warning) => Some(warning.text()),
                    other => panic!("{other:?}"),
                },
                _ => None,
            })
    }

    fn ignored(&mut self, message: Vec<u8>) {
        let actions = self.peer(message);
        let quiet = actions
            .iter()
            .all(|action| matches!(action, Action::Log { .. }));
        assert!(quiet, "{actions:?}");
    }

    fn txout(&mut self, scid: ShortChannelId, script: Option<ScriptBuf>) -> Vec<Action> {
        let output = script.map(|script| (Sat::from_sat(1_000_000), script));
        self.step(Event::Txout { scid, output })
    }

    /// A channel accepted from a peer, without updates.
    fn channel(&mut self, n: u32, a: SampleNode, b: SampleNode) -> SampleChannel {
        let channel = SampleChannel::new(scid(n), a, b);
        let actions = self.peer(channel.announcement());
        assert_eq!(actions, [Action::AskTxout { scid: channel.scid }]);
        self.txout(channel.scid, Some(channel.script()));
        assert!(self.intake.graph.channel(channel.scid).is_some());
        channel
    }

    fn timestamp(&self, channel: SampleChannel, direction: u8) -> Option<u32> {
        let channel = self.intake.graph.channel(channel.scid)?;
        channel.policy(direction).map(|policy| policy.timestamp)
    }
}

#[test]
fn a_channel_waits_for_its_output_and_its_updates_wait_with_it() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    rig.ignored(A.announcement(NOW));
    assert_eq!(
        rig.peer(ab.announcement()),
        [Action::AskTxout { scid: scid(1) }]
    );
    rig.ignored(ab.update(0, NOW));
    rig.ignored(ab.update(1, NOW + 1));
    rig.ignored(A.announcement(NOW));
    assert_eq!(rig.intake.graph.channel_count(), 0);
    rig.txout(scid(1), Some(ab.script()));
    assert_eq!(rig.timestamp(ab, 0), Some(NOW));
    assert_eq!(rig.timestamp(ab, 1), Some(NOW + 1));
    let a = rig.intake.graph.node(A.id().into()).unwrap();
    assert_eq!(a.announcement.unwrap().timestamp, NOW);
    // The announcement got the first update's time.
    let at = rig.intake.graph.channel(scid(1)).unwrap().announcement;
    assert_eq!(rig.header(at).timestamp, NOW);
}

#[test]
fn our_own_channel_needs_no_lookup() {
    let mut rig = Rig::new();
    let ours = SampleChannel::new(scid(1), US, A);
    // A peer was quicker, and it is still being looked for.
    rig.peer(ours.announcement());
    let actions = rig.step(Event::Own {
        request: 3,
        message: ours.announcement(),
        known_amount: Some(Sat::from_sat(5)),
    });
    assert!(actions.contains(&Action::Reply {
        request: 3,
        error: None
    }));
    assert_eq!(
        rig.intake.graph.channel(scid(1)).unwrap().amount,
        Sat::from_sat(5)
    );
    assert_eq!(rig.txout(scid(1), None), []);
    let actions = rig.step(Event::Own {
        request: 4,
        message: vec![1, 0, 9],
        known_amount: None,
    });
    assert!(matches!(
        &actions[..],
        [Action::Reply {
            request: 4,
            error: Some(_)
        }]
    ));
}

#[test]
fn an_announcement_that_is_not_deep_enough_waits_for_blocks() {
    let mut rig = Rig::new();
    let early = SampleChannel::new(ShortChannelId::new(107, 1, 0).unwrap(), A, B);
    rig.ignored(early.announcement());
    rig.ignored(early.announcement());
    rig.ignored(early.update(0, NOW));
    assert_eq!(
        rig.step(Event::Block {
            height: BlockHeight(111)
        }),
        []
    );
    let actions = rig.step(Event::Block {
        height: BlockHeight(112),
    });
    assert_eq!(actions, [Action::AskTxout { scid: early.scid }]);
    rig.txout(early.scid, Some(early.script()));
    assert_eq!(rig.timestamp(early, 0), Some(NOW));
}

#[test]
fn a_peers_own_update_of_an_unannounced_channel_goes_to_lightningd() {
    let mut rig = Rig::new();
    let ours = SampleChannel::new(scid(5), US, A);
    let direction = u8::from(ours.nodes[1] == A);
    let update = ours.update(direction, NOW);
    let actions = rig.step(Event::Peer {
        peer: A.id(),
        message: update.clone(),
    });
    assert!(
        matches!(&actions[..], [Action::PeerPolicy(policy)] if policy.scid == scid(5) && policy.fee_base_msat == 1000)
    );
    // From anybody else it is worth nothing.
    rig.ignored(update);
}

#[test]
fn a_spent_channel_dies_and_is_forgotten_72_blocks_later() {
    let mut rig = Rig::new();
    let ab = rig.channel(1, A, B);
    let bc = rig.channel(2, B, C);
    rig.peer(ab.update(0, NOW));
    rig.peer(A.announcement(NOW));
    rig.peer(B.announcement(NOW));
    rig.step(Event::Spent {
        height: BlockHeight(111),
        scids: vec![scid(1), scid(99)],
    });
    let dying = |rig: &Rig, node: SampleNode| {
        let record = rig
            .intake
            .graph
            .node(node.id().into())
            .unwrap()
            .announcement
            .unwrap()
            .record;
        rig.header(record).flags.has(RecordFlags::DYING)
    };
    let channel = rig.intake.graph.channel(scid(1)).unwrap().clone();
    assert_eq!(channel.dying.unwrap().deadline, BlockHeight(183));
    assert!(
        rig.header(channel.announcement)
            .flags
            .has(RecordFlags::DYING)
    );
    assert!(
        rig.header(channel.policy(0).unwrap().update)
            .flags
            .has(RecordFlags::DYING)
    );
    assert!(dying(&rig, A) && !dying(&rig, B));
    // An update that still comes is dying too; a second report changes nothing.
    rig.peer(ab.update(1, NOW));
    let update = rig
        .intake
        .graph
        .channel(scid(1))
        .unwrap()
        .policy(1)
        .unwrap()
        .update;
    assert!(rig.header(update).flags.has(RecordFlags::DYING));
    assert_eq!(
        rig.step(Event::Spent {
            height: BlockHeight(112),
            scids: vec![scid(1)]
        }),
        []
    );
    rig.step(Event::Block {
        height: BlockHeight(182),
    });
    assert!(rig.intake.graph.channel(scid(1)).is_some());
    rig.step(Event::Block {
        height: BlockHeight(183),
    });
    assert!(rig.intake.graph.channel(scid(1)).is_none());
    assert!(rig.intake.graph.node(A.id().into()).is_none());
    // B's announcement stood behind both of its channels: it stays where it is, after the one that is left.
    assert_eq!(
        rig.intake.graph.node(B.id().into()).unwrap().channels,
        [bc.scid]
    );
    rig.ignored(ab.announcement());
}

#[test]
fn a_new_channel_revives_a_dying_node() {
    let mut rig = Rig::new();
    rig.channel(1, A, B);
    rig.peer(A.announcement(NOW));
    rig.step(Event::Spent {
        height: BlockHeight(111),
        scids: vec![scid(1)],
    });
    rig.channel(2, A, C);
    let announcement = rig
        .intake
        .graph
        .node(A.id().into())
        .unwrap()
        .announcement
        .unwrap();
    assert!(!announcement.dying);
    assert!(
        !rig.header(announcement.record)
            .flags
            .has(RecordFlags::DYING)
    );
}

#[test]
fn a_nodes_announcement_moves_behind_a_channel_that_is_left() {
    let mut rig = Rig::new();
    rig.channel(1, A, B);
    rig.peer(A.announcement(NOW));
    let before = rig
        .intake
        .graph
        .node(A.id().into())
        .unwrap()
        .announcement
        .unwrap()
        .record;
    rig.channel(2, A, C);
    rig.step(Event::Spent {
        height: BlockHeight(111),
        scids: vec![scid(1)],
    });
    rig.step(Event::Block {
        height: BlockHeight(183),
    });
    let after = rig
        .intake
        .graph
        .node(A.id().into())
        .unwrap()
        .announcement
        .unwrap()
        .record;
    assert!(after > before);
    assert_eq!(rig.record(after), A.announcement(NOW));
    assert!(rig.header(before).flags.has(RecordFlags::DELETED));
}

#[test]
fn channels_not_updated_for_two_weeks_are_pruned() {
    let mut rig = Rig::new();
    let stale = rig.channel(1, A, B);
    let fresh = rig.channel(2, B, C);
    let silent = rig.channel(3, A, C);
    rig.peer(stale.update(0, NOW));
    rig.now = NOW + 13 * 24 * 3600;
    rig.peer(stale.update(1, rig.now));
    rig.peer(fresh.update(0, rig.now));
    rig.step(Event::Tick);
    assert_eq!(rig.intake.graph.channel_count(), 3);
    rig.now = NOW + 14 * 24 * 3600 + 1;
    rig.step(Event::Tick);
    let left: Vec<ShortChannelId> = rig.intake.graph.channels().map(|(scid, _)| scid).collect();
    assert_eq!(left, [fresh.scid, silent.scid]);
}
