//! Decides what happens to each announcement that comes in.
//!
//! An announcement of a channel waits until lightningd has looked for its funding output; updates of that channel and announcements of
//! nodes wait with it. What is believed is appended to the store, and the graph follows the store record by record.

mod action;
mod announce;
mod chain;
mod limits;
mod node;
#[cfg(test)]
mod tests;
mod update;
mod waiting;

use std::collections::BTreeMap;

use ln_types::{BlockHeight, NodeId, Sat, ShortChannelId};

pub use action::{Action, Env, Event, Limits, PeerPolicy, Severity};

use crate::store::{RecordFlags, RecordHeader, RecordRef};
use crate::verify::Announcement;
use crate::{GossipError, GossipResponse, Graph, NodeKey};
use limits::{TxoutFailures, UpdateBudget};
use waiting::{PendingChannel, Queue, WaitingNode, WaitingUpdate};

/// Where an announcement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A peer.
    Peer(NodeId),
    /// Our own node, or its user.
    Own,
}

impl Source {
    fn peer(self) -> Option<NodeId> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::Own => None,
        }
    }
}

/// The state of gossip: the graph, where the store ends, and what waits.
#[derive(Debug)]
pub struct Intake {
    graph: Graph,
    /// Where the next record goes.
    end: u64,
    chain_hash: [u8; 32],
    our_id: NodeId,
    height: BlockHeight,
    limits: Limits,
    /// Channels whose funding output lightningd looks for.
    pending: BTreeMap<ShortChannelId, PendingChannel>,
    /// Channels whose funding output is not deep enough to be looked for.
    early: BTreeMap<ShortChannelId, PendingChannel>,
    /// Updates of channels in `pending` or `early`.
    updates: Queue<WaitingUpdate>,
    /// Announcements of nodes that may get a channel from `pending` or `early`.
    nodes: Queue<WaitingNode>,
    failures: TxoutFailures,
    budget: UpdateBudget,
}

impl Intake {
    /// Starts with a graph read from a store of `end` bytes.
    pub fn new(
        graph: Graph,
        end: u64,
        chain_hash: [u8; 32],
        our_id: NodeId,
        height: BlockHeight,
        limits: Limits,
    ) -> Self {
        Self {
            graph,
            end,
            chain_hash,
            our_id,
            height,
            pending: BTreeMap::new(),
            early: BTreeMap::new(),
            updates: Queue::new("channel_update", limits.pending, limits.pending_bytes),
            nodes: Queue::new("node_announcement", limits.pending, limits.pending_bytes),
            failures: TxoutFailures::new(limits.pending),
            budget: UpdateBudget::default(),
            limits,
        }
    }

    /// The graph as it is.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where the store ends once all actions are carried out.
    pub fn store_end(&self) -> u64 {
        self.end
    }

    /// Goes on with a store that was written anew. What waits goes on waiting.
    pub fn replace_store(&mut self, graph: Graph, end: u64) {
        self.graph = graph;
        self.end = end;
    }

    /// Takes one event and says what to do about it. Actions must be carried out in order; those on the store must all succeed, or the
    /// state must be made anew from the store.
    pub fn step(&mut self, event: Event, env: &Env) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Peer { peer, message } => {
                let result = self.on_message(message, Source::Peer(peer), None, env, &mut out);
                answer_peer(peer, result, &mut out);
            }
            Event::Own {
                request,
                message,
                known_amount,
            } => {
                let result = self.on_message(message, Source::Own, known_amount, env, &mut out);
                let error = result.err().filter(is_fault).map(|error| error.to_string());
                out.push(Action::Reply { request, error });
            }
            Event::Txout { scid, output } => self.on_txout(scid, output, env, &mut out),
            Event::Block { height } => self.on_block(height, env, &mut out),
            Event::Spent { height, scids } => {
                for scid in scids {
                    self.on_spent(height, scid, &mut out);
                }
            }
            Event::Tick => self.on_tick(env, &mut out),
        }
        out
    }

    fn on_message(
        &mut self,
        message: Vec<u8>,
        source: Source,
        known_amount: Option<Sat>,
        env: &Env,
        out: &mut Vec<Action>,
    ) -> Result<(), GossipError> {
        match Announcement::read(&message)? {
            Announcement::Channel(announcement) => {
                self.on_channel_announcement(&announcement, message, source, known_amount, env, out)
            }
            Announcement::Update(update) => {
                self.on_channel_update(update, message, source, env, out)
            }
            Announcement::Node(announcement) => {
                self.on_node_announcement(&announcement, message, source, env, out)
            }
        }
    }

    /// Appends a record to the store and to the graph.
    fn append(
        &mut self,
        message: Vec<u8>,
        timestamp: u32,
        dying: bool,
        out: &mut Vec<Action>,
    ) -> RecordRef {
        let flags = RecordFlags::COMPLETED.with(RecordFlags::DYING, dying);
        let header = RecordHeader::new(&message, timestamp, flags);
        let at = RecordRef {
            offset: self.end,
            length: header.length,
        };
        self.graph.apply(&crate::store::Record {
            at,
            header,
            message: &message,
        });
        self.end = at.end();
        out.push(Action::Append {
            message,
            timestamp,
            flags,
        });
        at
    }

    /// Marks a record void.
    fn delete(record: RecordRef, out: &mut Vec<Action>) {
        out.push(Action::SetFlags {
            record,
            flags: RecordFlags::COMPLETED | RecordFlags::DELETED,
        });
    }

    /// Writes a node's announcement's dying flag.
    fn flag_node(&mut self, key: NodeKey, dying: bool, out: &mut Vec<Action>) {
        let announcement = self.graph.node(key).and_then(|node| node.announcement);
        let Some(announcement) = announcement.filter(|a| a.dying != dying) else {
            return;
        };
        out.push(Action::SetFlags {
            record: announcement.record,
            flags: RecordFlags::COMPLETED.with(RecordFlags::DYING, dying),
        });
        self.graph.set_node_dying(key, dying);
    }
}

fn is_fault(error: &GossipError) -> bool {
    error.response() == GossipResponse::Warning
}

/// Tells a peer what was wrong, if it is to blame.
fn answer_peer(peer: NodeId, result: Result<(), GossipError>, out: &mut Vec<Action>) {
    let Err(error) = result else { return };
    if error == GossipError::AlreadyKnown {
        return;
    }
    out.push(Action::Log {
        severity: Severity::Trace,
        peer: Some(peer),
        text: format!("Bad gossip order: {error}"),
    });
    if is_fault(&error) {
        out.push(Action::warn(peer, &error.to_string()));
    }
}
