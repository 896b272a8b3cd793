//! What comes in and what goes out.

use bitcoin::ScriptBuf;
use ln_codec::Encode;
use ln_types::{BlockHeight, ChannelId, CltvDelta, Msat, NodeId, Sat, ShortChannelId};
use ln_wire::{PeerMessage, WarningMessage};

use crate::store::{RecordFlags, RecordRef};

/// What may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A peer passed an announcement on.
    Peer {
        /// The peer.
        peer: NodeId,
        /// The message, type included.
        message: Vec<u8>,
    },
    /// Our own node, or its user, has an announcement.
    Own {
        /// Comes back in the reply.
        request: u64,
        /// The message, type included.
        message: Vec<u8>,
        /// Of our own channel: its amount, so that nobody need look for the output.
        known_amount: Option<Sat>,
    },
    /// The answer to [`Action::AskTxout`].
    Txout {
        /// The channel.
        scid: ShortChannelId,
        /// The output, or nothing when there is none or it is spent.
        output: Option<(Sat, ScriptBuf)>,
    },
    /// The chain has a new best block.
    Block {
        /// Its height.
        height: BlockHeight,
    },
    /// Funding outputs were spent.
    Spent {
        /// In which block.
        height: BlockHeight,
        /// Of which channels.
        scids: Vec<ShortChannelId>,
    },
    /// Time passes: to be sent every hour or more often.
    Tick,
}

/// What else a step may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Env {
    /// Seconds since 1970.
    pub now: u32,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Append a record to the store.
    Append {
        /// The message.
        message: Vec<u8>,
        /// For the header.
        timestamp: u32,
        /// For the header.
        flags: RecordFlags,
    },
    /// Append a copy of a record to the store.
    AppendCopy {
        /// The record.
        record: RecordRef,
        /// For the copy's header.
        timestamp: u32,
        /// For the copy's header.
        flags: RecordFlags,
    },
    /// Replace a record's flags.
    SetFlags {
        /// The record.
        record: RecordRef,
        /// The flags.
        flags: RecordFlags,
    },
    /// Replace a record's timestamp (and checksum).
    SetTimestamp {
        /// The record.
        record: RecordRef,
        /// The timestamp.
        timestamp: u32,
    },
    /// Look for a channel's funding output.
    AskTxout {
        /// The channel.
        scid: ShortChannelId,
    },
    /// Send a message to a peer.
    Send {
        /// The peer.
        peer: NodeId,
        /// The message.
        message: Box<PeerMessage>,
    },
    /// Answer [`Event::Own`].
    Reply {
        /// Its number.
        request: u64,
        /// What was wrong.
        error: Option<String>,
    },
    /// A channel peer tells what it asks for forwarding to us: perhaps for a channel that is not public.
    PeerPolicy(PeerPolicy),
    /// Write to the log.
    Log {
        /// How loud.
        severity: Severity,
        /// The peer it is about.
        peer: Option<NodeId>,
        /// The line.
        text: String,
    },
}

impl Action {
    /// A warning about all channels, as gossip is about none of the peer's.
    pub(super) fn warn(peer: NodeId, text: &str) -> Self {
        let warning = WarningMessage::new(ChannelId::ALL, text);
        Self::Send {
            peer,
            message: Box::new(warning.into()),
        }
    }

    /// The bytes of a message to a peer.
    pub fn message_bytes(message: &PeerMessage) -> Vec<u8> {
        message.to_bytes()
    }
}

/// What a channel peer asks for forwarding to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerPolicy {
    /// Who sent it, if it came from a peer.
    pub peer: Option<NodeId>,
    /// The channel, by a public id or an alias.
    pub scid: ShortChannelId,
    /// Fixed fee per HTLC, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths.
    pub fee_proportional_millionths: u32,
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The least HTLC.
    pub htlc_minimum_msat: Msat,
    /// The largest HTLC.
    pub htlc_maximum_msat: Msat,
}

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Every step.
    Trace,
    /// What a developer wants to see.
    Debug,
    /// Something odd.
    Unusual,
}

/// How much may wait, and how long things live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of each queue.
    pub pending: usize,
    /// Bytes of messages in each queue.
    pub pending_bytes: usize,
    /// Seconds after which a channel that was not updated is dropped.
    pub prune_secs: u32,
    /// Updates of one direction that are taken at once from peers; one more becomes free every `update_refill_secs`.
    pub update_burst: u32,
    /// See `update_burst`.
    pub update_refill_secs: u32,
}

impl Limits {
    /// For a node in use.
    // BOLT 7 §Pruning the Network View: a channel not updated for two weeks may be dropped.
    // Queues: Core Lightning's count, and 32 MiB. Updates: a channel that comes and goes needs two each time; 20 at once and six an
    // hour keep the price of flapping low for us and unnoticed by the honest.
    pub const fn normal() -> Self {
        Self {
            pending: 10_000,
            pending_bytes: 32 << 20,
            prune_secs: 14 * 24 * 3600,
            update_burst: 20,
            update_refill_secs: 600,
        }
    }
}
