//! Adding and removing HTLCs: BOLT 2 §Adding an HTLC: `update_add_htlc`, §Removing an HTLC: `update_fulfill_htlc`,
//! `update_fail_htlc`, and `update_fail_malformed_htlc`.

use std::fmt;

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode, Tlv, TlvRecord};
use ln_types::{ChannelId, CltvExpiry, HtlcId, Msat, PaymentHash, PaymentPreimage};

/// The 1366 bytes of a payment's onion, opaque here: ln-onion reads them.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnionPacketBytes(
    /// The bytes of `onion_packet`.
    pub Box<[u8; 1366]>,
);

impl fmt::Debug for OnionPacketBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnionPacketBytes(..)")
    }
}

/// Offers an HTLC.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UpdateAddHtlc {
    /// The channel.
    pub channel_id: ChannelId,
    /// Counted by the sender from 0.
    pub id: HtlcId,
    /// How much.
    pub amount_msat: Msat,
    /// What the preimage must hash to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// What to do with it.
    pub onion_routing_packet: OnionPacketBytes,
    /// Optional records.
    pub tlvs: UpdateAddHtlcTlvs,
}

/// Records of [`UpdateAddHtlc`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct UpdateAddHtlcTlvs {
    /// The `path_key` of a hop inside a blinded path.
    #[tlv(0)]
    pub blinded_path: Option<PublicKey>,
    /// Records we don't know: other programs may.
    #[tlv(unknown)]
    pub unknown: Vec<TlvRecord>,
}

/// Claims an HTLC.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UpdateFulfillHtlc {
    /// The channel.
    pub channel_id: ChannelId,
    /// The HTLC, as its offerer counts.
    pub id: HtlcId,
    /// The preimage.
    pub payment_preimage: PaymentPreimage,
    /// Optional records.
    pub tlvs: UpdateFulfillHtlcTlvs,
}

/// Records of [`UpdateFulfillHtlc`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct UpdateFulfillHtlcTlvs {
    /// Who held the HTLC for how long.
    #[tlv(1)]
    pub attribution_data: Option<AttributionData>,
}

/// Fails an HTLC.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UpdateFailHtlc {
    /// The channel.
    pub channel_id: ChannelId,
    /// The HTLC, as its offerer counts.
    pub id: HtlcId,
    /// The encrypted reason (BOLT 4 §Returning Errors).
    pub reason: Vec<u8>,
    /// Optional records.
    pub tlvs: UpdateFailHtlcTlvs,
}

/// Records of [`UpdateFailHtlc`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct UpdateFailHtlcTlvs {
    /// Who held the HTLC for how long.
    #[tlv(1)]
    pub attribution_data: Option<AttributionData>,
}

/// Fails an HTLC whose onion could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct UpdateFailMalformedHtlc {
    /// The channel.
    pub channel_id: ChannelId,
    /// The HTLC, as its offerer counts.
    pub id: HtlcId,
    /// SHA256 of the onion that was received.
    pub sha256_of_onion: [u8; 32],
    /// What is wrong with it (BOLT 4 §Failure Messages); has the BADONION bit.
    pub failure_code: u16,
}

/// Hold times and their authentication, encrypted hop by hop: opaque here, ln-onion reads them.
///
/// BOLT 4 §Initialization of `attribution_data`.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributionData {
    /// 20 times of 4 bytes, in units of 100 ms.
    pub htlc_hold_times: [u8; Self::HOLD_TIMES_LEN],
    /// 210 HMACs cut to 4 bytes.
    pub truncated_hmacs: Box<[u8; Self::HMACS_LEN]>,
}

impl AttributionData {
    /// Bytes of `htlc_hold_times`.
    pub const HOLD_TIMES_LEN: usize = 80;
    /// Bytes of `truncated_hmacs`.
    pub const HMACS_LEN: usize = 840;
}

impl Default for AttributionData {
    fn default() -> Self {
        Self {
            htlc_hold_times: [0; Self::HOLD_TIMES_LEN],
            truncated_hmacs: Box::new([0; Self::HMACS_LEN]),
        }
    }
}

impl fmt::Debug for AttributionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttributionData(..)")
    }
}

impl Encode for AttributionData {
    fn encode(&self, out: &mut Vec<u8>) {
        self.htlc_hold_times.encode(out);
        self.truncated_hmacs.encode(out);
    }
}

impl Decode for AttributionData {
    fn decode(reader: &mut ln_codec::Reader<'_>) -> Result<Self, ln_codec::DecodeError> {
        Ok(Self {
            htlc_hold_times: Decode::decode(reader)?,
            truncated_hmacs: Decode::decode(reader)?,
        })
    }
}
