//! lightning_gossipd: the network graph.

use bitcoin::ScriptBuf;
use ln_codec::{Decode, Encode, messages};
use ln_types::{BlockHeight, CltvDelta, Msat, Network, NodeId, Sat, ShortChannelId};

messages! {
    /// lightningd to gossipd.
    pub enum ToGossipd {
        3000 => Init(GossipdInit),
        3001 => AddGossip(GossipdAddGossip),
        3002 => TxoutReply(GossipdTxoutReply),
        3003 => NewBlock(GossipdNewBlock),
        3004 => OutpointsSpent(GossipdOutpointsSpent),
        3005 => CompactStore(GossipdCompactStore),
    }
}

messages! {
    /// gossipd to lightningd.
    pub enum FromGossipd {
        3100 => InitReply(GossipdInitReply),
        3101 => AddGossipReply(GossipdAddGossipReply),
        3102 => GetTxout(GossipdGetTxout),
        3105 => CompactStoreReply(GossipdCompactStoreReply),
        3110 => PeerPolicy(GossipdPeerPolicy),
    }
}

messages! {
    /// connectd to gossipd, over their own socket.
    pub enum ConnectdToGossipd {
        4000 => PeerGossip(PeerGossip),
        4001 => PeerGone(PeerGone),
        4002 => PeerNew(PeerNew),
    }
}

messages! {
    /// gossipd to connectd.
    pub enum GossipdToConnectd {
        4100 => SendToPeer(SendToPeer),
        4101 => Store(GossipdStore),
    }
}

messages! {
    /// gossipd to lightningd, over a socket of their own: gossipd itself may open, make and rename no file. One request at a time.
    pub enum GossipdStoreRequest {
        3200 => Open(GossipdStoreOpen),
        3201 => Make(GossipdStoreMake),
        3202 => Publish(GossipdStorePublish),
        3203 => SetAside(GossipdStoreSetAside),
    }
}

messages! {
    /// lightningd's answer to each of these.
    pub enum GossipdStoreReply {
        3300 => Done(GossipdStoreDone),
    }
}

/// The first message. Descriptor 3 is connectd, 4 is lightningd for [`GossipdStoreRequest`]. The store stands in the working directory.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdInit {
    /// The chain.
    pub network: Network,
    /// Our node id.
    pub node_id: NodeId,
    /// The store's file name.
    pub gossip_store: String,
    /// The best block's height.
    pub height: BlockHeight,
    /// `dev-fast-gossip`: short delays.
    pub fast_gossip: bool,
    /// `dev-fast-gossip-prune`: channels are dropped after two minutes without an update instead of two weeks.
    pub fast_gossip_prune: bool,
}

/// The store is open and loaded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdInitReply {
    /// Channels in the store.
    pub channels: u32,
    /// Nodes in the store.
    pub nodes: u32,
}

/// A gossip message of our own, or one a user gave (`addgossip`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdAddGossip {
    /// Comes back in the reply.
    pub request: u64,
    /// The message, type included.
    pub message: Vec<u8>,
    /// For our own `channel_announcement`: the funding amount, so that the chain need not be asked.
    pub known_amount: Option<Sat>,
}

/// Whether it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdAddGossipReply {
    /// The request's number.
    pub request: u64,
    /// Why it was refused.
    pub error: Option<String>,
}

/// Which output does this short channel id name?
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdGetTxout {
    /// The channel.
    pub scid: ShortChannelId,
}

/// The output, or nothing when there is none or it is spent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdTxoutReply {
    /// The channel.
    pub scid: ShortChannelId,
    /// Its amount and script.
    pub output: Option<(Sat, ScriptBuf)>,
}

/// The chain has a new best block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdNewBlock {
    /// Its height.
    pub height: BlockHeight,
}

/// Funding outputs of known channels were spent in a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdOutpointsSpent {
    /// The block's height.
    pub height: BlockHeight,
    /// The channels.
    pub scids: Vec<ShortChannelId>,
}

/// Write the store anew without its void records, now (`dev-compact-gossip-store`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdCompactStore {
    /// Comes back in the reply.
    pub request: u64,
}

/// The store is written anew, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdCompactStoreReply {
    /// The request's number.
    pub request: u64,
    /// Why not.
    pub error: Option<String>,
}

/// What a peer asks for forwarding to us over a channel with it, public or not, from its `channel_update`. The signature is right, but
/// whether the channel is the peer's is for lightningd to see.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdPeerPolicy {
    /// Who sent it, if it came from a peer.
    pub peer: Option<NodeId>,
    /// The channel, by a public id or an alias.
    pub scid: ShortChannelId,
    /// Fixed fee per HTLC, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths.
    pub fee_proportional_millionths: u32,
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The least HTLC.
    pub htlc_minimum_msat: Msat,
    /// The largest HTLC.
    pub htlc_maximum_msat: Msat,
}

/// A gossip message or query from a peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PeerGossip {
    /// The peer.
    pub id: NodeId,
    /// The message, type included.
    pub message: Vec<u8>,
}

/// A peer disconnected.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PeerGone {
    /// The peer.
    pub id: NodeId,
}

/// A peer connected. Comes before its first [`PeerGossip`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PeerNew {
    /// The peer.
    pub id: NodeId,
    /// Whether both sides offer `gossip_queries`.
    pub gossip_queries: bool,
}

/// A message for a peer (a warning, a query, an answer).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SendToPeer {
    /// The peer.
    pub id: NodeId,
    /// The message, type included.
    pub message: Vec<u8>,
}

/// The store, open for reading: its descriptor follows. Comes first of all, and again whenever another file takes the store's place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStore {}

/// Open the store. Its descriptor for reading and writing follows the answer, and then one for reading alone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStoreOpen {}

/// Make an empty file beside the store that can take its place; one left there is removed. Its descriptor for reading and writing follows the
/// answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStoreMake {}

/// Give the file made last the store's name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStorePublish {}

/// Rename the store, which is damaged or of an unknown version, to `<name>.corrupt`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStoreSetAside {}

/// It is done, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GossipdStoreDone {
    /// Why not, as the system counts errors; no descriptor follows then. 0 if it is done.
    pub errno: u32,
}
