//! The network as the store tells it.

mod apply;
mod node_key;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use ln_types::{BlockHeight, CltvDelta, Msat, Sat, ShortChannelId};
use ln_wire::ChannelUpdate;

use self::table::{Place, Table};
use crate::store::RecordRef;

pub use node_key::NodeKey;

/// Nodes and channels. Fill it with [`Graph::apply`], record by record in the order of the store.
///
/// Holds what routing needs; everything else of an announcement is read from the store where its [`RecordRef`] points.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    channels: Table,
    nodes: HashMap<NodeKey, Known>,
    /// An announcement whose amount has not come yet.
    unfunded: Option<Unfunded>,
    live_records: usize,
    dead_records: usize,
}

#[derive(Debug, Clone)]
struct Unfunded {
    scid: ShortChannelId,
    channel: Channel,
}

/// A public channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The nodes, the lesser first.
    pub nodes: [NodeKey; 2],
    /// The funding output's amount.
    pub amount: Sat,
    /// What each node asks for forwarding, in the order of `nodes`.
    pub policies: [Option<ChannelPolicy>; 2],
    /// Whether its features name something we don't know and would have to: no payment may go through it.
    pub has_unknown_even_features: bool,
    /// When its funding output is spent: the height at which it will be forgotten.
    pub dying: Option<Dying>,
    /// The `channel_announcement`.
    pub announcement: RecordRef,
    /// The record of its amount.
    pub amount_record: RecordRef,
}

/// The end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dying {
    /// The height at which it is forgotten.
    pub deadline: BlockHeight,
    /// The record that says so.
    pub record: RecordRef,
}

impl Channel {
    /// What the node of `direction` (0 or 1) asks for.
    pub fn policy(&self, direction: u8) -> Option<&ChannelPolicy> {
        let [zero, one] = &self.policies;
        if direction == 0 { zero } else { one }.as_ref()
    }

    /// The node that sends in `direction`.
    pub fn source(&self, direction: u8) -> NodeKey {
        let [zero, one] = self.nodes;
        if direction == 0 { zero } else { one }
    }

    /// The node that receives in `direction`.
    pub fn destination(&self, direction: u8) -> NodeKey {
        self.source(direction ^ 1)
    }

    fn policy_mut(&mut self, direction: u8) -> &mut Option<ChannelPolicy> {
        let [zero, one] = &mut self.policies;
        if direction == 0 { zero } else { one }
    }
}

/// One direction of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelPolicy {
    /// Seconds since 1970.
    pub timestamp: u32,
    /// As in the message.
    pub message_flags: u8,
    /// As in the message.
    pub channel_flags: u8,
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The least HTLC.
    pub htlc_minimum_msat: Msat,
    /// The largest HTLC.
    pub htlc_maximum_msat: Msat,
    /// Fixed fee per HTLC, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths.
    pub fee_proportional_millionths: u32,
    /// The `channel_update`.
    pub update: RecordRef,
}

impl ChannelPolicy {
    /// Whether payments may go this way.
    pub fn is_enabled(&self) -> bool {
        self.channel_flags & ChannelUpdate::DISABLE == 0
    }
}

/// A node with at least one public channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Its channels, in the order they were announced.
    pub channels: Vec<ShortChannelId>,
    /// What it says of itself.
    pub announcement: Option<StoredNodeAnnouncement>,
}

/// A node, and where its channels are.
#[derive(Debug, Clone, Default)]
struct Known {
    node: Node,
    places: Vec<Place>,
}

/// Where a node's announcement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredNodeAnnouncement {
    /// Seconds since 1970.
    pub timestamp: u32,
    /// Whether its record carries the dying flag.
    pub dying: bool,
    /// The `node_announcement`.
    pub record: RecordRef,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// A channel.
    pub fn channel(&self, scid: ShortChannelId) -> Option<&Channel> {
        self.channels.get(scid)
    }

    /// All channels, ascending.
    pub fn channels(&self) -> impl Iterator<Item = (ShortChannelId, &Channel)> {
        self.channels.range(..)
    }

    /// Channels with an id in a range, ascending.
    pub fn channels_between(
        &self,
        from: ShortChannelId,
        to: ShortChannelId,
    ) -> impl Iterator<Item = (ShortChannelId, &Channel)> {
        let range = (from <= to).then(|| self.channels.range(from..=to));
        range.into_iter().flatten()
    }

    /// The channels of a node, in the order they were announced.
    pub fn channels_of(&self, node: NodeKey) -> impl Iterator<Item = (ShortChannelId, &Channel)> {
        let known = self.nodes.get(&node).into_iter();
        let named = known.flat_map(|known| known.node.channels.iter().zip(&known.places));
        named.filter_map(|(scid, place)| Some((*scid, self.channels.at(*place)?)))
    }

    /// A node.
    pub fn node(&self, key: NodeKey) -> Option<&Node> {
        self.nodes.get(&key).map(|known| &known.node)
    }

    /// All nodes, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeKey, &Node)> {
        self.nodes.iter().map(|(key, known)| (*key, &known.node))
    }

    /// How many channels there are.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Announcements and updates that still count.
    pub fn live_records(&self) -> usize {
        self.live_records
    }

    /// Announcements and updates that are void: room that a rewrite of the store would win.
    pub fn dead_records(&self) -> usize {
        self.dead_records
    }

    /// The announcement that still waits for its amount: at the end of a store it is half of a pair whose other half was never written.
    pub fn unfunded(&self) -> Option<RecordRef> {
        self.unfunded
            .as_ref()
            .map(|unfunded| unfunded.channel.announcement)
    }

    /// Whether every channel of a node, `except` left aside, is dying.
    pub fn all_channels_dying(&self, node: &Node, except: Option<ShortChannelId>) -> bool {
        let others = node.channels.iter().filter(|scid| Some(**scid) != except);
        others
            .filter_map(|scid| self.channel(*scid))
            .all(|channel| channel.dying.is_some())
    }
}
