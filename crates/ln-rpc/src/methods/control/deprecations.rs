//! `deprecations`

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Allows or refuses deprecated commands, parameters and members on this connection, whatever the node's own setting.
    pub struct Deprecations = "deprecations" (DeprecationsParams) -> Nothing {
        category: Control,
        since: "v24.02",
    }
}

rpc_params! {
    /// The parameters of `deprecations`.
    pub struct DeprecationsParams {
        /// Whether deprecated things are allowed.
        enable: bool,
    }
}
