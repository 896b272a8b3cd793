//! `dev-reenable-commit`

use ln_types::NodeId;

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Lets the channel with a peer send commitments again that `dev-disable-commit-after` stopped.
    pub struct DevReenableCommit = "dev-reenable-commit" (DevReenableCommitParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-reenable-commit`.
    pub struct DevReenableCommitParams {
        /// The peer.
        id: NodeId,
    }
}
