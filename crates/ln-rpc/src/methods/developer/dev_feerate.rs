//! `dev-feerate`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Wants another feerate for the commitments of the channel with a peer than the estimates say, until the node ends.
    pub struct DevFeerate = "dev-feerate" (DevFeerateParams) -> DevFeerateResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-feerate`.
    pub struct DevFeerateParams {
        /// The peer.
        id: NodeId,
        /// Per kiloweight.
        feerate: u32,
    }
}

rpc_object! {
    /// The answer to `dev-feerate`.
    pub struct DevFeerateResponse {
        /// The peer.
        id: NodeId,
        /// Per kiloweight.
        feerate: u32,
    }
}
