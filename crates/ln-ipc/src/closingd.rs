//! lightning_closingd: the fee negotiation of a mutual close (`closing_signed`).

use bitcoin::Transaction;
use ln_codec::{Decode, Encode, LongBytes, messages};
use ln_types::{Features, Feerate, Network, NodeId, Sat};

messages! {
    /// lightningd to closingd.
    pub enum ToClosingd {
        5500 => Init(ClosingdInit),
        5501 => OfferPersisted(ClosingdOfferPersisted),
    }
}

messages! {
    /// closingd to lightningd.
    pub enum FromClosingd {
        5601 => Offer(ClosingdOffer),
        5610 => Complete(ClosingdComplete),
        5611 => Failed(ClosingdFailed),
    }
}

/// The first message. Descriptor 3 is the peer, 4 is hsmd.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingdInit {
    /// The chain.
    pub network: Network,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's number in the database.
    pub dbid: u64,
    /// The channel's state: shut down on both sides, no HTLC left.
    pub state: LongBytes,
    /// What we offered in `init`.
    pub our_features: Features,
    /// What the peer offered in `init`.
    pub their_features: Features,
    /// Whether the peer must be sent `channel_reestablish` (and `shutdown`) first; false when channeld hands its socket over.
    pub reconnected: bool,
    /// Peer messages that channeld read and left unanswered.
    pub unread: Vec<LongBytes>,
    /// The feerate we would like.
    pub preferred_feerate: Feerate,
    /// The least we accept.
    pub min_feerate: Feerate,
    /// The most we accept; nothing means as much as the opener can pay.
    pub max_feerate: Option<Feerate>,
}

/// The best fully signed closing transaction so far. Make it durable, then answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingdOffer {
    /// The transaction, with both signatures.
    pub tx: Transaction,
    /// Its fee.
    pub fee: Sat,
}

/// The offer is durable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingdOfferPersisted {}

/// Both sides agree on the last offer: broadcast it. The process ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingdComplete {}

/// The negotiation failed; the process ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingdFailed {
    /// Why, for people.
    pub reason: String,
    /// Whether the peer said so (`error`).
    pub by_peer: bool,
    /// Whether the channel must go on chain (else it is tried again on the next connection).
    pub unilateral_close: bool,
}
