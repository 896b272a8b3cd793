//! Giving a connected peer's channels to their daemons.

use std::rc::Rc;

use ln_ipc::connectd::ConnectdSetImportant;
use ln_types::{ChannelState, NodeId};

use super::live::PeerLink;
use super::{Channel, CloseCause};
use crate::node::Node;

/// Starts the daemons for the channels of a connected peer that have none.
pub(crate) fn serve_peer(node: &Rc<Node>, peer: NodeId) {
    let Some(connection) = node.peers.connection(peer) else {
        return;
    };
    for channel in node.channels.of_peer(peer) {
        if channel.owner.borrow().is_some() {
            continue;
        }
        let state = channel.row().state;
        match state {
            ChannelState::ChanneldAwaitingLockin
            | ChannelState::ChanneldNormal
            | ChannelState::ChanneldShuttingDown
            // channeld reestablishes first: a revoke_and_ack may have to be sent again, which hsmd does not let closingd do.
            | ChannelState::ClosingdSigexchange => {
                super::live::start_channeld(
                    node,
                    &channel,
                    PeerLink::Connection(connection.counter),
                );
            }
            ChannelState::DualopendOpenInit
            | ChannelState::ClosingdComplete
            | ChannelState::AwaitingUnilateral
            | ChannelState::FundingSpendSeen
            | ChannelState::Onchain
            | ChannelState::Closed
            | ChannelState::DualopendOpenCommitted
            | ChannelState::DualopendAwaitingLockin
            | ChannelState::ChanneldAwaitingSplice
            | ChannelState::DualopendOpenCommitReady => {}
        }
    }
}

/// The peer wants to go on with a channel whose closing transaction we have: it may have missed our last `closing_signed`. Then it is agreed on once
/// more. Whether that is so.
// BOLT 2 §Message Retransmission: `shutdown` is sent again, and the negotiation starts anew.
pub(crate) fn close_again(node: &Rc<Node>, channel: &Rc<Channel>, connection: u64) -> bool {
    let agreed = channel.row().state == ChannelState::ClosingdComplete;
    if agreed && channel.owner.borrow().is_none() {
        super::live::start_channeld(node, channel, PeerLink::Connection(connection));
    }
    agreed
}

/// Whether a channel is worth a connection kept up; a developer may not care for private ones.
fn needs_peer(state: ChannelState, public: bool, no_private: bool) -> bool {
    state.wants_peer() && (public || !no_private)
}

/// Has connectd keep up the connection while there is a channel that needs it.
pub(crate) fn set_important(node: &Rc<Node>, peer: NodeId) {
    let important = node.channels.of_peer(peer).any(|channel| {
        let row = channel.row();
        needs_peer(row.state, row.public, node.config.dev.no_reconnect_private)
    });
    let addresses = node
        .peers
        .get(peer)
        .and_then(|peer| peer.address)
        .into_iter()
        .collect();
    node.to_connectd(ConnectdSetImportant {
        id: peer,
        important,
        addresses,
    });
}

/// The peer failed a channel (`error`): it goes on chain.
pub(crate) fn peer_failed(node: &Rc<Node>, channel: &Rc<Channel>, text: &str) {
    if channel.row().state.wants_peer() {
        super::closing::fail_channel(
            node,
            channel,
            CloseCause::Remote,
            &format!("peer sent error: {text}"),
            true,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_channels_count_unless_a_developer_says_otherwise() {
        let normal = ChannelState::ChanneldNormal;
        assert!(needs_peer(normal, false, false));
        assert!(needs_peer(normal, true, true));
        assert!(!needs_peer(normal, false, true));
        assert!(!needs_peer(ChannelState::Onchain, true, false));
    }
}
