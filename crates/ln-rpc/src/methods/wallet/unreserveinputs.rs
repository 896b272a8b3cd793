//! `unreserveinputs`

use crate::methods::rpc_method;
use crate::methods::wallet::reserveinputs::ReserveinputsResponse;
use crate::params::rpc_params;

rpc_method! {
    /// Releases the wallet's coins that a PSBT spends, or shortens the time they are set aside.
    pub struct Unreserveinputs = "unreserveinputs" (UnreserveinputsParams) -> ReserveinputsResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `unreserveinputs`.
    pub struct UnreserveinputsParams {
        /// The PSBT.
        psbt: String,
        /// By how many blocks to shorten the time.
        reserve: u32 = 72_u32,
    }
}
