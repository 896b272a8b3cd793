//! What onion messages carry.

use ln_codec::{Encode, Tlv, TlvRecord};

use crate::{BlindedHop, BlindedPath, OnionHop, PAYMENT_PAYLOADS};

/// The payload of one hop of an onion message.
///
/// BOLT 4 §The `onion_message` Message. All but the last hop have nothing but `encrypted_recipient_data`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct OnionMessagePayload {
    /// Where to send the answer.
    #[tlv(2)]
    pub reply_path: Option<BlindedPath>,
    /// What the maker of the path wrote for this hop, encrypted.
    #[tlv(4, rest)]
    pub encrypted_recipient_data: Option<Vec<u8>>,
    /// A BOLT 12 request for an invoice.
    #[tlv(64, rest)]
    pub invoice_request: Option<Vec<u8>>,
    /// A BOLT 12 invoice.
    #[tlv(66, rest)]
    pub invoice: Option<Vec<u8>>,
    /// Why there is no BOLT 12 invoice.
    #[tlv(68, rest)]
    pub invoice_error: Option<Vec<u8>>,
    /// Records of unknown odd types.
    #[tlv(unknown)]
    pub unknown: Vec<TlvRecord>,
}

/// The onion hops that carry `last` to the end of a blinded path.
pub fn message_hops(path: &[BlindedHop], last: &OnionMessagePayload) -> Vec<OnionHop> {
    let end = path.len().saturating_sub(1);
    path.iter()
        .enumerate()
        .map(|(index, hop)| {
            let base = if index == end {
                last.clone()
            } else {
                OnionMessagePayload::default()
            };
            let payload = OnionMessagePayload {
                encrypted_recipient_data: Some(hop.encrypted_recipient_data.clone()),
                ..base
            };
            OnionHop {
                public_key: hop.blinded_node_id,
                payload: payload.to_bytes(),
            }
        })
        .collect()
}

/// The payload area for a message: small if it fits, else large, so that messages tell little by their length.
// BOLT 4 §The `onion_message` Message: whole packets have 1366 or 32834 bytes.
pub fn message_size(hops: &[OnionHop]) -> usize {
    const LARGE: usize = 32_834 - 66;
    // At most 9 bytes of length in front of a payload and 32 of HMAC behind.
    let wanted = hops
        .iter()
        .map(|hop| hop.payload.len().saturating_add(41))
        .fold(0, usize::saturating_add);
    if wanted <= PAYMENT_PAYLOADS {
        PAYMENT_PAYLOADS
    } else {
        LARGE
    }
}
