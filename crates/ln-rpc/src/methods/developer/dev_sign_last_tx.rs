//! `dev-sign-last-tx`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Signs the transaction that closes the channel with a peer alone, or the one both agreed on, as it is now, and does not send it.
    ///
    /// Sent after the channel has gone on it is an old commitment: the peer takes everything.
    pub struct DevSignLastTx = "dev-sign-last-tx" (DevSignLastTxParams) -> DevSignLastTxResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-sign-last-tx`.
    pub struct DevSignLastTxParams {
        /// The peer.
        id: NodeId,
    }
}

rpc_object! {
    /// The answer to `dev-sign-last-tx`.
    pub struct DevSignLastTxResponse {
        /// The transaction, signed by both.
        tx: Hex,
    }
}
