//! `listpeers`

use ln_types::{Features, NodeId};

use crate::jsonrpc::LogLevel;
use crate::methods::control::getlog::LogEntry;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the peers we are connected to or have a channel with.
    pub struct Listpeers = "listpeers" (ListpeersParams) -> ListpeersResponse {
        category: Peers,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listpeers`.
    pub struct ListpeersParams {
        /// Only this one.
        id: Option<NodeId>,
        /// Show the log of each, from this level.
        level: Option<LogLevel>,
    }
}

rpc_object! {
    /// The answer to `listpeers`.
    pub struct ListpeersResponse {
        /// The peers.
        peers: Vec<PeerEntry>,
    }

    /// One peer.
    pub struct PeerEntry {
        /// Its public key.
        id: NodeId,
        /// Whether we are connected.
        connected: bool,
        /// How many channels it has with us.
        num_channels: u32,
        /// What happened with it.
        log: Option<Vec<LogEntry>>,
        /// Where it is, while connected.
        netaddr: Option<Vec<String>>,
        /// Where it sees us.
        remote_addr: Option<String>,
        /// The features it offers, while connected.
        features: Option<Features>,
    }
}
