//! The channels of ours that a payment can leave by.

use std::collections::HashMap;

use ln_gossip::NodeKey;
use ln_route::FirstHop;
use ln_types::{ChannelState, Msat, NodeId, ShortChannelIdDir, Side};

use crate::channels::{Channel, our_direction};
use crate::node::Node;
use crate::rpc::channels::may_be_large;

/// The most HTLCs that one side may have in a commitment.
// BOLT 2 §Adding an HTLC: `update_add_htlc`: 483 at most.
const MAX_HTLCS: u16 = 483;

/// Our channels, and what they can carry.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Those that can be used now.
    pub(crate) usable: Vec<FirstHop>,
    /// Why others can't, and with whom they are.
    unusable: Vec<(NodeId, String)>,
}

impl Own {
    /// As they stand. `limits` are the most that was found to pass.
    pub(crate) fn now(node: &Node, limits: &HashMap<ShortChannelIdDir, Msat>) -> Self {
        let mut own = Self::default();
        for channel in node.channels.all() {
            let name = name(node, &channel);
            match first_hop(node, &channel, name) {
                Ok(hop) => own.usable.push(FirstHop {
                    most: hop
                        .most
                        .min(limits.get(&name).copied().unwrap_or(Msat::MAX)),
                    ..hop
                }),
                Err(why) => own.unusable.push((channel.peer, why)),
            }
        }
        own
    }

    /// What all together can send.
    pub(crate) fn spendable(&self) -> Msat {
        self.usable.iter().map(|hop| hop.most).sum()
    }

    /// Why the channels with a node can't be used, if there are some and none can.
    pub(crate) fn why_none_with(&self, peer: NodeId) -> Option<String> {
        let key = NodeKey::from(peer);
        if self.usable.iter().any(|hop| hop.peer == key) {
            return None;
        }
        let theirs = self.unusable.iter().filter(|(of, _)| *of == peer);
        let why: Vec<&str> = theirs.map(|(_, why)| why.as_str()).collect();
        (!why.is_empty()).then(|| why.join(", "))
    }

    /// Why none of ours can be used, if that is so.
    pub(crate) fn why_none(&self) -> Option<String> {
        if !self.usable.is_empty() {
            return None;
        }
        let why: Vec<&str> = self.unusable.iter().map(|(_, why)| why.as_str()).collect();
        Some(if why.is_empty() {
            "we have no channel".to_owned()
        } else {
            format!("none of our channels is usable now: {}", why.join(", "))
        })
    }
}

/// A channel of ours as it stands in routes.
fn name(node: &Node, channel: &Channel) -> ShortChannelIdDir {
    ShortChannelIdDir {
        scid: channel.row().scid_or_alias(),
        direction: our_direction(node, channel),
    }
}

fn first_hop(node: &Node, channel: &Channel, name: ShortChannelIdDir) -> Result<FirstHop, String> {
    let scid = name.scid;
    let state = channel.row().state;
    if state != ChannelState::ChanneldNormal {
        return Err(format!("{scid} is {state}"));
    }
    if channel.channeld().is_none() || !channel.reestablished.get() {
        return Err(format!("the peer of {scid} is not connected"));
    }
    let machine = channel
        .machine()
        .map_err(|error| format!("{scid} can't be read: {error}"))?;
    let theirs = &machine.params.sides[Side::Remote];
    let offered = machine.htlcs().filter(|htlc| htlc.offerer() == Side::Local);
    let (count, in_flight) = offered.fold((0_u16, Msat::ZERO), |(count, sum), htlc| {
        (count.saturating_add(1), sum.saturating_add(htlc.amount))
    });
    if count >= theirs.max_accepted_htlcs.min(MAX_HTLCS) {
        return Err(format!(
            "{scid} holds {count} HTLCs of ours, the most it can"
        ));
    }
    let room = theirs.max_htlc_value_in_flight.saturating_sub(in_flight);
    let wumbo = may_be_large(node, channel.peer);
    Ok(FirstHop {
        channel: name,
        peer: channel.peer.into(),
        least: theirs.htlc_minimum,
        most: machine.spendable(wumbo).min(room),
    })
}
