//! `dev-ignore-htlcs`

use ln_types::NodeId;

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Neither takes nor fails the HTLCs that a peer offers from now on; those left alone are decided when the channel is connected anew.
    pub struct DevIgnoreHtlcs = "dev-ignore-htlcs" (DevIgnoreHtlcsParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-ignore-htlcs`.
    pub struct DevIgnoreHtlcsParams {
        /// The peer.
        id: NodeId,
        /// Whether to leave them alone.
        ignore: bool,
    }
}
