//! `peer_connected`: whether a peer is let in.

use ln_types::{Features, NodeId};
use serde::{Deserialize, Serialize};

use super::Hook;

/// Asked when a peer has connected, before anything is done with it.
pub const PEER_CONNECTED: Hook<PeerConnected, PeerConnectedAnswer> = Hook::named("peer_connected");

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerConnected {
    /// The peer.
    pub peer: ConnectedPeer,
}

/// A peer that has just connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedPeer {
    /// Its node id.
    pub id: NodeId,
    /// Who connected.
    pub direction: Direction,
    /// Its address.
    pub addr: String,
    /// Our address as it says it sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_addr: Option<String>,
    /// What it can do.
    pub features: Features,
}

/// Who made a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The peer.
    In,
    /// We.
    Out,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum PeerConnectedAnswer {
    /// Let it in, if the others do.
    #[default]
    Continue,
    /// Hang up.
    Disconnect {
        /// What to tell the peer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_message: Option<String>,
    },
}
