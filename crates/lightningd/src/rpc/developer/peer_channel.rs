//! The one channel with a peer that a command is about.

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_types::{ChannelState, NodeId};

use crate::channels::Channel;
use crate::node::Node;
use crate::rpc::{Context, bad_value};
use crate::subd::SubdSender;

/// The channel with this peer that is neither closed nor on chain.
pub(super) fn live_channel(
    node: &Node,
    context: &Context,
    id: NodeId,
) -> Result<Rc<Channel>, RpcError> {
    if node.peers.get(id).is_none() {
        return Err(RpcError::invalid_params(format!("Unknown peer '{id}'")));
    }
    let mut live = node
        .channels
        .of_peer(id)
        .filter(|channel| channel.row().state.wants_peer());
    let bad = |problem| Err(bad_value(context, "id", &id.to_string(), problem));
    match (live.next(), live.next()) {
        (None, _) => bad("No channel with that peer"),
        (Some(channel), None) => Ok(channel),
        (Some(_), Some(_)) => bad("More than one channel with that peer"),
    }
}

/// The channel with this peer over which HTLCs go, and its channeld.
pub(super) fn open_channel(node: &Node, id: NodeId) -> Result<(Rc<Channel>, SubdSender), RpcError> {
    if node.peers.get(id).is_none() {
        return Err(RpcError::lightningd("Peer not connected"));
    }
    let mut open = node.channels.of_peer(id).filter(|channel| {
        let state = channel.row().state;
        state == ChannelState::ChanneldNormal
    });
    let Some(channel) = open.next() else {
        return Err(RpcError::lightningd("Peer bad state"));
    };
    if open.next().is_some() {
        return Err(RpcError::lightningd("More than one channel"));
    }
    let channeld = channel.channeld();
    let channeld = channeld.ok_or_else(|| RpcError::lightningd("Peer bad state"))?;
    Ok((channel, channeld))
}
