//! Finding a channel by what a client calls it.

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_types::{ChannelId, NodeId, ShortChannelId};

use crate::channels::Channel;
use crate::node::Node;

/// What a client's word for channels can mean.
pub(super) enum Named {
    /// All channels with a peer.
    Peer(NodeId),
    /// One channel.
    Channel(Rc<Channel>),
}

/// Reads a peer's id, a channel's id, its place in the chain, or our alias for it.
pub(super) fn find(node: &Node, name: &str, text: &str) -> Result<Named, RpcError> {
    if let Ok(peer) = text.parse::<NodeId>()
        && node.peers.get(peer).is_some()
    {
        return Ok(Named::Peer(peer));
    }
    let bad = |problem: &str| {
        let shown: String = text.chars().take(200).collect();
        RpcError::invalid_params(format!("{name}: {problem}: invalid token '{shown}'"))
    };
    if let Ok(id) = text.parse::<ChannelId>() {
        let channel = node.channels.by_channel_id(id);
        return channel
            .map(Named::Channel)
            .ok_or_else(|| bad("Channel id not found"));
    }
    if let Ok(scid) = text.parse::<ShortChannelId>() {
        let channel = node.channels.by_scid(scid);
        return channel
            .map(Named::Channel)
            .ok_or_else(|| bad("Short channel id not found"));
    }
    Err(bad("should be a channel ID or short channel ID"))
}
