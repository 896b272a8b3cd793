//! `graceful`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Prepares the end of the node: no more HTLCs are taken, and peers without HTLCs are disconnected and stay away.
    ///
    /// The answer comes once no HTLC is left and no peer is connected, or after `timeout` seconds with what is left. Meanwhile notifications tell of the
    /// HTLC that expires next: how long the node may be away. There is no way back but `stop` and a new start.
    pub struct Graceful = "graceful" (GracefulParams) -> GracefulResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `graceful`.
    pub struct GracefulParams {
        /// Seconds to wait at most.
        timeout: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `graceful`: empty if nothing is left.
    pub struct GracefulResponse {
        /// The heights at which the HTLCs left expire, lowest first.
        pending_htlc_expiries: Option<Vec<u32>>,
        /// The peers still connected.
        pending_peers: Option<Vec<NodeId>>,
    }
}
