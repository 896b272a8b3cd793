//! The content of an invoice.

use bitcoin::ScriptBuf;
use ln_codec::{Decode, Encode};
use ln_types::{
    CltvDelta, Features, Msat, Network, NodeId, PaymentHash, PaymentSecret, ShortChannelId,
};

/// The longest field in bytes.
///
/// BOLT 11 §Tagged Fields: 1023 words of five bits.
pub const MAX_FIELD_BYTES: usize = 639;
/// Seconds an invoice is valid if it does not say.
pub const DEFAULT_EXPIRY: u64 = 3600;
/// The last hop's expiry delta if the invoice does not say.
pub const DEFAULT_MIN_FINAL_CLTV_EXPIRY: u32 = 18;

/// What an invoice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// The chain to pay on.
    pub network: Network,
    /// What to pay; `None` leaves it to the payer.
    pub amount: Option<Msat>,
    /// When it was made, in seconds since 1970; below 2^35.
    pub timestamp: u64,
    /// What the payment is locked to.
    pub payment_hash: PaymentHash,
    /// What only the payer of this invoice knows.
    pub payment_secret: PaymentSecret,
    /// What the payment is for.
    pub description: Description,
    /// Seconds from `timestamp` until it may not be paid any more.
    pub expiry: u64,
    /// Blocks that the last HTLC must have left when it arrives.
    pub min_final_cltv_expiry: u32,
    /// The payee's id, where it is written out rather than recovered from the signature.
    pub payee: Option<NodeId>,
    /// Scripts to pay to on chain instead, the preferred one first.
    pub fallbacks: Vec<ScriptBuf>,
    /// Ways to the payee from public nodes, the preferred one first.
    pub routes: Vec<Vec<RouteHint>>,
    /// What the payer must or may use.
    pub features: Features,
    /// What the payer hands back with the payment.
    pub metadata: Option<Vec<u8>>,
    /// Fields that nobody defined, that are malformed, or that repeat.
    pub extra: Vec<ExtraField>,
}

/// What the payment is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// In words, at most [`MAX_FIELD_BYTES`] of UTF-8.
    Text(String),
    /// The SHA256 of a text that comes another way.
    Hash([u8; 32]),
}

/// One channel on the way to the payee.
///
/// BOLT 11 §Tagged Fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RouteHint {
    /// The node at the channel's start.
    pub node_id: NodeId,
    /// The channel.
    pub short_channel_id: ShortChannelId,
    /// Its fee per payment in millisatoshi.
    pub fee_base_msat: u32,
    /// Its fee in millionths.
    pub fee_proportional_millionths: u32,
    /// Its expiry delta.
    pub cltv_expiry_delta: CltvDelta,
}

/// A field kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraField {
    /// Its type, as the bech32 letter.
    pub tag: char,
    /// Its words, as bech32 letters.
    pub data: String,
}

impl Invoice {
    /// When it expires, in seconds since 1970.
    pub fn expires_at(&self) -> u64 {
        self.timestamp.saturating_add(self.expiry)
    }

    /// The route hints that lead to `payee` without passing it or any node twice.
    ///
    /// Others can't be followed: a hint that starts at the payee itself, for example, would have the payment go in a circle.
    pub fn usable_routes(&self, payee: NodeId) -> impl Iterator<Item = &[RouteHint]> {
        self.routes
            .iter()
            .map(Vec::as_slice)
            .filter(move |route| goes_straight(route, payee))
    }
}

fn goes_straight(route: &[RouteHint], payee: NodeId) -> bool {
    let mut seen = vec![payee];
    route.iter().all(|hint| {
        let new = !seen.contains(&hint.node_id);
        seen.push(hint.node_id);
        new
    })
}
