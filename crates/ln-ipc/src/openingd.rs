//! lightning_openingd: one v1 channel being opened, by us or by the peer.
//!
//! Opening by us: `Init`, `Fund` -> `FundReply`, `FundTx` -> `FundTxReply`, then the process ends.
//! Opening by the peer: `Init`, (`open_channel` from the peer) `Incoming` -> `IncomingReply`, (`funding_created`) `Accepted` ->
//! `AcceptedPersisted`, then it sends `funding_signed`, says `Done` and ends. Either way `Failed` may end it at any time.

use bitcoin::{OutPoint, ScriptBuf};
use ln_codec::{Decode, Encode, LongBytes, messages};
use ln_keys::Basepoints;
use ln_types::{BlockHeight, ChannelId, Features, Feerate, Msat, Network, NodeId, Sat};

messages! {
    /// lightningd to openingd.
    pub enum ToOpeningd {
        6000 => Init(OpeningdInit),
        6001 => Fund(OpeningdFund),
        6002 => FundTx(OpeningdFundTx),
        6003 => Cancel(OpeningdCancel),
        6010 => IncomingReply(OpeningdIncomingReply),
        6011 => AcceptedPersisted(OpeningdAcceptedPersisted),
    }
}

messages! {
    /// openingd to lightningd.
    pub enum FromOpeningd {
        6101 => FundReply(OpeningdFundReply),
        6102 => FundTxReply(OpeningdFundTxReply),
        6110 => Incoming(OpeningdIncoming),
        6111 => Accepted(OpeningdAccepted),
        6112 => Done(OpeningdDone),
        6113 => Failed(OpeningdFailed),
    }
}

/// The first message. Descriptor 3 is the peer, 4 is hsmd.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdInit {
    /// The chain.
    pub network: Network,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's number in the database, which its keys derive from.
    pub dbid: u64,
    /// Our keys in the channel, as hsmd told lightningd.
    pub basepoints: Basepoints,
    /// What we offered in `init`.
    pub our_features: Features,
    /// What the peer offered in `init`.
    pub their_features: Features,
    /// The best block's height.
    pub height: BlockHeight,
    /// What we ask for and accept.
    pub policy: OpeningPolicy,
    /// Where our balance shall go on a mutual close, if fixed now.
    pub upfront_shutdown_script: Option<ScriptBuf>,
}

/// What we ask of a channel and accept from a peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningPolicy {
    /// `min-capacity-sat`: the least the channel may be able to send.
    pub min_capacity: Sat,
    /// `max-concurrent-htlcs`.
    pub max_accepted_htlcs: u16,
    /// `htlc-minimum-msat`.
    pub htlc_minimum: Msat,
    /// `max_htlc_value_in_flight_msat` we set.
    pub max_htlc_value_in_flight: Msat,
    /// `watchtime-blocks`: the delay we demand of the peer.
    pub to_self_delay: u16,
    /// The longest delay we bear.
    pub max_to_self_delay: u16,
    /// Our dust limit.
    pub dust_limit: Sat,
    /// The reserve we demand, if not 1 % of the channel.
    pub channel_reserve: Option<Sat>,
    /// `funding-confirms`: confirmations we demand of a channel opened to us.
    pub minimum_depth: u32,
    /// The lowest commitment feerate we bear.
    pub min_feerate: Feerate,
    /// The highest commitment feerate we bear.
    pub max_feerate: Feerate,
    /// `dev-allowdustreserve`.
    pub allow_dust_reserve: bool,
}

/// Open a channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdFund {
    /// The temporary channel id, which connectd routes by.
    pub temporary_channel_id: ChannelId,
    /// The channel's capacity.
    pub funding: Sat,
    /// What the peer gets at once.
    pub push: Msat,
    /// The commitment feerate.
    pub feerate: Feerate,
    /// Whether the channel is announced.
    pub announce: bool,
    /// The channel type asked for; nothing means the best both support.
    pub channel_type: Option<Features>,
    /// Confirmations to suggest to the peer, if the user said so.
    pub minimum_depth: Option<u32>,
}

/// The peer accepted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdFundReply {
    /// The funding output's script.
    pub funding_script: ScriptBuf,
    /// The channel type agreed on.
    pub channel_type: Features,
    /// Confirmations the peer demands.
    pub minimum_depth: u32,
}

/// The funding transaction is made (not yet broadcast).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdFundTx {
    /// Its output.
    pub funding: OutPoint,
}

/// The peer signed our first commitment: once this state is durable the funding transaction may be broadcast. The process ends.
///
/// Carries one descriptor, the peer's socket, for channeld.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdFundTxReply {
    /// The channel's id.
    pub channel_id: ChannelId,
    /// The channel's state (`ln_channel`'s encoding).
    pub state: LongBytes,
    /// Peer messages read and left unanswered: for channeld.
    pub unread: Vec<LongBytes>,
}

/// Give the opening up: tell the peer and end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdCancel {
    /// What to tell the peer.
    pub reason: String,
}

/// The peer wants to open a channel, within our policy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdIncoming {
    /// The temporary channel id.
    pub temporary_channel_id: ChannelId,
    /// The channel's capacity.
    pub funding: Sat,
    /// What we would get at once.
    pub push: Msat,
    /// The peer's dust limit.
    pub dust_limit: Sat,
    /// The peer's limit of value in flight.
    pub max_htlc_value_in_flight: Msat,
    /// The reserve the peer demands of us.
    pub channel_reserve: Sat,
    /// The least HTLC the peer takes.
    pub htlc_minimum: Msat,
    /// The commitment feerate.
    pub feerate: Feerate,
    /// The delay the peer demands of us.
    pub to_self_delay: u16,
    /// The most HTLCs the peer takes.
    pub max_accepted_htlcs: u16,
    /// `channel_flags`.
    pub channel_flags: u8,
    /// The peer's `upfront_shutdown_script`.
    pub shutdown_script: Option<ScriptBuf>,
    /// The channel type.
    pub channel_type: Features,
}

/// Whether we want it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdIncomingReply {
    /// What to tell the peer if we don't.
    pub reject: Option<String>,
    /// Where our balance shall go on a mutual close.
    pub close_to: Option<ScriptBuf>,
    /// Confirmations to demand instead of the policy's.
    pub minimum_depth: Option<u32>,
    /// The reserve to demand instead of the policy's.
    pub reserve: Option<Sat>,
}

/// The peer's `funding_created` is good. Make this durable before answering.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdAccepted {
    /// The channel's id.
    pub channel_id: ChannelId,
    /// The funding output.
    pub funding: OutPoint,
    /// The channel's state (`ln_channel`'s encoding).
    pub state: LongBytes,
}

/// `Accepted` is durable: `funding_signed` may go out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdAcceptedPersisted {}

/// `funding_signed` is sent; the process ends.
///
/// Carries one descriptor, the peer's socket, for channeld: the peer may have sent `channel_ready` already.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdDone {
    /// Peer messages read and left unanswered: for channeld.
    pub unread: Vec<LongBytes>,
}

/// The opening failed; the process ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpeningdFailed {
    /// Why, for the user who asked for the channel.
    pub reason: String,
    /// Whether the peer said so (`error`), rather than us.
    pub by_peer: bool,
    /// Whether the connection must be closed.
    pub disconnect: bool,
}
