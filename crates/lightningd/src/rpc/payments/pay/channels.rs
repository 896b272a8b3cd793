//! The channels with the payee.

use std::collections::HashMap;

use ln_rpc::methods::payments::pay::RouteExclusion;
use ln_types::{ChannelState, FeatureBit, Msat, ShortChannelId, Side};

use super::plan::Capacity;
use super::request::Request;
use crate::channels::Channel;
use crate::node::Node;

/// The most HTLCs that one side may have in a commitment.
// BOLT 2 §Adding an HTLC: `update_add_htlc`: 483 at most.
const MAX_HTLCS: u16 = 483;

/// What the usable channels with the payee can carry, or why there are none. `limits` are the most that was found to pass.
pub(super) fn capacities(
    node: &Node,
    request: &Request,
    limits: &HashMap<u64, Msat>,
) -> Result<Vec<Capacity>, String> {
    let payee = request.payee;
    if request.exclude.contains(&RouteExclusion::Node(payee)) {
        return Err("the payee itself is excluded".to_owned());
    }
    let mut usable = Vec::new();
    let mut unusable = Vec::new();
    for channel in node.channels.of_peer(payee) {
        match capacity(node, request, &channel) {
            Ok(capacity) => usable.push(match limits.get(&capacity.channel) {
                Some(limit) => Capacity {
                    most: capacity.most.min(*limit),
                    ..capacity
                },
                None => capacity,
            }),
            Err(why) => unusable.push(why),
        }
    }
    if !usable.is_empty() {
        Ok(usable)
    } else if unusable.is_empty() {
        Err(format!("we have no channel with the payee {payee}"))
    } else {
        let why = unusable.join(", ");
        Err(format!("no channel with the payee is usable now: {why}"))
    }
}

fn capacity(node: &Node, request: &Request, channel: &Channel) -> Result<Capacity, String> {
    let (name, state) = {
        let row = channel.row();
        (scid(&row), row.state)
    };
    if state != ChannelState::ChanneldNormal {
        return Err(format!("{name} is {state}"));
    }
    let ours = |excluded: &RouteExclusion| match excluded {
        RouteExclusion::Channel(directed) => {
            directed.scid == name && directed.direction == u8::from(node.id() > channel.peer)
        }
        RouteExclusion::Node(_) => false,
    };
    if request.exclude.iter().any(ours) {
        return Err(format!("{name} is excluded"));
    }
    if channel.channeld().is_none() || !channel.reestablished.get() {
        return Err(format!("the peer of {name} is not connected"));
    }
    let machine = channel
        .machine()
        .map_err(|error| format!("{name} can't be read: {error}"))?;
    let theirs = &machine.params.sides[Side::Remote];
    let offered = machine.htlcs().filter(|htlc| htlc.offerer() == Side::Local);
    let (count, in_flight) = offered.fold((0_u16, Msat::ZERO), |(count, sum), htlc| {
        (count.saturating_add(1), sum.saturating_add(htlc.amount))
    });
    if count >= theirs.max_accepted_htlcs.min(MAX_HTLCS) {
        return Err(format!(
            "{name} holds {count} HTLCs of ours, the most it can"
        ));
    }
    let room = theirs.max_htlc_value_in_flight.saturating_sub(in_flight);
    let peer = node.peers.get(channel.peer);
    let wumbo = node.features.init.supports(FeatureBit::Wumbo)
        && peer.is_some_and(|peer| peer.features.supports(FeatureBit::Wumbo));
    Ok(Capacity {
        channel: channel.dbid,
        least: theirs.htlc_minimum,
        most: machine.spendable(wumbo).min(room),
    })
}

/// The name of a channel in a route.
pub(super) fn scid(row: &ln_db::ChannelRow) -> ShortChannelId {
    row.scid_or_alias()
}
