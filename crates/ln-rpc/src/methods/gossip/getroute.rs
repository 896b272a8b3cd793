//! `getroute`

use ln_types::{Msat, NodeId, ShortChannelId};

use crate::methods::payments::pay::RouteExclusion;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Finds the best route for a payment, as `sendpay` takes it.
    pub struct Getroute = "getroute" (GetrouteParams) -> GetrouteResponse {
        category: Gossip,
        since: "",
        deprecated: "v26.06" .. "v27.03",
    }
}

rpc_params! {
    /// The parameters of `getroute`.
    pub struct GetrouteParams {
        /// Where to.
        id: NodeId,
        /// What is to arrive there.
        amount_msat formerly "msatoshi": Msat,
        /// What a year of delay weighs against fees, in percent of the amount.
        riskfactor: f64,
        /// The blocks that the destination wants.
        cltv: u32 = 9_u32,
        /// From where; this node if left out.
        fromid: Option<NodeId>,
        /// By how many percent fees may be misjudged so that not always the same route is found: accepted, and without effect.
        fuzzpercent: Option<u32>,
        /// Channels and nodes to avoid.
        exclude: Option<Vec<RouteExclusion>>,
        /// The most hops.
        maxhops: u32 = 20_u32,
    }
}

rpc_object! {
    /// The answer to `getroute`.
    pub struct GetrouteResponse {
        /// The hops, from our peer to the destination.
        route: Vec<FoundHop>,
    }

    /// One hop.
    pub struct FoundHop {
        /// The node that it leads to.
        id: NodeId,
        /// The channel that it takes.
        channel: ShortChannelId,
        /// 0 if the channel's lesser node sends, else 1.
        direction: u32,
        /// What arrives at the node.
        amount_msat: Msat,
        /// The blocks that the node has left.
        delay: u32,
        /// How the node is told.
        style: HopStyle,
    }
}

rpc_enum! {
    /// How a node on the way is told what to do.
    pub enum HopStyle ("should be tlv") {
        /// By a stream of records.
        Tlv = "tlv",
    }
}
