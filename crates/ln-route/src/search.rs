//! The cheapest way, found from its end: what a node asks for depends on what it is to pass on.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use ln_gossip::NodeKey;
use ln_types::{Msat, ShortChannelIdDir};

use crate::cost::{Risk, cost};
use crate::edge::Edge;
use crate::knowledge::Knowledge;
use crate::network::Network;
use crate::route::{Hop, Route};

/// The most steps of a way.
// BOLT 4 §Packet Structure: so many fit in the 1300 bytes of an onion.
pub const MAX_HOPS: usize = 20;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// Where to.
    pub destination: NodeKey,
    /// What is to arrive.
    pub amount: Msat,
    /// The blocks that the destination wants.
    pub final_delay: u32,
    /// The most to pay for it.
    pub max_fee: Msat,
    /// The most blocks that the payer's money may be locked.
    pub max_delay: u32,
    /// The most steps.
    pub max_hops: usize,
    /// What blocks weigh against fees.
    pub risk: Risk,
}

/// Why there is no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// Nothing is known of where it ends.
    #[error(
        "nothing is known of {0}: no channel of it is in our view of the network, and no route hint leads to it"
    )]
    Unknown(NodeKey),
    /// The channels that lead there don't take as much, or as little, as far as we know.
    #[error("no route that we know of can carry {amount}")]
    Amount {
        /// What should arrive.
        amount: Msat,
    },
    /// No channels lead from one to the other, or all that do are avoided.
    #[error("no usable channels lead to {0}")]
    Apart(NodeKey),
    /// The cheapest way is too dear.
    #[error("the cheapest route takes {fee} in fees, and no more than {max} may be paid")]
    Fee {
        /// What it takes.
        fee: Msat,
        /// What was allowed.
        max: Msat,
    },
    /// Each way is too slow.
    #[error(
        "the route that was found may lock the money for {delay} blocks, and no more than {max} are allowed"
    )]
    Delay {
        /// What it takes.
        delay: u32,
        /// What was allowed.
        max: u32,
    },
}

/// The cheapest way for an amount in one part.
///
/// # Errors
/// Why there is none.
pub fn find(network: &Network<'_>, known: &Knowledge, query: &Query) -> Result<Route, NoRoute> {
    search(network, known, query).map_err(|left_out| left_out.reason(network, known, query))
}

/// What a search that found nothing left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeftOut {
    /// Channels that don't take as much, or as little.
    too_small: bool,
    /// Steps that cost too much.
    too_dear: bool,
    /// Steps that take too many blocks.
    too_slow: bool,
}

/// A way, or what was left out, from which the reason follows.
pub(crate) fn search(
    network: &Network<'_>,
    known: &Knowledge,
    query: &Query,
) -> Result<Route, LeftOut> {
    let found = Search::run(network, known, query);
    if found.left_out.too_slow && found.route.is_none() {
        // Cheap steps took too many blocks: perhaps others don't.
        let risk = query.risk.heavy();
        let again = Search::run(network, known, &Query { risk, ..*query });
        return again.route.ok_or(found.left_out);
    }
    found.route.ok_or(found.left_out)
}

impl LeftOut {
    /// What would have to be different.
    pub(crate) fn reason(self, network: &Network<'_>, known: &Knowledge, query: &Query) -> NoRoute {
        let destination = query.destination;
        if !network.knows(destination) {
            return NoRoute::Unknown(destination);
        }
        let free = Query {
            max_fee: Msat::MAX,
            max_delay: u32::MAX,
            ..*query
        };
        let mut too_small = self.too_small;
        if self.too_dear || self.too_slow {
            let found = Search::run(network, known, &free);
            too_small |= found.left_out.too_small;
            let within = |route: Route| (route.fee(), route.delay());
            match found.route.map(within) {
                Some((fee, _)) if fee > query.max_fee => {
                    let max = query.max_fee;
                    return NoRoute::Fee { fee, max };
                }
                Some((_, delay)) => {
                    let max = query.max_delay;
                    return NoRoute::Delay { delay, max };
                }
                None => {}
            }
        }
        if too_small && Search::reaches(network, known, &free) {
            let amount = query.amount;
            NoRoute::Amount { amount }
        } else {
            NoRoute::Apart(destination)
        }
    }
}

/// How the destination is reached best from a node.
#[derive(Debug, Clone, Copy)]
struct Label {
    cost: u64,
    /// What has to arrive at the node, and how many blocks before.
    amount: Msat,
    delay: u32,
    hops: usize,
    /// The step that comes next; `None` at the destination.
    next: Option<(ShortChannelIdDir, NodeKey)>,
    is_final: bool,
}

struct Search<'a> {
    query: &'a Query,
    source: NodeKey,
    labels: HashMap<NodeKey, Label>,
    /// By cost, the cheapest first.
    queue: BinaryHeap<Reverse<(u64, NodeKey)>>,
    left_out: LeftOut,
    /// Whether it does not matter what channels can carry.
    any_amount: bool,
}

struct Found {
    route: Option<Route>,
    left_out: LeftOut,
}

impl<'a> Search<'a> {
    fn run(network: &Network<'_>, known: &Knowledge, query: &'a Query) -> Found {
        let mut search = Self::new(network, query);
        search.go(network, known);
        Found {
            route: search.route(),
            left_out: search.left_out,
        }
    }

    /// Whether channels lead from the source to the destination, whatever they can carry.
    fn reaches(network: &Network<'_>, known: &Knowledge, query: &'a Query) -> bool {
        let mut search = Self::new(network, query);
        search.any_amount = true;
        search.go(network, known);
        search.route().is_some()
    }

    fn new(network: &Network<'_>, query: &'a Query) -> Self {
        Self {
            query,
            source: network.source(),
            labels: HashMap::new(),
            queue: BinaryHeap::new(),
            left_out: LeftOut::default(),
            any_amount: false,
        }
    }

    fn go(&mut self, network: &Network<'_>, known: &Knowledge) {
        let query = self.query;
        let end = Label {
            cost: 0,
            amount: query.amount,
            delay: query.final_delay,
            hops: 0,
            next: None,
            is_final: false,
        };
        if query.destination != self.source && query.final_delay <= query.max_delay {
            self.offer(query.destination, end);
        }
        while let Some((node, label)) = self.next_node() {
            if node == self.source {
                return;
            }
            network.edges_to(node, known, |edge| self.extend(node, &label, &edge));
        }
    }

    /// The node that is reached for the least of all that are not final; it is from now on.
    fn next_node(&mut self) -> Option<(NodeKey, Label)> {
        while let Some(Reverse((_, node))) = self.queue.pop() {
            let label = self.labels.get_mut(&node)?;
            if !label.is_final {
                label.is_final = true;
                return Some((node, *label));
            }
        }
        None
    }

    /// Goes one step further from the end: over `edge`, which leads to `node`.
    fn extend(&mut self, node: NodeKey, label: &Label, edge: &Edge) {
        if label.hops >= self.query.max_hops {
            return;
        }
        let fits = (edge.least..=edge.most).contains(&label.amount);
        if !fits && !self.any_amount {
            self.left_out.too_small = true;
            return;
        }
        let (fee, blocks) = edge.terms.map_or((Msat::ZERO, 0), |terms| {
            (
                terms.fee(label.amount),
                u32::from(terms.cltv_expiry_delta.0),
            )
        });
        let amount = label.amount.saturating_add(fee);
        let delay = label.delay.saturating_add(blocks);
        if amount.saturating_sub(self.query.amount) > self.query.max_fee {
            self.left_out.too_dear = true;
            return;
        }
        if delay > self.query.max_delay {
            self.left_out.too_slow = true;
            return;
        }
        let further = Label {
            cost: label
                .cost
                .saturating_add(cost(edge, label.amount, self.query.risk)),
            amount,
            delay,
            hops: label.hops.saturating_add(1),
            next: Some((edge.channel, node)),
            is_final: false,
        };
        self.offer(edge.from, further);
    }

    /// Keeps a label that is better than the one there was.
    fn offer(&mut self, node: NodeKey, label: Label) {
        match self.labels.entry(node) {
            Entry::Occupied(known) if known.get().is_final || known.get().cost <= label.cost => {
                return;
            }
            Entry::Occupied(mut known) => {
                known.insert(label);
            }
            Entry::Vacant(place) => {
                place.insert(label);
            }
        }
        self.queue.push(Reverse((label.cost, node)));
    }

    /// The way from the source, if it was reached.
    fn route(&self) -> Option<Route> {
        let mut hops = Vec::new();
        let mut label = self.labels.get(&self.source).filter(|it| it.is_final)?;
        while let Some((channel, node)) = label.next {
            label = self.labels.get(&node)?;
            hops.push(Hop {
                channel,
                node,
                amount: label.amount,
                delay: label.delay,
            });
        }
        Some(Route { hops })
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
