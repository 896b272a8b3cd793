//! What a payload tells us to do with an HTLC, once the rules about its fields are checked.

use bitcoin::secp256k1::PublicKey;
use ln_codec::BigSize;
use ln_types::{CltvExpiry, Msat, ShortChannelId};

use crate::payload::offset_of;
use crate::{EncryptedData, FailureMessage, HopPayload, PaymentData, UnblindedHop};

/// The HTLC that brought the onion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HtlcIn {
    /// Its amount.
    pub amount: Msat,
    /// Its expiry.
    pub cltv_expiry: CltvExpiry,
    /// Whether `update_add_htlc` carried a path key.
    pub has_path_key: bool,
    /// Whether the onion ends with us.
    pub is_final: bool,
}

/// Where to forward to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardTo {
    /// Over this channel, or another one to the same peer.
    Channel(ShortChannelId),
    /// To this node, over any channel.
    Node(PublicKey),
}

/// What to do with an HTLC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// Forward it.
    Forward {
        /// Where to.
        to: ForwardTo,
        /// The outgoing amount.
        amount: Msat,
        /// The outgoing expiry.
        cltv_expiry: CltvExpiry,
        /// The path key for the outgoing `update_add_htlc`, inside a blinded path.
        next_path_key: Option<PublicKey>,
    },
    /// It is for us.
    Receive {
        /// The least it should bring.
        amount: Msat,
        /// The whole amount over all parts.
        total: Msat,
        /// The least expiry it should have.
        cltv_expiry: CltvExpiry,
        /// The invoice's secret, outside a blinded path.
        payment_data: Option<PaymentData>,
        /// The invoice's metadata.
        payment_metadata: Option<Vec<u8>>,
        /// What we wrote for ourselves into the blinded path it came by: its `path_id`, perhaps empty.
        path_id: Option<Vec<u8>>,
    },
}

/// Why a payload can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstructionError {
    /// A field is missing.
    #[error("onion payload lacks tlv type {0}")]
    Missing(u64),
    /// A field must not be there.
    #[error("onion payload must not have tlv type {0} here")]
    Forbidden(u64),
    /// The blinded path's data breaks its rules.
    #[error("encrypted_recipient_data: {0}")]
    BlindedData(&'static str),
    /// The amount or expiry is outside what the blinded path allows.
    #[error("htlc of {amount} with expiry {cltv_expiry} breaks the blinded path's limits")]
    BlindedLimits {
        /// The HTLC's amount.
        amount: Msat,
        /// Its expiry.
        cltv_expiry: CltvExpiry,
    },
}

impl InstructionError {
    /// The failure to report for `payload`, unless the HTLC is inside a blinded path, where every failure is `invalid_onion_blinding`.
    pub fn failure(self, payload: &[u8]) -> FailureMessage {
        let tlv_type = match self {
            Self::Missing(number) | Self::Forbidden(number) => number,
            Self::BlindedData(_) | Self::BlindedLimits { .. } => 10,
        };
        FailureMessage::InvalidOnionPayload {
            tlv_type: BigSize(tlv_type),
            offset: offset_of(payload, tlv_type),
        }
    }
}

/// Checks a payload's fields and says what to do. `blinded` is what [`unblind_hop`](crate::unblind_hop) made of
/// `encrypted_recipient_data`, if there is any.
///
/// Amounts and expiries are only checked against the blinded path's limits; our own policy is another matter.
///
/// BOLT 4 §`payload` format.
pub fn instruction(
    payload: &HopPayload,
    htlc: &HtlcIn,
    blinded: Option<&UnblindedHop>,
) -> Result<Instruction, InstructionError> {
    match blinded {
        Some(hop) => blinded_instruction(payload, htlc, hop),
        None => clear_instruction(payload, htlc),
    }
}

fn clear_instruction(payload: &HopPayload, htlc: &HtlcIn) -> Result<Instruction, InstructionError> {
    if payload.encrypted_recipient_data.is_none() && htlc.has_path_key {
        return Err(InstructionError::Missing(10));
    }
    if payload.current_path_key.is_some() {
        return Err(InstructionError::Forbidden(12));
    }
    let amount = payload.amt_to_forward.ok_or(InstructionError::Missing(2))?;
    let expiry = payload.outgoing_cltv_value;
    let cltv_expiry = expiry.ok_or(InstructionError::Missing(4))?;
    if htlc.is_final {
        let total = payload.payment_data.as_ref().map(|data| data.total_msat);
        return Ok(Instruction::Receive {
            amount,
            total: total.unwrap_or(amount),
            cltv_expiry,
            payment_data: payload.payment_data.clone(),
            payment_metadata: payload.payment_metadata.clone(),
            path_id: None,
        });
    }
    let channel = payload.short_channel_id;
    Ok(Instruction::Forward {
        to: ForwardTo::Channel(channel.ok_or(InstructionError::Missing(6))?),
        amount,
        cltv_expiry,
        next_path_key: None,
    })
}

fn blinded_instruction(
    payload: &HopPayload,
    htlc: &HtlcIn,
    hop: &UnblindedHop,
) -> Result<Instruction, InstructionError> {
    // BOLT 4 §`payload` format: the path key comes either with the HTLC or in the payload.
    match (htlc.has_path_key, payload.current_path_key) {
        (true, Some(_)) => return Err(InstructionError::Forbidden(12)),
        (false, None) => return Err(InstructionError::Missing(12)),
        (true, None) | (false, Some(_)) => {}
    }
    check_limits(&hop.data, htlc)?;
    if let Some(number) = forbidden_beside_blinded(payload, htlc.is_final) {
        return Err(InstructionError::Forbidden(number));
    }
    if htlc.is_final {
        let expiry = payload.outgoing_cltv_value;
        return Ok(Instruction::Receive {
            amount: payload.amt_to_forward.ok_or(InstructionError::Missing(2))?,
            total: payload
                .total_amount_msat
                .ok_or(InstructionError::Missing(18))?,
            cltv_expiry: expiry.ok_or(InstructionError::Missing(4))?,
            payment_data: None,
            payment_metadata: None,
            path_id: Some(hop.data.path_id.clone().unwrap_or_default()),
        });
    }
    let to = match (hop.data.short_channel_id, hop.data.next_node_id) {
        (Some(channel), None) => ForwardTo::Channel(channel),
        (None, Some(node)) => ForwardTo::Node(node),
        (Some(_), Some(_)) | (None, None) => {
            return Err(InstructionError::BlindedData(
                "exactly one of short_channel_id and next_node_id must say where to forward",
            ));
        }
    };
    let relay = hop.data.payment_relay;
    let relay = relay.ok_or(InstructionError::BlindedData("payment_relay is missing"))?;
    let forwarded = relay.forward(htlc.amount, htlc.cltv_expiry);
    let (amount, cltv_expiry) = forwarded.ok_or(InstructionError::BlindedLimits {
        amount: htlc.amount,
        cltv_expiry: htlc.cltv_expiry,
    })?;
    Ok(Instruction::Forward {
        to,
        amount,
        cltv_expiry,
        next_path_key: Some(hop.next_path_key),
    })
}

/// BOLT 4 §`payload` format: expiry and amount keep within `payment_constraints`, and no feature may be asked for, as none is defined.
fn check_limits(data: &EncryptedData, htlc: &HtlcIn) -> Result<(), InstructionError> {
    if data.payment_constraints.is_some_and(|limits| {
        htlc.cltv_expiry > limits.max_cltv_expiry || htlc.amount < limits.htlc_minimum_msat
    }) {
        return Err(InstructionError::BlindedLimits {
            amount: htlc.amount,
            cltv_expiry: htlc.cltv_expiry,
        });
    }
    let features = data.allowed_features.as_deref().unwrap_or_default();
    if features.iter().any(|byte| *byte != 0) {
        return Err(InstructionError::BlindedData(
            "allowed_features has an unknown bit",
        ));
    }
    Ok(())
}

/// The first record that may not stand beside `encrypted_recipient_data`.
fn forbidden_beside_blinded(payload: &HopPayload, is_final: bool) -> Option<u64> {
    let only_last = [
        (2, payload.amt_to_forward.is_some()),
        (4, payload.outgoing_cltv_value.is_some()),
        (18, payload.total_amount_msat.is_some()),
    ];
    let never = [
        (6, payload.short_channel_id.is_some()),
        (8, payload.payment_data.is_some()),
        (16, payload.payment_metadata.is_some()),
    ];
    let known = only_last
        .into_iter()
        .filter(|_| !is_final)
        .chain(never)
        .find_map(|(number, there)| there.then_some(number));
    known.or_else(|| payload.unknown.first().map(|record| record.number))
}
