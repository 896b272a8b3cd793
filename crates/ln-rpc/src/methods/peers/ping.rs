//! `ping`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Sends a ping to a connected peer and waits for the answer.
    pub struct Ping = "ping" (PingParams) -> PingResponse {
        category: Peers,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `ping`.
    pub struct PingParams {
        /// The peer.
        id: NodeId,
        /// How many bytes of padding the ping carries.
        len: u16 = 128_u16,
        /// How many bytes the answer is to carry; from 65532 there is none.
        pongbytes: u16 = 128_u16,
    }
}

rpc_object! {
    /// The answer to `ping`.
    pub struct PingResponse {
        /// The length of the answer; 0 if none was asked for.
        totlen: u16,
    }
}
