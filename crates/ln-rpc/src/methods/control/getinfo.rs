//! `getinfo`

use ln_types::{BlockHeight, Features, Msat, NodeId};

use crate::methods::rpc_method;
use crate::params::NoParams;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Shows who this node is and how it fares.
    ///
    /// Identity, addresses, number of peers and channels, network and height. A `warning_` member tells that the chain backend or
    /// the node itself has not caught up yet.
    pub struct Getinfo = "getinfo" (NoParams) -> GetinfoResponse {
        category: Control,
        since: "",
    }
}

rpc_object! {
    /// The answer to `getinfo`.
    pub struct GetinfoResponse {
        /// The node's public key.
        id: NodeId,
        /// The name it announces.
        alias: String,
        /// The colour it announces: six hex digits.
        color: String,
        /// Peers we are connected to or have a channel with.
        num_peers: u32,
        /// Channels that are being opened.
        num_pending_channels: u32,
        /// Channels that carry payments.
        num_active_channels: u32,
        /// Channels that are closing.
        num_inactive_channels: u32,
        /// The version of the node.
        version: String,
        /// The directory of the network's files.
        lightning_dir as "lightning-dir": String,
        /// The features we offer.
        our_features: Option<OurFeatures>,
        /// The highest block the node has seen to the end.
        blockheight: BlockHeight,
        /// The network: `bitcoin`, `testnet`, `signet`, `regtest`…
        network: String,
        /// What forwarding has earned.
        fees_collected_msat: Msat,
        /// The addresses we announce.
        address: Vec<AnnouncedAddress>,
        /// Where we listen.
        binding: Option<Vec<Binding>>,
        /// The chain backend is still catching up.
        warning_bitcoind_sync: Option<String>,
        /// We are still working through blocks that the backend has.
        warning_lightningd_sync: Option<String>,
    }

    /// Feature bits by the place they are sent in.
    pub struct OurFeatures {
        /// In `init`.
        init: Features,
        /// In `node_announcement`.
        node: Features,
        /// In `channel_announcement`.
        channel: Features,
        /// In invoices.
        invoice: Features,
    }

    /// An address as others see it.
    pub struct AnnouncedAddress {
        /// What kind of address.
        kind as "type": AddressType,
        /// The address.
        address: Option<String>,
        /// The TCP port.
        port: u16,
    }

    /// A place where we listen.
    pub struct Binding {
        /// What kind of place.
        kind as "type": BindingType,
        /// The address, unless it is a local socket.
        address: Option<String>,
        /// The TCP port, unless it is a local socket.
        port: Option<u16>,
        /// The path of a local socket.
        socket: Option<String>,
        /// For a websocket: over which kind of address.
        subtype: Option<String>,
    }
}

rpc_enum! {
    /// The kinds of addresses a node can announce.
    pub enum AddressType ("should be an address type") {
        /// A host name.
        Dns = "dns",
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
        /// A Tor v2 service: historic.
        Torv2 = "torv2",
        /// A Tor v3 service.
        Torv3 = "torv3",
    }

    /// The kinds of places a node can listen at.
    pub enum BindingType ("should be a binding type") {
        /// A unix socket.
        LocalSocket = "local socket",
        /// A websocket.
        Websocket = "websocket",
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
