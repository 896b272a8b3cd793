//! Sending parts of payments.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::anyhow;
use bitcoin::secp256k1::SecretKey;
use ln_db::{DbError, HtlcDirection, PaymentFailure, PaymentRow, PaymentStatus, Txn};
use ln_onion::{LastHop, PAYMENT_PAYLOADS, PaymentData, RouteHop, construct, payloads_for_route};
use ln_types::{ChannelState, Msat, PaymentHash, PaymentSecret, ShortChannelId};

use super::progress::Conflict;
use crate::channels::{Channel, NewHtlc, OfferError, offer_htlc};
use crate::clock;
use crate::node::Node;

/// A part to send.
#[derive(Debug, Clone)]
pub(crate) struct NewPart {
    pub(crate) payment_hash: PaymentHash,
    /// Its number among the parts.
    pub(crate) partid: u64,
    /// Which attempt at paying the hash.
    pub(crate) groupid: u64,
    /// The way, our peer first; expiries absolute.
    pub(crate) route: Vec<RouteHop>,
    pub(crate) payment_secret: Option<PaymentSecret>,
    pub(crate) payment_metadata: Option<Vec<u8>>,
    /// What all parts bring.
    pub(crate) total: Msat,
    pub(crate) label: Option<String>,
    pub(crate) bolt11: Option<String>,
    pub(crate) description: Option<String>,
}

/// Why a part was not sent. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The route makes no sense.
    #[error("{0}")]
    Route(String),
    /// No channel of ours is the route's first.
    #[error("{0}")]
    NoChannel(String),
    /// The channel did not take it.
    #[error("{0}")]
    Refused(#[from] OfferError),
    /// What was done for the payment before forbids it.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// Something inside failed.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

/// Sends a part. When this returns it is durable, with its `created_index`, and on its way.
pub(crate) async fn send_part(node: &Rc<Node>, part: NewPart) -> Result<PaymentRow, SendError> {
    let (Some(first), Some(last)) = (part.route.first(), part.route.last()) else {
        return Err(SendError::Route("Empty route".to_owned()));
    };
    let channel = first_channel(node, first).ok_or_else(|| {
        SendError::NoChannel(format!(
            "No connection to first peer found: no usable channel {} with {}",
            first.short_channel_id, first.node_id
        ))
    })?;
    let end = LastHop::Clear {
        payment_data: part.payment_secret.map(|payment_secret| PaymentData {
            payment_secret,
            total_msat: part.total,
        }),
        payment_metadata: part.payment_metadata.clone(),
        extra: Vec::new(),
    };
    let hops = payloads_for_route(&part.route, &end)
        .map_err(|error| SendError::Route(error.to_string()))?;
    let session_key = random_key()?;
    let onion = construct(&session_key, &hops, &part.payment_hash.0, PAYMENT_PAYLOADS)
        .map_err(|error| SendError::Route(error.to_string()))?;
    let row = PaymentRow {
        created_index: 0,
        updated_index: None,
        created_at: clock::now(),
        completed_at: None,
        status: PaymentStatus::Pending,
        payment_hash: part.payment_hash,
        partid: part.partid,
        groupid: part.groupid,
        destination: Some(last.node_id.into()),
        amount: Some(last.amount),
        sent: first.amount,
        total: Some(part.total),
        preimage: None,
        path_secrets: onion.shared_secrets.iter().map(|secret| secret.0).collect(),
        route_nodes: part.route.iter().map(|hop| hop.node_id.into()).collect(),
        route_channels: part.route.iter().map(|hop| hop.short_channel_id).collect(),
        label: part.label,
        bolt11: part.bolt11,
        description: part.description,
        failure: None,
    };
    let htlc = NewHtlc {
        amount: first.amount,
        cltv_expiry: first.cltv_expiry,
        payment_hash: part.payment_hash,
        onion: onion.packet.to_bytes(),
        path_key: None,
        extra_tlvs: Vec::new(),
        payment: Some(row.clone()),
        forward: None,
    };
    let (_, created_index) = offer_htlc(node, &channel, htlc).await?;
    Ok(PaymentRow {
        created_index: created_index.unwrap_or_default(),
        ..row
    })
}

/// The channel that a route names first, by its short id or an alias of either side; 0x0x0 is any that is rich enough.
fn first_channel(node: &Node, first: &RouteHop) -> Option<Rc<Channel>> {
    let name = first.short_channel_id;
    let named = |channel: &Channel| {
        let row = channel.row();
        [row.scid, Some(row.alias_local), row.alias_remote].contains(&Some(name))
    };
    let rich = |channel: &Channel| {
        let machine = channel.machine();
        machine.is_ok_and(|machine| machine.to_us() > first.amount)
    };
    let any = name == ShortChannelId::from_u64(0);
    node.channels
        .of_peer(first.node_id.into())
        .filter(|channel| channel.row().state == ChannelState::ChanneldNormal)
        .find(|channel| if any { rich(channel) } else { named(channel) })
}

fn random_key() -> Result<SecretKey, SendError> {
    loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}

/// After a restart: pending parts whose HTLC is neither in a commitment nor resolved were never sent, and fail now.
pub(crate) fn settle_lost_parts(txn: &mut Txn<'_>, now: u64) -> Result<usize, DbError> {
    let live: HashSet<(PaymentHash, (u64, u64))> = txn
        .live_htlcs()?
        .into_iter()
        .filter(|htlc| htlc.direction == HtlcDirection::Outgoing)
        .filter_map(|htlc| Some((htlc.payment_hash, htlc.payment?)))
        .collect();
    let mut lost = 0;
    for payment in txn.pending_payments()? {
        let part = (payment.partid, payment.groupid);
        if live.contains(&(payment.payment_hash, part)) {
            continue;
        }
        let failure = PaymentFailure {
            onion_reply: None,
            destination_permanent: false,
            erring_index: Some(0),
            code: Some(0x1007),
            erring_node: None,
            erring_channel: payment.route_channels.first().copied(),
            erring_direction: None,
            message: None,
            detail: "the node was stopped before the payment left it".to_owned(),
        };
        txn.fail_payment(&payment.payment_hash, part, &failure, now)?;
        lost += 1;
    }
    Ok(lost)
}
