//! `batching`

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Lets the changes of several commands of this connection be written to disk together.
    ///
    /// Faster for a client that sends many commands at once; after a crash the last of them may be undone although they were answered.
    pub struct Batching = "batching" (BatchingParams) -> Nothing {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `batching`.
    pub struct BatchingParams {
        /// Whether to wait with writing.
        enable: bool,
    }
}
