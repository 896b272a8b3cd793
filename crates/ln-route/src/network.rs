//! What there is to go by.

use ln_gossip::{Channel, Graph, NodeKey};
use ln_types::{Msat, ShortChannelId, ShortChannelIdDir};

use crate::edge::{Edge, Terms};
use crate::knowledge::Knowledge;

/// A channel of the payer's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstHop {
    /// The channel, in the payer's direction.
    pub channel: ShortChannelIdDir,
    /// Its other end.
    pub peer: NodeKey,
    /// The least it takes.
    pub least: Msat,
    /// The most it takes now.
    pub most: Msat,
}

/// A channel that an invoice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// Where it starts.
    pub from: NodeKey,
    /// Where it leads.
    pub to: NodeKey,
    /// The channel.
    pub channel: ShortChannelId,
    /// What its start asks for.
    pub terms: Terms,
}

/// What a payer can see.
#[derive(Debug)]
pub struct Network<'a> {
    graph: &'a Graph,
    source: NodeKey,
    own: Option<Vec<FirstHop>>,
    hints: Vec<Hint>,
}

impl<'a> Network<'a> {
    /// As the graph shows it to this node.
    pub fn new(graph: &'a Graph, source: NodeKey) -> Self {
        Self {
            graph,
            source,
            own: None,
            hints: Vec::new(),
        }
    }

    /// With the channels that the payer has, instead of those the graph knows of it.
    #[must_use]
    pub fn with_own(mut self, mut own: Vec<FirstHop>) -> Self {
        // The smallest that is large enough comes first and is taken.
        own.sort_by_key(|hop| hop.most);
        self.own = Some(own);
        self
    }

    /// With what an invoice tells.
    #[must_use]
    pub fn with_hints(mut self, hints: impl IntoIterator<Item = Hint>) -> Self {
        self.hints.extend(hints);
        self
    }

    pub(crate) fn source(&self) -> NodeKey {
        self.source
    }

    /// The payer's own channels, as far as they are known better than from the graph.
    pub(crate) fn own(&self) -> &[FirstHop] {
        self.own.as_deref().unwrap_or_default()
    }

    /// Whether anything leads to a node.
    pub(crate) fn knows(&self, node: NodeKey) -> bool {
        self.graph.node(node).is_some()
            || self.own().iter().any(|hop| hop.peer == node)
            || self.hints.iter().any(|hint| hint.to == node)
    }

    /// Every edge to a node that may be taken.
    pub(crate) fn edges_to(&self, node: NodeKey, known: &Knowledge, mut each: impl FnMut(Edge)) {
        for hop in self.own().iter().filter(|hop| hop.peer == node) {
            if !known.avoids(hop.channel, self.source) {
                each(self.own_edge(hop, known));
            }
        }
        for (scid, channel) in self.graph.channels_of(node) {
            let direction = u8::from(channel.destination(0) != node);
            let direction = ShortChannelIdDir { scid, direction };
            if let Some(edge) = self.public_edge(channel, direction, known) {
                each(edge);
            }
        }
        for hint in self.hints.iter().filter(|hint| hint.to == node) {
            if let Some(edge) = self.hinted_edge(hint, known) {
                each(edge);
            }
        }
    }

    fn own_edge(&self, hop: &FirstHop, known: &Knowledge) -> Edge {
        Edge {
            channel: hop.channel,
            from: self.source,
            terms: None,
            least: hop.least,
            most: known.room(hop.channel, hop.most),
            uncertain: None,
        }
    }

    fn public_edge(
        &self,
        channel: &Channel,
        direction: ShortChannelIdDir,
        known: &Knowledge,
    ) -> Option<Edge> {
        let from = channel.source(direction.direction);
        let is_own = from == self.source;
        let is_told = is_own && self.own.is_some();
        if is_told || channel.has_unknown_even_features || channel.dying.is_some() {
            return None;
        }
        let announced = channel.policy(direction.direction).map(Terms::from);
        let terms = known.newer_terms(direction).or(announced)?;
        if !terms.is_enabled || known.avoids(direction, from) {
            return None;
        }
        let held = known.room(direction, channel.amount.to_msat_saturating());
        Some(Edge {
            channel: direction,
            from,
            terms: (!is_own).then_some(terms),
            least: terms.htlc_minimum,
            most: held.min(terms.htlc_maximum),
            uncertain: Some(held),
        })
    }

    fn hinted_edge(&self, hint: &Hint, known: &Knowledge) -> Option<Edge> {
        let channel = ShortChannelIdDir {
            scid: hint.channel,
            direction: u8::from(hint.from > hint.to),
        };
        // The payee may name a public channel: of that one more is known than it can say.
        let public = self.graph.channel(hint.channel);
        let is_public = public.is_some_and(|it| it.policy(channel.direction).is_some());
        let terms = known.newer_terms(channel).unwrap_or(hint.terms);
        let is_own = hint.from == self.source;
        if is_own || is_public || !terms.is_enabled || known.avoids(channel, hint.from) {
            return None;
        }
        Some(Edge {
            channel,
            from: hint.from,
            terms: Some(terms),
            least: terms.htlc_minimum,
            most: known.room(channel, terms.htlc_maximum),
            uncertain: None,
        })
    }
}
