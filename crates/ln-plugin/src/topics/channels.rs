//! Channels.

use bitcoin::Txid;
use ln_types::{ChannelId, Msat, NodeId, ShortChannelId};
use serde::{Deserialize, Serialize};

use super::Topic;

/// A peer opened a channel to us; its funding is waited for.
pub const CHANNEL_OPENED: Topic<ChannelOpened> = Topic::named("channel_opened");
/// A channel is in another state.
pub const CHANNEL_STATE_CHANGED: Topic<ChannelStateChanged> = Topic::named("channel_state_changed");
/// A dual-funded opening failed.
pub const CHANNEL_OPEN_FAILED: Topic<ChannelOpenFailed> = Topic::named("channel_open_failed");

/// A channel that a peer opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOpened {
    /// The peer.
    pub id: NodeId,
    /// What it holds.
    pub funding_msat: Msat,
    /// The transaction that funds it.
    pub funding_txid: Txid,
    /// Whether it can be used at once.
    pub channel_ready: bool,
}

/// A channel that is in another state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStateChanged {
    /// The peer.
    pub peer_id: NodeId,
    /// The channel.
    pub channel_id: ChannelId,
    /// Its short id, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_channel_id: Option<ShortChannelId>,
    /// When, as `2026-01-02T03:04:05.678Z`.
    pub timestamp: String,
    /// The state before; nothing for a new channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_state: Option<String>,
    /// The state now.
    pub new_state: String,
    /// Whose doing it is: `unknown`, `local`, `user`, `remote`, `protocol`, `onchain`.
    pub cause: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// An opening that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelOpenFailed {
    /// The channel that will not be.
    pub channel_id: ChannelId,
}
