//! What the end of a blinded path tells each hop of it.

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, DecodeError, Encode, Reader, Tlv, TlvRecord, Truncated};
use ln_types::{CltvDelta, CltvExpiry, Msat, ShortChannelId};

/// The plain text of `encrypted_recipient_data`.
///
/// BOLT 4 §Inside `encrypted_recipient_data`: `encrypted_data_tlv`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct EncryptedData {
    /// Bytes without meaning that make all hops' data equally long.
    #[tlv(1, rest)]
    pub padding: Option<Vec<u8>>,
    /// The channel to forward over.
    #[tlv(2)]
    pub short_channel_id: Option<ShortChannelId>,
    /// The node to forward to.
    #[tlv(4)]
    pub next_node_id: Option<PublicKey>,
    /// What the maker of the path recognises it by.
    #[tlv(6, rest)]
    pub path_id: Option<Vec<u8>>,
    /// The path key to hand on instead of the computed one.
    #[tlv(8)]
    pub next_path_key_override: Option<PublicKey>,
    /// Fee and expiry delta of this hop.
    #[tlv(10)]
    pub payment_relay: Option<PaymentRelay>,
    /// Limits for payments over the path.
    #[tlv(12)]
    pub payment_constraints: Option<PaymentConstraints>,
    /// Features a payment may use, as a BOLT 9 bit vector.
    #[tlv(14, rest)]
    pub allowed_features: Option<Vec<u8>>,
    /// Records of unknown odd types.
    #[tlv(unknown)]
    pub unknown: Vec<TlvRecord>,
}

/// What one hop of a blinded path takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRelay {
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// Fee in millionths of the forwarded amount.
    pub fee_proportional_millionths: u32,
    /// Fee per payment, at most 2^32 - 1 millisatoshi.
    pub fee_base_msat: u32,
}

/// Limits for payments over a blinded path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentConstraints {
    /// The largest expiry an incoming HTLC may have here.
    pub max_cltv_expiry: CltvExpiry,
    /// The smallest incoming amount.
    pub htlc_minimum_msat: Msat,
}

impl Encode for PaymentRelay {
    fn encode(&self, out: &mut Vec<u8>) {
        self.cltv_expiry_delta.encode(out);
        self.fee_proportional_millionths.encode(out);
        self.fee_base_msat.encode_truncated(out);
    }
}

impl Decode for PaymentRelay {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            cltv_expiry_delta: Decode::decode(reader)?,
            fee_proportional_millionths: Decode::decode(reader)?,
            fee_base_msat: Truncated::decode_truncated(reader)?,
        })
    }
}

impl Encode for PaymentConstraints {
    fn encode(&self, out: &mut Vec<u8>) {
        self.max_cltv_expiry.encode(out);
        self.htlc_minimum_msat.encode_truncated(out);
    }
}

impl Decode for PaymentConstraints {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            max_cltv_expiry: Decode::decode(reader)?,
            htlc_minimum_msat: Truncated::decode_truncated(reader)?,
        })
    }
}
