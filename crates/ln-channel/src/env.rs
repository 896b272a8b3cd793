//! What a machine may know of the world.

use ln_signer::Signer;
use ln_types::{BlockHeight, FeatureBit, Features, Feerate, Msat, NodeId};

use crate::{BySide, ChannelError};

/// The feerates commitments may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeerateBounds {
    /// What we want, as opener.
    pub desired: Feerate,
    /// The least we bear.
    pub min: Feerate,
    /// The most we bear.
    pub max: Feerate,
}

impl FeerateBounds {
    /// Fails when a feerate of the peer's is out of bounds.
    pub fn check(&self, feerate: Feerate) -> Result<(), ChannelError> {
        let Self { min, max, .. } = *self;
        if feerate < min || feerate > max {
            return Err(ChannelError::FeerateOutOfRange { feerate, min, max });
        }
        Ok(())
    }
}

/// What a machine may know of the world. Nothing else gets in.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The best block.
    pub height: BlockHeight,
    /// The feerates commitments may have.
    pub feerates: FeerateBounds,
    /// `max-dust-htlc-exposure-msat`.
    pub max_dust_exposure: Msat,
    /// What we offered in `init`.
    pub our_features: &'a Features,
    /// What the peer offered in `init`.
    pub their_features: &'a Features,
    /// The two nodes.
    pub node_ids: BySide<NodeId>,
    /// The chain.
    pub chain_hash: [u8; 32],
    /// Signs for this channel.
    pub signer: &'a dyn Signer,
}

impl Env<'_> {
    /// Whether both sides offer a feature.
    pub fn negotiated(&self, feature: FeatureBit) -> bool {
        self.our_features.supports(feature) && self.their_features.supports(feature)
    }
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env")
            .field("height", &self.height)
            .field("feerates", &self.feerates)
            .finish_non_exhaustive()
    }
}
