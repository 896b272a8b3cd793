//! Opening a channel that one side funds: BOLT 2 §Channel Establishment v1.

use bitcoin::secp256k1::{PublicKey, ecdsa};
use bitcoin::{ScriptBuf, Txid};
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, Features, Feerate, Msat, Sat, ShortChannelId};

/// Proposes a channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenChannel {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// Names the channel until the funding transaction is known.
    pub temporary_channel_id: ChannelId,
    /// The channel's amount, all of it the opener's.
    pub funding_satoshis: Sat,
    /// What the opener gives to the accepter at once.
    pub push_msat: Msat,
    /// Outputs below are left out of the opener's commitment.
    pub dust_limit_satoshis: Sat,
    /// The most the opener lets be in flight towards it.
    pub max_htlc_value_in_flight_msat: Msat,
    /// What the accepter must keep.
    pub channel_reserve_satoshis: Sat,
    /// The least HTLC the opener accepts.
    pub htlc_minimum_msat: Msat,
    /// The first commitment's feerate.
    pub feerate_per_kw: Feerate,
    /// Blocks the accepter's own outputs are delayed.
    pub to_self_delay: u16,
    /// The most HTLCs the opener accepts at a time.
    pub max_accepted_htlcs: u16,
    /// The opener's key in the funding output.
    pub funding_pubkey: PublicKey,
    /// For revocation keys.
    pub revocation_basepoint: PublicKey,
    /// For `to_remote` outputs.
    pub payment_basepoint: PublicKey,
    /// For `to_local` outputs.
    pub delayed_payment_basepoint: PublicKey,
    /// For HTLC outputs.
    pub htlc_basepoint: PublicKey,
    /// The point of commitment 0.
    pub first_per_commitment_point: PublicKey,
    /// See [`OpenChannel::ANNOUNCE_CHANNEL`].
    pub channel_flags: u8,
    /// Optional records.
    pub tlvs: OpenChannelTlvs,
}

impl OpenChannel {
    /// Bit of `channel_flags`: the opener wants the channel announced.
    pub const ANNOUNCE_CHANNEL: u8 = 1;
}

/// Records of [`OpenChannel`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct OpenChannelTlvs {
    /// Where the sender's coins must go in a mutual close; empty for anywhere.
    #[tlv(0, fill)]
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// The features of the channel itself.
    #[tlv(1, fill)]
    pub channel_type: Option<Features>,
}

/// Accepts a channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AcceptChannel {
    /// As in the proposal.
    pub temporary_channel_id: ChannelId,
    /// Outputs below are left out of the accepter's commitment.
    pub dust_limit_satoshis: Sat,
    /// The most the accepter lets be in flight towards it.
    pub max_htlc_value_in_flight_msat: Msat,
    /// What the opener must keep.
    pub channel_reserve_satoshis: Sat,
    /// The least HTLC the accepter accepts.
    pub htlc_minimum_msat: Msat,
    /// Confirmations the accepter wants before the channel is used.
    pub minimum_depth: u32,
    /// Blocks the opener's own outputs are delayed.
    pub to_self_delay: u16,
    /// The most HTLCs the accepter accepts at a time.
    pub max_accepted_htlcs: u16,
    /// The accepter's key in the funding output.
    pub funding_pubkey: PublicKey,
    /// For revocation keys.
    pub revocation_basepoint: PublicKey,
    /// For `to_remote` outputs.
    pub payment_basepoint: PublicKey,
    /// For `to_local` outputs.
    pub delayed_payment_basepoint: PublicKey,
    /// For HTLC outputs.
    pub htlc_basepoint: PublicKey,
    /// The point of commitment 0.
    pub first_per_commitment_point: PublicKey,
    /// Optional records.
    pub tlvs: AcceptChannelTlvs,
}

/// Records of [`AcceptChannel`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct AcceptChannelTlvs {
    /// Where the sender's coins must go in a mutual close; empty for anywhere.
    #[tlv(0, fill)]
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// The features of the channel itself, as proposed.
    #[tlv(1, fill)]
    pub channel_type: Option<Features>,
}

/// Names the funding output and signs the accepter's first commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct FundingCreated {
    /// As in the proposal.
    pub temporary_channel_id: ChannelId,
    /// The funding transaction.
    pub funding_txid: Txid,
    /// Its output.
    pub funding_output_index: u16,
    /// Of the accepter's first commitment.
    pub signature: ecdsa::Signature,
}

/// Signs the opener's first commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct FundingSigned {
    /// The channel, by its final name.
    pub channel_id: ChannelId,
    /// Of the opener's first commitment.
    pub signature: ecdsa::Signature,
}

/// The channel may be used, as far as the sender is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChannelReady {
    /// The channel.
    pub channel_id: ChannelId,
    /// The point of commitment 1.
    pub second_per_commitment_point: PublicKey,
    /// Optional records.
    pub tlvs: ChannelReadyTlvs,
}

/// Records of [`ChannelReady`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ChannelReadyTlvs {
    /// The alias under which the sender also takes HTLCs for the channel.
    #[tlv(1)]
    pub short_channel_id: Option<ShortChannelId>,
}
