//! `listnodes`

use ln_types::{Features, Msat, NodeId};

use crate::methods::control::getinfo::AnnouncedAddress;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the nodes of the network that we know of.
    pub struct Listnodes = "listnodes" (ListnodesParams) -> ListnodesResponse {
        category: Gossip,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listnodes`.
    pub struct ListnodesParams {
        /// Only this one.
        id: Option<NodeId>,
    }
}

rpc_object! {
    /// The answer to `listnodes`.
    pub struct ListnodesResponse {
        /// The nodes.
        nodes: Vec<NodeEntry>,
    }

    /// One node; of one that never announced itself, we only know the key.
    pub struct NodeEntry {
        /// Its public key.
        nodeid: NodeId,
        /// When it last announced itself, in seconds since 1970.
        last_timestamp: Option<u32>,
        /// The name it announces.
        alias: Option<String>,
        /// The colour it announces, three bytes.
        color: Option<Hex>,
        /// The features it announces.
        features: Option<Features>,
        /// The addresses it announces.
        addresses: Option<Vec<AnnouncedAddress>>,
        /// On what terms it puts money into channels.
        option_will_fund: Option<WillFund>,
    }

    /// On what terms a node puts money into channels of others.
    pub struct WillFund {
        /// What it takes in any case.
        lease_fee_base_msat: Msat,
        /// What it takes besides, in ten-thousandths of the amount.
        lease_fee_basis: u32,
        /// The weight whose fee it wants back.
        funding_weight: u32,
        /// The most it will take for each payment in that channel.
        channel_fee_max_base_msat: Msat,
        /// The most it will take besides, in thousandths of the amount.
        channel_fee_max_proportional_thousandths: u32,
        /// All of this in short, for `fundchannel`.
        compact_lease: Hex,
    }
}
