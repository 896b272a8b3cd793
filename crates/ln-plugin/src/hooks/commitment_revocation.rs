//! `commitment_revocation`: a peer revoked a commitment; whoever has the penalty transaction can punish it for publishing that.

use bitcoin::Txid;
use ln_rpc::params::Hex;
use ln_types::ChannelId;
use serde::{Deserialize, Serialize};

use super::{Continue, Hook};

/// Asked when a peer has revoked a commitment. The channel goes on meanwhile.
pub const COMMITMENT_REVOCATION: Hook<CommitmentRevocation, Continue> =
    Hook::named("commitment_revocation");

/// What was revoked, and how to punish its publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentRevocation {
    /// The commitment that must not appear any more.
    pub commitment_txid: Txid,
    /// The transaction that takes everything if it does, signed.
    pub penalty_tx: Hex,
    /// The channel.
    pub channel_id: ChannelId,
    /// Which of its commitments, from 0.
    pub commitnum: u64,
}
