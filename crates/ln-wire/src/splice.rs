//! Quiescence and splicing: BOLT 2 §Channel Quiescence, §Channel Splicing.

use bitcoin::Txid;
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, Feerate, SignedSat};

/// The sender stops sending updates.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct Stfu {
    /// The channel.
    pub channel_id: ChannelId,
    /// 1 when the sender asks for quiescence, 0 when it answers.
    pub initiator: u8,
}

/// Asks to change the channel's amount.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SpliceInit {
    /// The channel.
    pub channel_id: ChannelId,
    /// What the sender adds.
    pub funding_contribution_satoshis: SignedSat,
    /// The feerate of the splice transaction.
    pub funding_feerate_perkw: Feerate,
    /// Its `nLockTime`.
    pub locktime: u32,
    /// The sender's key in the new funding output.
    pub funding_pubkey: PublicKey,
    /// Optional records.
    pub tlvs: SpliceInitTlvs,
}

/// Records of [`SpliceInit`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct SpliceInitTlvs {
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
}

/// Agrees to a splice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SpliceAck {
    /// The channel.
    pub channel_id: ChannelId,
    /// What the sender adds.
    pub funding_contribution_satoshis: SignedSat,
    /// The sender's key in the new funding output.
    pub funding_pubkey: PublicKey,
    /// Optional records.
    pub tlvs: SpliceAckTlvs,
}

/// Records of [`SpliceAck`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct SpliceAckTlvs {
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
}

/// The splice transaction is deep enough for the sender.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct SpliceLocked {
    /// The channel.
    pub channel_id: ChannelId,
    /// The transaction.
    pub splice_txid: Txid,
}
