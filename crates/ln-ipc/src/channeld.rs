//! lightning_channeld: one live channel.
//!
//! channeld holds the channel machine. Whatever must be durable it sends as `Persist`; lightningd commits it, answers
//! `Persisted`, and only then acts on the events in it. What depends on it channeld sends to the peer only after that answer; meanwhile it
//! goes on reading, so several `Persist` may be on their way: they are to be committed in order, each state replacing the one before
//! (answering the last of a batch answers them all).

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode, LongBytes, messages};
use ln_types::{
    BlockHeight, ChannelId, CltvExpiry, CommitmentNumber, Features, Feerate, HtlcId, Msat, Network,
    NodeId, PaymentHash, PaymentPreimage, ShortChannelId,
};

messages! {
    /// lightningd to channeld.
    pub enum ToChanneld {
        1000 => Init(ChanneldInit),
        1001 => Persisted(ChanneldPersisted),
        1002 => OfferHtlc(ChanneldOfferHtlc),
        1003 => ResolveHtlc(ChanneldResolveHtlc),
        1004 => Block(ChanneldBlock),
        1005 => Feerates(ChanneldFeerates),
        1006 => Shutdown(ChanneldShutdown),
        1007 => SendError(ChanneldSendError),
        1008 => DevReenableCommit(ChanneldDevReenableCommit),
    }
}

messages! {
    /// channeld to lightningd.
    pub enum FromChanneld {
        1101 => Persist(ChanneldPersist),
        1102 => OfferHtlcReply(ChanneldOfferHtlcReply),
        1110 => Reestablished(ChanneldReestablished),
        1111 => AnnouncementSignatures(ChanneldAnnouncementSignatures),
        1112 => ShutdownComplete(ChanneldShutdownComplete),
        1113 => Failed(ChanneldFailed),
        1114 => ChannelUpdate(ChanneldChannelUpdate),
    }
}

/// The first message. Descriptor 3 is the peer, 4 is hsmd.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldInit {
    /// The chain.
    pub network: Network,
    /// Our node id.
    pub node_id: NodeId,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's number in the database.
    pub dbid: u64,
    /// The channel's state as last made durable.
    pub state: LongBytes,
    /// What we offered in `init`.
    pub our_features: Features,
    /// What the peer offered in `init`.
    pub their_features: Features,
    /// Whether this connection is the one the channel was opened on, so that no `channel_reestablish` is due.
    pub first_connection: bool,
    /// The best block's height and the funding transaction's place.
    pub chain: ChanneldBlock,
    /// Feerates.
    pub feerates: ChanneldFeerates,
    /// Decisions about HTLCs of the peer's that are not `ReceivedRemoved` yet; those the state holds already are skipped.
    pub resolutions: Vec<ChanneldResolveHtlc>,
    /// Peer messages that the channel's former daemon (openingd) read and left unanswered.
    pub unread: Vec<LongBytes>,
    /// The alias to tell the peer in `channel_ready`.
    pub alias: ShortChannelId,
    /// `max-dust-htlc-exposure-msat`.
    pub max_dust_exposure: Msat,
    /// `dev-disable-commit-after`.
    pub dev_disable_commit_after: Option<u32>,
}

/// `Persist` number `sequence` is durable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldPersisted {
    /// The number.
    pub sequence: u64,
}

/// Offer an HTLC to the peer. Answered by the event `Offered` of the first `Persist` that holds it, or, when it is refused or the peer
/// goes away before, by `OfferHtlcReply`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldOfferHtlc {
    /// Comes back in the reply.
    pub request: u64,
    /// The amount.
    pub amount: Msat,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// 1366 bytes.
    pub onion: Vec<u8>,
    /// The path key that goes with it on a blinded path.
    pub path_key: Option<PublicKey>,
    /// Other records of its `update_add_htlc`, as a TLV stream.
    pub extra_tlvs: Vec<u8>,
}

/// An offer was refused, or lost with the connection before anybody committed to it. Never follows `Offered`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldOfferHtlcReply {
    /// The request's number.
    pub request: u64,
    /// Why not, for people.
    pub error: String,
    /// Why not, as a BOLT 4 failure code (`temporary_channel_failure`, ...).
    pub failure_code: u16,
}

/// Resolve an HTLC the peer offered. Repeating one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldResolveHtlc {
    /// The HTLC.
    pub id: HtlcId,
    /// How.
    pub resolution: Resolution,
}

/// How an HTLC ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Resolution {
    /// Paid.
    Fulfill(PaymentPreimage),
    /// Failed, with the encrypted reason.
    Fail(Vec<u8>),
    /// Its onion could not be read: the onion's SHA256 and a BADONION failure code.
    FailMalformed([u8; 32], u16),
}

/// The chain moved.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldBlock {
    /// The best block's height.
    pub height: BlockHeight,
    /// Confirmations of the funding transaction; 0 when it is in no block.
    pub funding_depth: u32,
    /// Where the funding output is, once in a block.
    pub scid: Option<ShortChannelId>,
}

/// What commitments may cost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldFeerates {
    /// What we want, as opener.
    pub desired: Feerate,
    /// The least we bear.
    pub min: Feerate,
    /// The most we bear.
    pub max: Feerate,
}

/// Close the channel once no HTLC is left.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldShutdown {
    /// Where our balance shall go.
    pub script: ScriptBuf,
}

/// Send `error` and end: the channel is being failed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldSendError {
    /// What to tell the peer.
    pub reason: String,
}

/// `dev-reenable-commit`: send commitments again that `dev-disable-commit-after` stopped.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldDevReenableCommit {}

/// Make this durable, answer `Persisted`, then act on the events.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldPersist {
    /// Counts up from 1.
    pub sequence: u64,
    /// The channel's new state.
    pub state: LongBytes,
    /// What happened with it, in order.
    pub events: Vec<ChannelEvent>,
}

/// What a durable step means to the rest of the node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ChannelEvent {
    /// We offered an HTLC (the answer to `OfferHtlc` number `.1`). The state keeps its onion for as long as it may be sent again.
    Offered(HtlcId, u64),
    /// An HTLC of the peer's is irrevocably committed on both sides: decide.
    Received(ReceivedHtlc),
    /// An HTLC we offered is paid: the preimage may be used at once.
    Fulfilled(HtlcId, PaymentPreimage),
    /// An HTLC we offered failed and is irrevocably removed: the encrypted reason.
    Failed(HtlcId, Vec<u8>),
    /// An HTLC we offered failed as malformed at the peer and is irrevocably removed: the failure code.
    FailedMalformed(HtlcId, u16),
    /// An HTLC we offered is gone from both commitments, after `Fulfilled`, `Failed` or `FailedMalformed`.
    OfferedRemoved(HtlcId),
    /// An HTLC of the peer's is gone from both commitments.
    ReceivedRemoved(HtlcId),
    /// The peer sent `channel_ready`, with its alias if it has one.
    RemoteReady(Option<ShortChannelId>),
    /// Both sides have sent `channel_ready`: the channel is usable.
    Ready,
    /// `shutdown` went out or came in.
    ShuttingDown(Shutdown),
    /// The peer revoked a commitment: what a penalty needs.
    Revoked(RevokedCommitment),
}

/// An HTLC of the peer's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReceivedHtlc {
    /// Its id.
    pub id: HtlcId,
    /// The amount.
    pub amount: Msat,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// 1366 bytes.
    pub onion: Vec<u8>,
    /// The onion's shared secret with our node key; nothing when the onion's key is no point (a malformed onion).
    pub shared_secret: Option<[u8; 32]>,
    /// The path key that came with it; `shared_secret` takes account of it.
    pub path_key: Option<PublicKey>,
    /// All records that came with it, as a TLV stream.
    pub extra_tlvs: Vec<u8>,
    /// Whether it must be failed at once (`temporary_channel_failure`): too much would be in HTLCs too small for the chain.
    pub over_dust_exposure: bool,
}

/// Where the channel stands in closing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Shutdown {
    /// The script we sent, if we did.
    pub local_script: Option<ScriptBuf>,
    /// The script the peer sent, if it did.
    pub remote_script: Option<ScriptBuf>,
}

/// A commitment the peer may no longer broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RevokedCommitment {
    /// Its number.
    pub number: CommitmentNumber,
    /// Its txid.
    pub txid: bitcoin::Txid,
}

/// `channel_reestablish` is through (or was not due): HTLCs may be offered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldReestablished {}

/// Both sides' signatures for `channel_announcement` are there; ours are made by lightningd's own request to hsmd.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldAnnouncementSignatures {
    /// The channel.
    pub scid: ShortChannelId,
    /// The whole `channel_announcement`, signed by both, type included.
    pub announcement: Vec<u8>,
}

/// The peer's `channel_update` for this channel, which it may send before any announcement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldChannelUpdate {
    /// The message, type included; its signature is not checked yet.
    pub message: Vec<u8>,
}

/// No HTLC is left and both sent `shutdown`: closingd takes over. The process ends.
///
/// Carries one descriptor, the peer's socket, for closingd: the peer may have sent `closing_signed` already.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldShutdownComplete {
    /// Peer messages read and left unanswered: for closingd.
    pub unread: Vec<LongBytes>,
}

/// The channel failed; the process ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChanneldFailed {
    /// The channel.
    pub channel_id: ChannelId,
    /// Why, for people.
    pub reason: String,
    /// Whether the peer said so (`error`).
    pub by_peer: bool,
    /// Whether the channel must go on chain (else it is tried again on the next connection).
    pub unilateral_close: bool,
    /// Whether our commitment may be broadcast: not when the peer proved that we lost state. The durable state yields it
    /// (`ln_channel::Commitments::local_commitment`); only lightningd may have it signed.
    pub broadcast: bool,
}
