//! `withdraw`

use bitcoin::{OutPoint, Txid};
use ln_types::FeerateSpec;

use crate::methods::rpc_method;
use crate::params::{Hex, SatOrAll, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Sends bitcoin from the wallet to an address.
    pub struct Withdraw = "withdraw" (WithdrawParams) -> WithdrawResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `withdraw`.
    pub struct WithdrawParams {
        /// The address.
        destination: String,
        /// What to send; `all` sends everything, less the fee.
        satoshi: SatOrAll,
        /// The feerate; `normal` if left out.
        feerate: Option<FeerateSpec>,
        /// How deep coins must be to be used; 1 if left out.
        minconf: Option<u16>,
        /// The coins to use.
        utxos: Option<Vec<OutPoint>>,
    }
}

rpc_object! {
    /// The answer to `withdraw`.
    pub struct WithdrawResponse {
        /// The transaction that was sent.
        tx: Hex,
        /// Its id.
        txid: Txid,
        /// The same as a PSBT.
        psbt: String,
    }
}
