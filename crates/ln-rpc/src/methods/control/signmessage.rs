//! `signmessage`

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Signs a text with the node's key, to prove to somebody who runs this node.
    pub struct Signmessage = "signmessage" (SignmessageParams) -> SignmessageResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `signmessage`.
    pub struct SignmessageParams {
        /// The text, at most 65535 bytes.
        message: String,
    }
}

rpc_object! {
    /// The answer to `signmessage`.
    pub struct SignmessageResponse {
        /// The signature, 64 bytes.
        signature: Hex,
        /// With which of the four possible keys it fits, one byte.
        recid: Hex,
        /// Both in zbase32, as `checkmessage` and other nodes take them.
        zbase: String,
    }
}
