//! `dev-fail`

use ln_types::NodeId;

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Closes the channel with a peer alone, as after an error.
    pub struct DevFail = "dev-fail" (DevFailParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-fail`.
    pub struct DevFailParams {
        /// The peer.
        id: NodeId,
    }
}
