//! `txdiscard`

use bitcoin::Txid;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Gives up a transaction made by `txprepare` and releases its coins.
    pub struct Txdiscard = "txdiscard" (TxdiscardParams) -> TxdiscardResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `txdiscard`.
    pub struct TxdiscardParams {
        /// The transaction.
        txid: Txid,
    }
}

rpc_object! {
    /// The answer to `txdiscard`.
    pub struct TxdiscardResponse {
        /// The transaction without signatures.
        unsigned_tx: Hex,
        /// Its id.
        txid: Txid,
    }
}
