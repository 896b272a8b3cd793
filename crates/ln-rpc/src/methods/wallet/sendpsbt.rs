//! `sendpsbt`

use bitcoin::Txid;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Sends the transaction of a PSBT that is fully signed.
    pub struct Sendpsbt = "sendpsbt" (SendpsbtParams) -> SendpsbtResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `sendpsbt`.
    pub struct SendpsbtParams {
        /// The PSBT.
        psbt: String,
        /// For how many more blocks its coins are set aside.
        reserve: u32 = 72_u32,
    }
}

rpc_object! {
    /// The answer to `sendpsbt`.
    pub struct SendpsbtResponse {
        /// The transaction.
        tx: Hex,
        /// Its id.
        txid: Txid,
    }
}
