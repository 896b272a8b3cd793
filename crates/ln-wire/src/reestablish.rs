//! BOLT 2 §Message Retransmission: `channel_reestablish`.

use std::fmt;

use bitcoin::Txid;
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, CommitmentNumber};

/// Where the sender stands, after a reconnection.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChannelReestablish {
    /// The channel.
    pub channel_id: ChannelId,
    /// The number of the next `commitment_signed` the sender expects.
    pub next_commitment_number: CommitmentNumber,
    /// The number of the next `revoke_and_ack` the sender expects.
    pub next_revocation_number: CommitmentNumber,
    /// The last secret the sender received, or zeros.
    pub your_last_per_commitment_secret: [u8; 32],
    /// The sender's current point.
    pub my_current_per_commitment_point: PublicKey,
    /// Optional records.
    pub tlvs: ChannelReestablishTlvs,
}

/// Without the secret: logs are read by people.
impl fmt::Debug for ChannelReestablish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelReestablish")
            .field("channel_id", &self.channel_id)
            .field("next_commitment_number", &self.next_commitment_number)
            .field("next_revocation_number", &self.next_revocation_number)
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

/// Records of [`ChannelReestablish`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ChannelReestablishTlvs {
    /// A funding transaction whose signing was interrupted.
    #[tlv(1)]
    pub next_funding: Option<NextFunding>,
    /// The funding transaction that the sender last locked.
    #[tlv(5)]
    pub my_current_funding_locked: Option<MyCurrentFundingLocked>,
}

/// A funding transaction whose signing was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NextFunding {
    /// The transaction.
    pub next_funding_txid: Txid,
    /// What to send again: see the constants.
    pub retransmit_flags: u8,
}

impl NextFunding {
    /// Bit of `retransmit_flags`: send `commitment_signed` again.
    pub const COMMITMENT_SIGNED: u8 = 1;
}

/// The funding transaction that a side last locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MyCurrentFundingLocked {
    /// The transaction.
    pub my_current_funding_locked_txid: Txid,
    /// What to send again: see the constants.
    pub retransmit_flags: u8,
}

impl MyCurrentFundingLocked {
    /// Bit of `retransmit_flags`: send `announcement_signatures` again.
    pub const ANNOUNCEMENT_SIGNATURES: u8 = 1;
}
