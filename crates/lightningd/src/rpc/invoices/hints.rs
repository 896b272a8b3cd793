//! Which channels an invoice names, so that its payer finds the way to us.

use std::rc::Rc;

use ln_gossip::{ChannelUpdateView, NodeKey};
use ln_gossipd::GossipMap;
use ln_invoice::RouteHint;
use ln_rpc::methods::invoices::invoice::ExposePrivateChannels;
use ln_types::{ChannelState, FeatureBit, Msat, NodeId, ShortChannelId};

use super::warnings::Capacities;
use crate::channels::Channel;
use crate::node::Node;

/// A channel over which the payment could come in.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) dbid: u64,
    pub(super) hint: RouteHint,
    /// What can come in.
    pub(super) capacity: Msat,
    /// What could come in if the peer had everything.
    pub(super) most: Msat,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) candidates: Vec<Candidate>,
    pub(super) capacities: Capacities,
    /// Whether none of our channels is public, so that hints are the only way to us.
    pub(super) unpublished: bool,
}

/// What a peer asks for forwarding to us.
struct PeerPolicy {
    fee_base_msat: u32,
    fee_proportional_millionths: u32,
    cltv_expiry_delta: ln_types::CltvDelta,
    htlc_maximum_msat: Msat,
}

/// Looks through our channels.
pub(super) fn incoming(
    node: &Node,
    expose: Option<&ExposePrivateChannels>,
) -> anyhow::Result<Incoming> {
    let channels: Vec<Rc<Channel>> = node
        .channels
        .all()
        .into_iter()
        .filter(|channel| {
            matches!(
                channel.row().state,
                ChannelState::ChanneldNormal | ChannelState::ChanneldAwaitingSplice
            )
        })
        .collect();
    if channels.is_empty() {
        return Ok(Incoming {
            unpublished: true,
            ..Incoming::default()
        });
    }
    node.graph.look(|map| {
        let mut found = Sorting {
            node,
            map,
            expose,
            public: Vec::new(),
            private: Vec::new(),
            capacities: Capacities::default(),
            unpublished: true,
        };
        for channel in &channels {
            found.add(channel);
        }
        found.finish()
    })
}

struct Sorting<'a> {
    node: &'a Node,
    map: &'a GossipMap,
    expose: Option<&'a ExposePrivateChannels>,
    public: Vec<Candidate>,
    private: Vec<Candidate>,
    capacities: Capacities,
    unpublished: bool,
}

impl Sorting<'_> {
    fn add(&mut self, channel: &Channel) {
        let Some(policy) = self.policy(channel) else {
            return;
        };
        let Ok(machine) = channel.machine() else {
            return;
        };
        let row = channel.row();
        let wumbo = self.node.features.init.supports(FeatureBit::Wumbo);
        let capacity = machine.receivable(wumbo).min(policy.htlc_maximum_msat);
        self.unpublished &= !row.public;
        let told = match self.expose {
            None | Some(ExposePrivateChannels::Never) => row.public,
            Some(ExposePrivateChannels::All | ExposePrivateChannels::Only(_)) => true,
        };
        if let Some(ExposePrivateChannels::Only(hints)) = self.expose {
            let names = [row.scid, row.alias_remote, Some(row.alias_local)];
            if !names
                .into_iter()
                .flatten()
                .any(|name| hints.contains(&name))
            {
                return;
            }
        } else if is_deadend(self.map, channel.peer, row.scid) {
            add(&mut self.capacities.deadend, capacity);
            return;
        }
        if channel.owner.borrow().is_none() {
            add(&mut self.capacities.offline, capacity);
            return;
        }
        let Some(short_channel_id) = hint_scid(&row) else {
            return;
        };
        let reserves = [ln_types::Side::Local, ln_types::Side::Remote]
            .map(|side| machine.params.reserve_of(side))
            .into_iter()
            .sum();
        let candidate = Candidate {
            dbid: channel.dbid,
            hint: RouteHint {
                node_id: channel.peer,
                short_channel_id,
                fee_base_msat: policy.fee_base_msat,
                fee_proportional_millionths: policy.fee_proportional_millionths,
                cltv_expiry_delta: policy.cltv_expiry_delta,
            },
            capacity,
            most: machine.total().saturating_sub(reserves),
        };
        if told {
            add(&mut self.capacities.available, capacity);
            self.public.push(candidate);
        } else {
            add(&mut self.capacities.private, capacity);
            self.private.push(candidate);
        }
    }

    /// What the peer asks, as it told us or the network.
    fn policy(&self, channel: &Channel) -> Option<PeerPolicy> {
        let row = channel.row();
        if let Some(update) = row.remote_update.as_deref()
            && let Ok(update) = ChannelUpdateView::read(update)
        {
            return Some(PeerPolicy {
                fee_base_msat: update.fee_base_msat,
                fee_proportional_millionths: update.fee_proportional_millionths,
                cltv_expiry_delta: update.cltv_expiry_delta,
                htlc_maximum_msat: update.htlc_maximum_msat,
            });
        }
        let peers_direction = u8::from(channel.peer > self.node.id());
        let public = self.map.graph().channel(row.scid?)?;
        let policy = public.policy(peers_direction)?;
        Some(PeerPolicy {
            fee_base_msat: policy.fee_base_msat,
            fee_proportional_millionths: policy.fee_proportional_millionths,
            cltv_expiry_delta: policy.cltv_expiry_delta,
            htlc_maximum_msat: policy.htlc_maximum_msat,
        })
    }

    /// Private channels are told by themselves only where there is no public one at all.
    fn finish(mut self) -> Incoming {
        if self.expose.is_none() && self.public.is_empty() && self.unpublished {
            self.public = self.private;
            self.capacities.available = std::mem::take(&mut self.capacities.private);
        }
        Incoming {
            candidates: self.public,
            capacities: self.capacities,
            unpublished: self.unpublished,
        }
    }
}

fn add(sum: &mut Msat, amount: Msat) {
    *sum = sum.saturating_add(amount);
}

/// Whether nobody can pay the peer except over `ours`.
fn is_deadend(map: &GossipMap, peer: NodeId, ours: Option<ShortChannelId>) -> bool {
    let graph = map.graph();
    let key = NodeKey(peer.to_bytes());
    let Some(node) = graph.node(key) else {
        return true;
    };
    let leads_there = |scid: &ShortChannelId| {
        let Some(channel) = graph.channel(*scid).filter(|_| Some(*scid) != ours) else {
            return false;
        };
        let direction = u8::from(channel.destination(0) != key);
        channel
            .policy(direction)
            .is_some_and(|policy| policy.is_enabled() && policy.htlc_maximum_msat > Msat::ZERO)
    };
    !node.channels.iter().any(leads_there)
}

/// The name under which a payer may use the channel.
// BOLT 2 §The `channel_ready` Message: with `option_scid_alias` the real one must not be told in an invoice.
fn hint_scid(row: &ln_db::ChannelRow) -> Option<ShortChannelId> {
    if row.channel_type.supports(FeatureBit::ScidAlias) {
        return row.alias_remote;
    }
    match (row.scid, row.alias_remote) {
        (Some(scid), _) if row.public => Some(scid),
        (_, Some(alias)) => Some(alias),
        (scid, None) => scid,
    }
}

/// One of the channels that could take the whole payment. The more room is left in it, the likelier it is taken: else what an invoice
/// names would tell how much is in our channels.
pub(super) fn choose(
    candidates: &[Candidate],
    needed: Msat,
    random: impl FnOnce(u64) -> u64,
) -> Option<&Candidate> {
    let weight = |candidate: &Candidate| {
        let excess = candidate.capacity.as_msat().checked_sub(needed.as_msat())?;
        let share = u128::from(excess) * 1_000_000 / u128::from(candidate.most.as_msat().max(1));
        Some(u64::try_from(share).unwrap_or(u64::MAX / 1000).max(1))
    };
    let fitting: Vec<(&Candidate, u64)> = candidates
        .iter()
        .filter_map(|candidate| Some((candidate, weight(candidate)?)))
        .collect();
    let total: u64 = fitting.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return None;
    }
    let mut left = random(total);
    for (candidate, weight) in fitting {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return Some(candidate),
        }
    }
    None
}

/// So many channels, in their order, that together they can take the payment, or all of them.
pub(super) fn gather(candidates: &[Candidate], needed: Msat) -> &[Candidate] {
    let mut gathered = Msat::ZERO;
    let enough = candidates.iter().position(|candidate| {
        let before = gathered;
        gathered = gathered.saturating_add(candidate.capacity);
        before >= needed
    });
    candidates
        .get(..enough.unwrap_or(candidates.len()))
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "hints_tests.rs"]
mod tests;
