//! Opening a channel that both sides may fund: BOLT 2 §Channel Establishment v2.
//!
//! The records about leases are Core Lightning's extension (`option_will_fund`).

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{PublicKey, ecdsa};
use ln_codec::{Decode, DecodeError, Encode, Reader, Tlv, Truncated};
use ln_types::{BlockHeight, ChannelId, Features, Feerate, Msat, Sat};

/// Proposes a channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenChannel2 {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// Names the channel until the accepter's keys are known.
    pub temporary_channel_id: ChannelId,
    /// The feerate of the funding transaction.
    pub funding_feerate_perkw: Feerate,
    /// The feerate of the first commitment.
    pub commitment_feerate_perkw: Feerate,
    /// What the opener adds to the channel.
    pub funding_satoshis: Sat,
    /// Outputs below are left out of the opener's commitment.
    pub dust_limit_satoshis: Sat,
    /// The most the opener lets be in flight towards it.
    pub max_htlc_value_in_flight_msat: Msat,
    /// The least HTLC the opener accepts.
    pub htlc_minimum_msat: Msat,
    /// Blocks the accepter's own outputs are delayed.
    pub to_self_delay: u16,
    /// The most HTLCs the opener accepts at a time.
    pub max_accepted_htlcs: u16,
    /// The funding transaction's `nLockTime`.
    pub locktime: u32,
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
    /// The point of commitment 1.
    pub second_per_commitment_point: PublicKey,
    /// See [`crate::OpenChannel::ANNOUNCE_CHANNEL`].
    pub channel_flags: u8,
    /// Optional records.
    pub tlvs: OpeningTlvs,
}

/// Records of [`OpenChannel2`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct OpeningTlvs {
    /// Where the sender's coins must go in a mutual close; empty for anywhere.
    #[tlv(0, fill)]
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// The features of the channel itself.
    #[tlv(1, fill)]
    pub channel_type: Option<Features>,
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
    /// Asks to lease liquidity.
    #[tlv(3)]
    pub request_funds: Option<RequestFunds>,
}

/// A request to lease liquidity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RequestFunds {
    /// How much.
    pub requested_sats: Sat,
    /// From when.
    pub blockheight: BlockHeight,
}

/// Accepts a channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AcceptChannel2 {
    /// As in the proposal.
    pub temporary_channel_id: ChannelId,
    /// What the accepter adds to the channel.
    pub funding_satoshis: Sat,
    /// Outputs below are left out of the accepter's commitment.
    pub dust_limit_satoshis: Sat,
    /// The most the accepter lets be in flight towards it.
    pub max_htlc_value_in_flight_msat: Msat,
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
    /// The point of commitment 1.
    pub second_per_commitment_point: PublicKey,
    /// Optional records.
    pub tlvs: AcceptTlvs,
}

/// Records of [`AcceptChannel2`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct AcceptTlvs {
    /// Where the sender's coins must go in a mutual close; empty for anywhere.
    #[tlv(0, fill)]
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// The features of the channel itself, as proposed.
    #[tlv(1, fill)]
    pub channel_type: Option<Features>,
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
    /// Agrees to a lease.
    #[tlv(3)]
    pub will_fund: Option<WillFund>,
}

/// An agreement to a lease.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WillFund {
    /// Of the lease's terms.
    pub signature: ecdsa::Signature,
    /// The terms.
    pub lease_rates: LeaseRates,
}

/// The price of leased liquidity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRates {
    /// The weight of the lessor's part of the transaction, paid by the lessee.
    pub funding_weight: u16,
    /// Hundredths of a percent of the leased amount.
    pub lease_fee_basis: u16,
    /// The most proportional fee the lessor will charge for forwards.
    pub channel_fee_max_proportional_thousandths: u16,
    /// Fixed part of the price.
    pub lease_fee_base_sat: u32,
    /// The most base fee the lessor will charge for forwards, in millisatoshi.
    pub channel_fee_max_base_msat: u32,
}

impl Encode for LeaseRates {
    fn encode(&self, out: &mut Vec<u8>) {
        self.funding_weight.encode(out);
        self.lease_fee_basis.encode(out);
        self.channel_fee_max_proportional_thousandths.encode(out);
        self.lease_fee_base_sat.encode(out);
        self.channel_fee_max_base_msat.encode_truncated(out);
    }
}

/// Ends with a truncated integer, so it reads all that is left in its record.
impl Decode for LeaseRates {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            funding_weight: u16::decode(reader)?,
            lease_fee_basis: u16::decode(reader)?,
            channel_fee_max_proportional_thousandths: u16::decode(reader)?,
            lease_fee_base_sat: u32::decode(reader)?,
            channel_fee_max_base_msat: u32::decode_truncated(reader)?,
        })
    }
}
