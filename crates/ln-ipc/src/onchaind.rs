//! lightning_onchaind: a channel whose funding output is spent.
//!
//! onchaind has hsmd on descriptor 3. It says what has to be done; lightningd watches the chain, makes, signs and broadcasts the
//! transactions. Every request is answered before the next one is read, so a restart can replay what happened block by block.

use bitcoin::Transaction;
use ln_codec::{Decode, Encode, LongBytes, messages};
use ln_types::{
    BlockHeight, CltvExpiry, CommitmentNumber, HtlcId, Msat, Network, NodeId, PaymentHash, Side,
};

messages! {
    /// lightningd to onchaind.
    pub enum ToOnchaind {
        5001 => Init(OnchaindInit),
        5002 => Htlcs(OnchaindHtlcs),
        5003 => Event(OnchaindEvent),
    }
}

messages! {
    /// onchaind to lightningd.
    pub enum FromOnchaind {
        5101 => InitReply(OnchaindInitReply),
        5102 => Started(OnchaindStarted),
        5103 => EventReply(OnchaindEventReply),
    }
}

/// The first message: a block has spent the funding output.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindInit {
    /// The chain.
    pub network: Network,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's number in the database.
    pub dbid: u64,
    /// The channel's last state (`ln_channel::ChannelState`).
    pub state: LongBytes,
    /// The transaction that spends the funding output.
    pub tx: Transaction,
    /// Its block.
    pub height: BlockHeight,
    /// The best block, or while replaying the block that is replayed.
    pub tip: BlockHeight,
    /// How deep a transaction must be before others are told of its outcome.
    pub reasonable_depth: u32,
}

/// What the transaction is. Next lightningd tells the HTLCs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindInitReply {
    /// The commitment's number, if it is one.
    pub commitment_number: Option<CommitmentNumber>,
    /// Whether it was revoked: then every HTLC the channel ever had may be on it.
    pub revoked: bool,
    /// The sentence for people.
    pub text: String,
}

/// The HTLCs that may be on the commitment, beyond those of the channel's state, and what lightningd knows about these.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindHtlcs {
    /// The HTLCs.
    pub htlcs: Vec<OnchaindHtlc>,
}

/// An HTLC that may be on the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindHtlc {
    /// Who offered it.
    pub offerer: Side,
    /// Its id among the offerer's.
    pub id: HtlcId,
    /// What it is worth.
    pub amount: Msat,
    /// The hash it is locked to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Whether we offered it and somebody still waits for the outcome.
    pub awaited: bool,
    /// When the HTLC it was forwarded for times out, if it was forwarded.
    pub incoming_expiry: Option<CltvExpiry>,
}

/// What to do now, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindStarted {
    /// The actions (each an `ln_onchain::Action`).
    pub actions: Vec<LongBytes>,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindEvent {
    /// The best block, or while replaying the block that is replayed.
    pub tip: BlockHeight,
    /// What (an `ln_onchain::Event`).
    pub event: LongBytes,
}

/// What to do about it, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OnchaindEventReply {
    /// The actions (each an `ln_onchain::Action`).
    pub actions: Vec<LongBytes>,
}
