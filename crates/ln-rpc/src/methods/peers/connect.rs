//! `connect`

use ln_types::{Features, NodeId};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Connects to a node.
    ///
    /// Without an address, those that the node announced are tried. Answers at once if we are connected already.
    pub struct Connect = "connect" (ConnectParams) -> ConnectResponse {
        category: Peers,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `connect`.
    pub struct ConnectParams {
        /// The node's public key, or `key@host` or `key@host:port`.
        id: String,
        /// Its host name or address.
        host: Option<String>,
        /// Its TCP port.
        port: Option<u16>,
    }
}

rpc_object! {
    /// The answer to `connect`.
    pub struct ConnectResponse {
        /// The node.
        id: NodeId,
        /// The features it offers.
        features: Features,
        /// Who called whom.
        direction: ConnectDirection,
        /// Where it is.
        address: PeerAddress,
    }

    /// The other end of a connection.
    pub struct PeerAddress {
        /// What kind of address.
        kind as "type": PeerAddressType,
        /// The path of a local socket.
        socket: Option<String>,
        /// The address, unless it is a local socket.
        address: Option<String>,
        /// The TCP port, unless it is a local socket.
        port: Option<u16>,
    }
}

rpc_enum! {
    /// Who called whom.
    pub enum ConnectDirection ("should be 'in' or 'out'") {
        /// The peer called us.
        In = "in",
        /// We called the peer.
        Out = "out",
    }

    /// The kinds of addresses a peer can have.
    pub enum PeerAddressType ("should be a type of address") {
        /// A unix socket.
        LocalSocket = "local socket",
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
        /// A Tor v2 service: historic.
        Torv2 = "torv2",
        /// A Tor v3 service.
        Torv3 = "torv3",
    }
}
