//! `checkmessage`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Checks the signature that some node made for a text.
    ///
    /// Without a key, one is worked out from the signature, and it must be that of a node we know of: any text and signature fit some key.
    pub struct Checkmessage = "checkmessage" (CheckmessageParams) -> CheckmessageResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `checkmessage`.
    pub struct CheckmessageParams {
        /// The text that was signed.
        message: String,
        /// The signature in zbase32.
        zbase: String,
        /// The key that is to have signed.
        pubkey: Option<NodeId>,
    }
}

rpc_object! {
    /// The answer to `checkmessage`.
    pub struct CheckmessageResponse {
        /// Whether the signature is that key's.
        verified: bool,
        /// The key that signed, or that was given.
        pubkey: NodeId,
    }
}
