//! `txsend`

use bitcoin::Txid;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Signs and sends a transaction made by `txprepare`.
    pub struct Txsend = "txsend" (TxsendParams) -> TxsendResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `txsend`.
    pub struct TxsendParams {
        /// The transaction.
        txid: Txid,
    }
}

rpc_object! {
    /// The answer to `txsend`.
    pub struct TxsendResponse {
        /// The transaction as a PSBT.
        psbt: String,
        /// The transaction.
        tx: Hex,
        /// Its id.
        txid: Txid,
    }
}
