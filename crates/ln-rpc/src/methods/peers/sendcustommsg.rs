//! `sendcustommsg`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Sends a message of a type of one's own to a connected peer.
    ///
    /// Types that the node itself understands are refused. The peer's node gives the message to its plugins, or ignores it.
    pub struct Sendcustommsg = "sendcustommsg" (SendcustommsgParams) -> SendcustommsgResponse {
        category: Peers,
        since: "v0.10.1",
    }
}

rpc_params! {
    /// The parameters of `sendcustommsg`.
    pub struct SendcustommsgParams {
        /// The peer.
        node_id: NodeId,
        /// The message: two bytes of type and the rest.
        msg: Hex,
    }
}

rpc_object! {
    /// The answer to `sendcustommsg`.
    pub struct SendcustommsgResponse {
        /// What was done with it.
        status: String,
    }
}
