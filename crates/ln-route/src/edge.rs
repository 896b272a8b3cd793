//! One direction of a channel.

use ln_gossip::{ChannelPolicy, NodeKey};
use ln_types::{CltvDelta, Msat, ShortChannelIdDir};

/// What a node asks for passing a payment on over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Fixed fee, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths of what is passed on.
    pub fee_proportional_millionths: u32,
    /// Blocks between the expiry that comes in and the one that goes out.
    pub cltv_expiry_delta: CltvDelta,
    /// The least that is passed on.
    pub htlc_minimum: Msat,
    /// The most that is passed on at once.
    pub htlc_maximum: Msat,
    /// Whether anything is.
    pub is_enabled: bool,
}

impl Terms {
    /// What passing on `amount` costs.
    // BOLT 7 §HTLC Fees: fee_base_msat + ( amount_to_forward * fee_proportional_millionths / 1000000 )
    pub fn fee(&self, amount: Msat) -> Msat {
        let base = Msat::from_msat(u64::from(self.fee_base_msat));
        base.saturating_add(amount.millionths(self.fee_proportional_millionths))
    }
}

impl From<&ChannelPolicy> for Terms {
    fn from(policy: &ChannelPolicy) -> Self {
        Self {
            fee_base_msat: policy.fee_base_msat,
            fee_proportional_millionths: policy.fee_proportional_millionths,
            cltv_expiry_delta: policy.cltv_expiry_delta,
            htlc_minimum: policy.htlc_minimum_msat,
            htlc_maximum: policy.htlc_maximum_msat,
            is_enabled: policy.is_enabled(),
        }
    }
}

/// One direction of a channel, as one part of a payment may take it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) channel: ShortChannelIdDir,
    pub(crate) from: NodeKey,
    /// `None` for the payer's own: it asks for nothing.
    pub(crate) terms: Option<Terms>,
    pub(crate) least: Msat,
    pub(crate) most: Msat,
    /// What it may hold, if nobody knows how that is divided between its ends.
    pub(crate) uncertain: Option<Msat>,
}
