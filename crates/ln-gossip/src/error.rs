//! Why an announcement is not taken.

use bitcoin::ScriptBuf;
use ln_codec::DecodeError;
use ln_types::{BlockHeight, NodeId, ShortChannelId};

/// What is done about an announcement that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipResponse {
    /// Nothing: it happens among honest nodes.
    Ignore,
    /// The peer gets a `warning`: it should not have passed this on.
    Warning,
}

/// Why an announcement is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GossipError {
    /// The bytes are no such message.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// The message's name.
        what: &'static str,
        /// What is wrong.
        reason: DecodeError,
    },
    /// A message that is none of the three announcements.
    #[error("message type {number} is not an announcement")]
    NotGossip {
        /// Its type.
        number: u16,
    },
    /// The ids of a channel's nodes are equal or not in order.
    #[error("node_id_1 {node_id_1} must be less than node_id_2 {node_id_2}")]
    NodeIdOrder {
        /// The first.
        node_id_1: NodeId,
        /// The second.
        node_id_2: NodeId,
    },
    /// A signature does not match.
    #[error("bad {field}")]
    BadSignature {
        /// The field that holds it.
        field: &'static str,
    },
    /// An announced channel's update must not be marked private.
    #[error("dont_forward is set on a channel_update for the public channel {scid}")]
    DontForward {
        /// The channel.
        scid: ShortChannelId,
    },
    /// The output on the chain does not pay to the two keys.
    #[error("txout {scid} expected {expected:x}, got {found:x}")]
    WrongScript {
        /// The channel.
        scid: ShortChannelId,
        /// What the keys make.
        expected: ScriptBuf,
        /// What is there.
        found: ScriptBuf,
    },
    /// The channel is in a block that can't be there yet.
    #[error("ignoring channel_announcement {scid} at blockheight {height}")]
    TooEarly {
        /// The channel.
        scid: ShortChannelId,
        /// Our best block.
        height: BlockHeight,
    },
    /// It is for another chain.
    #[error("wrong chain")]
    WrongChain,
    /// The timestamp is over a day ahead or over two weeks old.
    #[error("unreasonable timestamp {timestamp}")]
    UnreasonableTimestamp {
        /// The timestamp.
        timestamp: u32,
    },
    /// We have this one or a later one.
    #[error("already known")]
    AlreadyKnown,
    /// The funding output was looked for, and was not there.
    #[error("no unspent txout {scid}")]
    NoTxout {
        /// The channel.
        scid: ShortChannelId,
    },
    /// An update for a channel nobody announced.
    #[error("unknown channel {scid}")]
    UnknownChannel {
        /// The channel.
        scid: ShortChannelId,
    },
    /// An announcement of a node without channels.
    #[error("unknown node {node_id}")]
    UnknownNode {
        /// The node.
        node_id: NodeId,
    },
    /// A node says it has two host names.
    #[error("node {node_id} announces several hostnames")]
    SeveralHostnames {
        /// The node.
        node_id: NodeId,
    },
    /// More updates than any honest node needs.
    #[error("too many updates for {scid}")]
    TooManyUpdates {
        /// The channel.
        scid: ShortChannelId,
    },
    /// The queue it would have to wait in is full.
    #[error("{queue} queue is full")]
    QueueFull {
        /// Which queue.
        queue: &'static str,
    },
}

impl GossipError {
    /// What is done about it.
    pub const fn response(&self) -> GossipResponse {
        match self {
            Self::Malformed { .. }
            | Self::NotGossip { .. }
            | Self::NodeIdOrder { .. }
            | Self::BadSignature { .. }
            | Self::DontForward { .. }
            | Self::WrongScript { .. }
            | Self::TooEarly { .. } => GossipResponse::Warning,
            Self::WrongChain
            | Self::UnreasonableTimestamp { .. }
            | Self::AlreadyKnown
            | Self::NoTxout { .. }
            | Self::UnknownChannel { .. }
            | Self::UnknownNode { .. }
            | Self::SeveralHostnames { .. }
            | Self::TooManyUpdates { .. }
            | Self::QueueFull { .. } => GossipResponse::Ignore,
        }
    }
}
