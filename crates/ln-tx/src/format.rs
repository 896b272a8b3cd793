//! The two kinds of commitments.

use ln_codec::{Decode, Encode};

/// How commitments and HTLC transactions look, as the channel type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum CommitmentFormat {
    /// `option_static_remotekey` alone: no anchors, HTLC transactions pay their own fee.
    StaticRemotekey,
    /// `option_anchors`: two anchors, HTLC transactions pay no fee.
    Anchors,
}

impl CommitmentFormat {
    /// Whether `option_anchors` applies.
    pub const fn has_anchors(self) -> bool {
        match self {
            Self::StaticRemotekey => false,
            Self::Anchors => true,
        }
    }
}
