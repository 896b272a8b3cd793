//! A way.

use ln_gossip::NodeKey;
use ln_types::{Msat, ShortChannelIdDir};

/// One step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The channel that is taken.
    pub channel: ShortChannelIdDir,
    /// The node it leads to.
    pub node: NodeKey,
    /// What arrives there.
    pub amount: Msat,
    /// The blocks that the node has left then.
    pub delay: u32,
}

/// A way from the payer to the payee, its peer first. Holds at least one hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The steps.
    pub hops: Vec<Hop>,
}

impl Route {
    /// What arrives.
    pub fn amount(&self) -> Msat {
        self.hops.last().map_or(Msat::ZERO, |hop| hop.amount)
    }

    /// What is sent.
    pub fn sent(&self) -> Msat {
        self.hops.first().map_or(Msat::ZERO, |hop| hop.amount)
    }

    /// What the nodes on the way keep.
    pub fn fee(&self) -> Msat {
        self.sent().saturating_sub(self.amount())
    }

    /// The blocks for which the payer's money may be locked.
    pub fn delay(&self) -> u32 {
        self.hops.first().map_or(0, |hop| hop.delay)
    }

    /// What is passed on by others: everything but the payer's own channel.
    pub fn beyond_the_first(&self) -> &[Hop] {
        self.hops.get(1..).unwrap_or_default()
    }
}
