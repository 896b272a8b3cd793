//! What is known of channels and nodes beyond what they say.

use std::collections::{HashMap, HashSet};

use ln_gossip::NodeKey;
use ln_types::{Msat, ShortChannelIdDir};

use crate::edge::Terms;
use crate::route::Hop;

/// So often a node may change its mind about its terms.
const MOST_TERMS: usize = 3;

/// What attempts at a payment have taught, and what is to be avoided.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    avoided: HashSet<ShortChannelIdDir>,
    avoided_nodes: HashSet<NodeKey>,
    /// The most that was found to fit into a channel, all parts together.
    bounds: HashMap<ShortChannelIdDir, Msat>,
    /// Terms that are newer than the graph's, and how often there were newer ones.
    terms: HashMap<ShortChannelIdDir, (Terms, usize)>,
    /// What parts that are under way or planned take.
    used: HashMap<ShortChannelIdDir, Msat>,
}

impl Knowledge {
    /// Nothing goes through this direction of a channel.
    pub fn avoid_channel(&mut self, channel: ShortChannelIdDir) {
        self.avoided.insert(channel);
    }

    /// Nothing goes through this node.
    pub fn avoid_node(&mut self, node: NodeKey) {
        self.avoided_nodes.insert(node);
    }

    /// The channel has no room for what is taken of it ([`Knowledge::take`]): one of the parts was refused.
    pub fn refused(&mut self, channel: ShortChannelIdDir) {
        let used = self.used(channel);
        let bound = self.bounds.entry(channel).or_insert(Msat::MAX);
        *bound = used.saturating_sub(Msat::from_msat(1)).min(*bound);
    }

    /// A node has told newer terms. Returns whether they are news that a further attempt is worth: not, for example, if it tells others each time.
    pub fn told(&mut self, channel: ShortChannelIdDir, terms: Terms) -> bool {
        let (known, times) = self.terms.entry(channel).or_insert((terms, 0));
        let is_news = *times == 0 || *known != terms;
        *known = terms;
        *times = times.saturating_add(1);
        is_news && *times <= MOST_TERMS
    }

    /// A part takes these steps.
    pub fn take(&mut self, hops: &[Hop]) {
        for hop in hops {
            let used = self.used.entry(hop.channel).or_default();
            *used = used.saturating_add(hop.amount);
        }
    }

    /// It does so no more.
    pub fn give_back(&mut self, hops: &[Hop]) {
        for hop in hops {
            let left = self.used(hop.channel).saturating_sub(hop.amount);
            if left.is_zero() {
                self.used.remove(&hop.channel);
            } else {
                self.used.insert(hop.channel, left);
            }
        }
    }

    pub(crate) fn avoids(&self, channel: ShortChannelIdDir, from: NodeKey) -> bool {
        self.avoided.contains(&channel) || self.avoided_nodes.contains(&from)
    }

    /// What of a channel that holds so much may be left.
    pub(crate) fn room(&self, channel: ShortChannelIdDir, held: Msat) -> Msat {
        let bound = self.bounds.get(&channel).copied().unwrap_or(Msat::MAX);
        bound.min(held).saturating_sub(self.used(channel))
    }

    pub(crate) fn newer_terms(&self, channel: ShortChannelIdDir) -> Option<Terms> {
        self.terms.get(&channel).map(|(terms, _)| *terms)
    }

    fn used(&self, channel: ShortChannelIdDir) -> Msat {
        self.used.get(&channel).copied().unwrap_or_default()
    }
}
