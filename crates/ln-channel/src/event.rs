//! All that can happen to a channel.

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::PublicKey;
use ln_types::{CltvExpiry, HtlcId, Msat, PaymentHash, ShortChannelId};
use ln_wire::PeerMessage;

use crate::{OnionPacket, Removal};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer said something.
    Message(Box<PeerMessage>),
    /// Offer an HTLC.
    OfferHtlc(Offer),
    /// Resolve an HTLC the peer offered. Repeating it changes nothing.
    ResolveHtlc {
        /// The HTLC.
        id: HtlcId,
        /// How.
        removal: Removal,
    },
    /// The chain moved (the height is in `Env`).
    Block(FundingPlace),
    /// The feerates in `Env` changed.
    Feerates,
    /// Close the channel once no HTLC is left.
    Shutdown {
        /// Where our balance shall go.
        script: ScriptBuf,
    },
    /// The peer is connected.
    LinkUp {
        /// Whether this is the connection the channel was opened on, so that no `channel_reestablish` is due.
        first: bool,
    },
    /// The peer is gone.
    LinkDown,
}

/// An HTLC to offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Comes back in `Notice::Offered`.
    pub request: u64,
    /// The amount.
    pub amount: Msat,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// The onion for the peer.
    pub onion: OnionPacket,
    /// The path key that goes with it on a blinded path.
    pub path_key: Option<PublicKey>,
    /// Other records of its `update_add_htlc`, as a TLV stream.
    pub extra_tlvs: Vec<u8>,
}

/// Where the funding transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FundingPlace {
    /// Its confirmations; 0 when it is in no block.
    pub depth: u32,
    /// The place of its output, once in a block.
    pub scid: Option<ShortChannelId>,
}
