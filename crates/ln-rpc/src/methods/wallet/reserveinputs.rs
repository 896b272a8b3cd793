//! `reserveinputs`

use crate::methods::rpc_method;
use crate::methods::wallet::fundpsbt::Reservation;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Sets the wallet's coins that a PSBT spends aside.
    pub struct Reserveinputs = "reserveinputs" (ReserveinputsParams) -> ReserveinputsResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `reserveinputs`.
    pub struct ReserveinputsParams {
        /// The PSBT.
        psbt: String,
        /// Fail if one of them is set aside already.
        exclusive: bool = true,
        /// For how many blocks.
        reserve: u32 = 72_u32,
    }
}

rpc_object! {
    /// The answer to `reserveinputs` and `unreserveinputs`.
    pub struct ReserveinputsResponse {
        /// The coins.
        reservations: Vec<Reservation>,
    }
}
