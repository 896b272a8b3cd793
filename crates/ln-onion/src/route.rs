//! From a route to the payloads of its hops.

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Encode, TlvRecord};
use ln_types::{CltvExpiry, Msat, PaymentSecret, ShortChannelId};

use crate::{BlindedHop, HopPayload, OnionHop, PaymentData};

/// One hop of a route, and the HTLC that reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteHop {
    /// The node the HTLC reaches.
    pub node_id: PublicKey,
    /// The channel it comes over.
    pub short_channel_id: ShortChannelId,
    /// The HTLC's amount.
    pub amount: Msat,
    /// The HTLC's expiry.
    pub cltv_expiry: CltvExpiry,
}

/// How a route ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastHop {
    /// At the last node of the route, known by its id.
    Clear {
        /// The invoice's secret and the amount over all parts.
        payment_data: Option<PaymentData>,
        /// The invoice's metadata.
        payment_metadata: Option<Vec<u8>>,
        /// Further records, such as keysend's preimage.
        extra: Vec<TlvRecord>,
    },
    /// At the end of a blinded path whose first node is the last of the route.
    Blinded {
        /// The path's first path key.
        first_path_key: PublicKey,
        /// The path's hops, first node included.
        hops: Vec<BlindedHop>,
        /// What the receiver shall get from this part.
        amount: Msat,
        /// What it shall get over all parts.
        total: Msat,
        /// The receiver's expiry: the current height, plus an offset for privacy.
        cltv_expiry: CltvExpiry,
    },
}

impl LastHop {
    /// The end of a payment of an ordinary invoice.
    pub fn invoice(payment_secret: PaymentSecret, total_msat: Msat) -> Self {
        Self::Clear {
            payment_data: Some(PaymentData {
                payment_secret,
                total_msat,
            }),
            payment_metadata: None,
            extra: Vec::new(),
        }
    }
}

/// Why a route has no payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No hop.
    #[error("a route needs at least one hop")]
    Empty,
    /// A blinded path without hops.
    #[error("a blinded path needs at least one hop")]
    EmptyBlindedPath,
}

/// The onion hops of a route, first hop (our peer) first.
///
/// BOLT 4 §`payload` format: a hop is told what to forward, which is the HTLC that reaches the next one.
pub fn payloads_for_route(route: &[RouteHop], end: &LastHop) -> Result<Vec<OnionHop>, RouteError> {
    let last = route.last().ok_or(RouteError::Empty)?;
    let mut hops: Vec<OnionHop> = route
        .iter()
        .zip(route.iter().skip(1))
        .map(|(hop, next)| OnionHop {
            public_key: hop.node_id,
            payload: HopPayload {
                amt_to_forward: Some(next.amount),
                outgoing_cltv_value: Some(next.cltv_expiry),
                short_channel_id: Some(next.short_channel_id),
                ..HopPayload::default()
            }
            .to_bytes(),
        })
        .collect();
    match end {
        LastHop::Clear {
            payment_data,
            payment_metadata,
            extra,
        } => hops.push(OnionHop {
            public_key: last.node_id,
            payload: HopPayload {
                amt_to_forward: Some(last.amount),
                outgoing_cltv_value: Some(last.cltv_expiry),
                payment_data: payment_data.clone(),
                payment_metadata: payment_metadata.clone(),
                unknown: extra.clone(),
                ..HopPayload::default()
            }
            .to_bytes(),
        }),
        LastHop::Blinded { .. } => hops.append(&mut blinded_tail(last, end)?),
    }
    Ok(hops)
}

/// The hops of the blinded path at the end of a route.
// BOLT 4 §Route Blinding: the first node is reached by its own id and given the path key; the others only by their blinded ids.
fn blinded_tail(first: &RouteHop, end: &LastHop) -> Result<Vec<OnionHop>, RouteError> {
    let LastHop::Blinded {
        first_path_key,
        hops,
        amount,
        total,
        cltv_expiry,
    } = end
    else {
        return Err(RouteError::EmptyBlindedPath);
    };
    let last = hops
        .len()
        .checked_sub(1)
        .ok_or(RouteError::EmptyBlindedPath)?;
    let tail = hops.iter().enumerate().map(|(index, hop)| {
        let mut payload = HopPayload {
            encrypted_recipient_data: Some(hop.encrypted_recipient_data.clone()),
            ..HopPayload::default()
        };
        let mut public_key = hop.blinded_node_id;
        if index == 0 {
            payload.current_path_key = Some(*first_path_key);
            public_key = first.node_id;
        }
        if index == last {
            payload.amt_to_forward = Some(*amount);
            payload.outgoing_cltv_value = Some(*cltv_expiry);
            payload.total_amount_msat = Some(*total);
        }
        OnionHop {
            public_key,
            payload: payload.to_bytes(),
        }
    });
    Ok(tail.collect())
}
