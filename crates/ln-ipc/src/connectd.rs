//! lightning_connectd: sockets and peers.

use std::fmt;

use ln_codec::{Decode, Encode, messages};
use ln_types::{ChannelId, Features, NetAddr, Network, NodeId, OwnAddress};

messages! {
    /// lightningd to connectd.
    pub enum ToConnectd {
        2000 => Init(ConnectdInit),
        2001 => Activate(ConnectdActivate),
        2002 => Connect(ConnectdConnect),
        2003 => Disconnect(ConnectdDisconnect),
        2004 => AttachChannel(ConnectdAttachChannel),
        2005 => SendMessage(ConnectdSendMessage),
        2006 => Ping(ConnectdPing),
        2007 => SetImportant(ConnectdSetImportant),
        2008 => RejectSpoke(ConnectdRejectSpoke),
        2009 => AddChannelId(ConnectdAddChannelId),
        2010 => SetCustomTypes(ConnectdSetCustomTypes),
        2011 => DevSuppressGossip(ConnectdDevSuppressGossip),
        2012 => DevExhaustFds(ConnectdDevExhaustFds),
        2016 => UnixDialled(ConnectdUnixDialled),
    }
}

messages! {
    /// connectd to lightningd.
    pub enum FromConnectd {
        2100 => InitReply(ConnectdInitReply),
        2106 => PingReply(ConnectdPingReply),
        2110 => PeerConnected(ConnectdPeerConnected),
        2111 => PeerDisconnected(ConnectdPeerDisconnected),
        2112 => ConnectFailed(ConnectdConnectFailed),
        2113 => PeerSpoke(ConnectdPeerSpoke),
        2114 => PeerError(ConnectdPeerError),
        2115 => CustomMessage(ConnectdCustomMessage),
        2116 => DialUnix(ConnectdDialUnix),
    }
}

/// The first message. Descriptor 3 is hsmd (for ECDH), 4 is gossipd.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdInit {
    /// The chain whose hash `init` names.
    pub network: Network,
    /// Our node id.
    pub node_id: NodeId,
    /// What we offer in `init`.
    pub features: Features,
    /// Where to listen and what to announce. One that can't be had makes `InitReply` an error.
    pub addresses: Vec<ConnectdAddress>,
    /// What Tor's control port is told, if it asks for a password.
    pub tor_password: Option<Password>,
    /// Seconds a handshake and a connection attempt may take.
    pub timeout_secs: u32,
    /// The SOCKS5 proxy (`host:port`), when there is one.
    pub proxy: Option<NetAddr>,
    /// Whether every outgoing connection goes through the proxy.
    pub always_use_proxy: bool,
    /// Whether host names may be looked up.
    pub use_dns: bool,
    /// Whether messages are filled up to a uniform length.
    pub message_padding: bool,
    /// Whether the log shows a line for every message to and from peers.
    pub log_messages: bool,
    /// Whether the log shows the bytes of every message to and from peers.
    pub log_io: bool,
    /// Developer switches.
    pub dev: ConnectdDev,
}

/// Developer switches of connectd.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ConnectdDev {
    /// `dev-disconnect`'s file.
    pub disconnect_file: Option<String>,
    /// `dev-no-reconnect`.
    pub no_reconnect: bool,
    /// `dev-fast-reconnect`.
    pub fast_reconnect: bool,
    /// `dev-no-ping-timer`.
    pub no_ping_timer: bool,
    /// `dev-fast-gossip`.
    pub fast_gossip: bool,
    /// `dev-allow-localhost`.
    pub allow_localhost: bool,
    /// `dev-handshake-no-reply`.
    pub handshake_no_reply: bool,
    /// `dev-limit-connections-inflight`.
    pub limit_connections_inflight: bool,
    /// `dev-keep-nagle`.
    pub keep_nagle: bool,
    /// `dev-throttle-gossip`.
    pub throttle_gossip: bool,
}

/// An address of the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdAddress {
    /// The option it was given with, for errors.
    pub option: String,
    /// The address.
    pub address: OwnAddress,
    /// Whether to listen there.
    pub listen: bool,
    /// Whether to announce it. What we listen at too is announced only if it is public.
    pub announce: bool,
}

/// A password: never shown.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Password(
    /// Its text.
    pub String,
);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A place where connectd listens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdBinding {
    /// The address, with the real port.
    pub address: NetAddr,
    /// Whether peers speak the websocket protocol there.
    pub websocket: bool,
}

/// It listens, or says why it can't.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdInitReply {
    /// Where it listens.
    pub bindings: Vec<ConnectdBinding>,
    /// What to announce, in the order that `node_announcement` wants.
    pub announced: Vec<NetAddr>,
    /// Why not: names the address and what to do.
    pub error: Option<String>,
}

/// lightningd is ready for peers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdActivate {
    /// Our features for `init`, which are final now.
    pub features: Features,
}

/// Connect to a peer. Answered by `PeerConnected` (also when it is connected already) or `ConnectFailed`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdConnect {
    /// The peer.
    pub id: NodeId,
    /// Addresses to try, in order.
    pub addresses: Vec<NetAddr>,
}

/// Hang up, after what is queued for the peer has been sent. Ignored when `counter` is not the present connection's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdDisconnect {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
}

/// Carries one descriptor: messages of `channel_id` go to it from now on, and what it says goes to the peer. Several ids may be
/// attached; a message is handed to the one it names. When the socket is closed the attachment ends. Ignored (and the descriptor closed)
/// when `counter` is not the present connection's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdAttachChannel {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// The channel, by its temporary or final id.
    pub channel_id: ChannelId,
}

/// Whoever is attached to `from` also gets the messages of `to`: when a temporary id becomes a final one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdAddChannelId {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// The id already attached.
    pub from: ChannelId,
    /// The id to add.
    pub to: ChannelId,
}

/// Send one whole peer message (an `error`, a `warning`, a custom one).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdSendMessage {
    /// The peer.
    pub id: NodeId,
    /// The message, type included.
    pub message: Vec<u8>,
    /// Whether to hang up once it is sent.
    pub then_disconnect: bool,
}

/// Send a ping for the `ping` command.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPing {
    /// The peer.
    pub id: NodeId,
    /// Comes back in the reply.
    pub request: u64,
    /// Bytes of padding in the ping.
    pub len: u16,
    /// Bytes wanted in the pong.
    pub pong_bytes: u16,
}

/// The pong came, or won't.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPingReply {
    /// The request's number.
    pub request: u64,
    /// The pong's size in bytes with its type and length fields; 0 when no answer is expected.
    pub total_len: u16,
    /// Why no ping was sent or no pong will come.
    pub error: Option<String>,
}

/// Whether to connect to a peer again whenever it is lost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdSetImportant {
    /// The peer.
    pub id: NodeId,
    /// Yes or no.
    pub important: bool,
    /// Where to find it; added to what connectd has seen work.
    pub addresses: Vec<NetAddr>,
}

/// The even types of messages that plugins know: `CustomMessage`s from now on instead of the end of the connection. Replaces those before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdSetCustomTypes {
    /// The types.
    pub types: Vec<u16>,
}

/// `dev-suppress-gossip`: stream no gossip to peers any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdDevSuppressGossip {}

/// `dev-connectd-exhaust-fds`: take descriptors until there are none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdDevExhaustFds {}

/// Nobody will serve the channel a `PeerSpoke` was about: drop what was kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdRejectSpoke {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// The channel.
    pub channel_id: ChannelId,
}

/// A peer is connected and `init` is exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPeerConnected {
    /// The peer.
    pub id: NodeId,
    /// Numbers the connections to this peer: never reused while connectd lives.
    pub counter: u64,
    /// Where it is.
    pub address: NetAddr,
    /// How it sees us (`remote_addr`).
    pub remote_addr: Option<NetAddr>,
    /// Whether it connected to us.
    pub incoming: bool,
    /// What it offers in `init`.
    pub features: Features,
}

/// A connection ended. Always comes once for each `PeerConnected`, before the next one of the same peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPeerDisconnected {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// Why, as far as known.
    pub reason: String,
}

/// No address worked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdConnectFailed {
    /// The peer.
    pub id: NodeId,
    /// What happened at each address.
    pub reason: String,
    /// Whether there was no address to try.
    pub no_address: bool,
}

/// The peer sent a message for a channel that nobody is attached to. connectd keeps it (within bounds) for whoever is attached next. Not
/// repeated for the same channel until `AttachChannel` or `RejectSpoke`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPeerSpoke {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// The channel, by its temporary or final id.
    pub channel_id: ChannelId,
    /// The message's type.
    pub message_type: u16,
}

/// The peer sent `error` or `warning` for a channel that nobody is attached to, or for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdPeerError {
    /// The peer.
    pub id: NodeId,
    /// Which connection.
    pub counter: u64,
    /// The channel, or [`ChannelId::ALL`].
    pub channel_id: ChannelId,
    /// Whether it was only a `warning`.
    pub warning: bool,
    /// Its text, made printable.
    pub text: String,
}

/// A message of a type that nothing in the node knows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdCustomMessage {
    /// The peer.
    pub id: NodeId,
    /// The message, type included.
    pub message: Vec<u8>,
}

/// Connect to a unix socket for connectd, which may not: the node's RPC socket is one, too. Only where a peer was said to be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdDialUnix {
    /// Comes back in the answer.
    pub request: u64,
    /// Where.
    pub path: String,
}

/// What came of it. The connected socket's descriptor follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConnectdUnixDialled {
    /// The request's number.
    pub request: u64,
    /// Why there is no connection, as the system counts errors; no descriptor follows then. 0 if there is one.
    pub errno: u32,
}
