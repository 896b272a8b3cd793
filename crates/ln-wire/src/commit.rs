//! Committing updates: BOLT 2 §Committing Updates So Far: `commitment_signed`, §Completing the Transition to the Updated State:
//! `revoke_and_ack`, §Updating Fees: `update_fee`, §Batching channel messages.

use bitcoin::Txid;
use bitcoin::secp256k1::{PublicKey, ecdsa};
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{BlockHeight, ChannelId, Feerate};

/// Announces that the next messages belong together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StartBatch {
    /// The channel.
    pub channel_id: ChannelId,
    /// How many messages follow.
    pub batch_size: u16,
    /// Optional records.
    pub tlvs: StartBatchTlvs,
}

/// Records of [`StartBatch`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct StartBatchTlvs {
    /// The type of the messages, 132 (`commitment_signed`) today.
    #[tlv(1)]
    pub message_type: Option<u16>,
}

/// Signatures of the receiver's next commitment transaction and its HTLC transactions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CommitmentSigned {
    /// The channel.
    pub channel_id: ChannelId,
    /// Of the commitment transaction.
    pub signature: ecdsa::Signature,
    /// Of the HTLC transactions, in the order of the commitment transaction's outputs.
    pub htlc_signature: Vec<ecdsa::Signature>,
    /// Optional records.
    pub tlvs: CommitmentSignedTlvs,
}

/// Records of [`CommitmentSigned`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct CommitmentSignedTlvs {
    /// The funding transaction it spends, while several are pending.
    #[tlv(1)]
    pub funding_txid: Option<Txid>,
}

/// Revokes the sender's previous commitment transaction.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct RevokeAndAck {
    /// The channel.
    pub channel_id: ChannelId,
    /// The secret of the commitment now revoked. Not checked to be a valid key.
    pub per_commitment_secret: [u8; 32],
    /// The point of the commitment after the next.
    pub next_per_commitment_point: PublicKey,
}

/// Without the secret: logs are read by people.
impl std::fmt::Debug for RevokeAndAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevokeAndAck")
            .field("channel_id", &self.channel_id)
            .field("next_per_commitment_point", &self.next_per_commitment_point)
            .finish_non_exhaustive()
    }
}

/// The opener's new feerate for commitment transactions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct UpdateFee {
    /// The channel.
    pub channel_id: ChannelId,
    /// The feerate.
    pub feerate_per_kw: Feerate,
}

/// Core Lightning's extension for leased channels: the height both sides count the lease from.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct UpdateBlockheight {
    /// The channel.
    pub channel_id: ChannelId,
    /// The height.
    pub blockheight: BlockHeight,
}
