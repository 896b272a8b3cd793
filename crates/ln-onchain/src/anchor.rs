//! Paying for a commitment from its anchor (child pays for parent).

use bitcoin::OutPoint;
use ln_tx::fee::ANCHOR_VALUE;
use ln_tx::script::anchor_script;
use ln_tx::{CommitmentOutput, CommitmentTx, Spend, SpendPath};
use ln_types::{Feerate, Sat};

/// A commitment that waits for a block, and our anchor on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorBump {
    /// Our anchor, to be the first input of the child.
    pub anchor: Spend,
    /// What the commitment weighs when signed.
    pub parent_weight: u64,
    /// What the commitment pays.
    pub parent_fee: Sat,
}

impl AnchorBump {
    /// Our anchor on our own commitment; none if it has none.
    // BOLT 5 §Failing a Channel: our anchor must be spent with enough fee to get the commitment into a block.
    pub fn new(commitment: &CommitmentTx) -> Option<Self> {
        let vout =
            commitment.find(|output| matches!(output, CommitmentOutput::LocalAnchor { .. }))?;
        Some(Self {
            anchor: Spend {
                outpoint: OutPoint::new(commitment.txid(), vout),
                value: ANCHOR_VALUE,
                path: SpendPath::Anchor {
                    witness_script: anchor_script(&commitment.params().holder_funding_key),
                },
            },
            parent_weight: commitment.expected_weight(),
            parent_fee: commitment.fee(),
        })
    }

    /// What the child must pay beyond its own feerate, and beyond what the anchor brings, so that both together have `feerate`;
    /// zero if the parent pays enough by itself.
    ///
    /// This is the amount to fund the child with: its inputs are the anchor (of [`Spend::input_weight`]) and coins of the wallet,
    /// its only output is change.
    pub fn missing_fee(&self, feerate: Feerate) -> Sat {
        feerate
            .fee(self.parent_weight)
            .saturating_sub(self.parent_fee)
            .saturating_sub(self.anchor.value)
    }

    /// Whether the parent pays `feerate` by itself.
    pub fn is_enough(&self, feerate: Feerate) -> bool {
        self.parent_fee >= feerate.fee(self.parent_weight)
    }
}
