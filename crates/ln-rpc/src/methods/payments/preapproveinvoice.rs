//! `preapproveinvoice`

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Asks the signer whether it will let us pay an invoice; error 213 if not.
    pub struct Preapproveinvoice = "preapproveinvoice" (PreapproveinvoiceParams) -> Nothing {
        category: Payments,
        since: "v23.02",
    }
}

rpc_params! {
    /// The parameters of `preapproveinvoice`.
    pub struct PreapproveinvoiceParams {
        /// The invoice.
        bolt11: String,
    }
}
