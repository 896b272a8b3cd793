//! `disconnect`

use ln_types::NodeId;

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Hangs up on a peer.
    ///
    /// Refused while a channel with it is alive, unless forced; then we connect again by ourselves.
    pub struct Disconnect = "disconnect" (DisconnectParams) -> Nothing {
        category: Peers,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `disconnect`.
    pub struct DisconnectParams {
        /// The peer.
        id: NodeId,
        /// Hang up even if there are channels.
        force: Option<bool>,
    }
}
