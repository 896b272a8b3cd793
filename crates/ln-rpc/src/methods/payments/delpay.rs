//! `delpay`

use ln_types::PaymentHash;

use crate::methods::payments::listsendpays::ListsendpaysResponse;
use crate::methods::payments::sendpay::PaymentStatus;
use crate::methods::rpc_method;
use crate::params::rpc_params;

rpc_method! {
    /// Deletes a payment that has ended, or one part of it.
    pub struct Delpay = "delpay" (DelpayParams) -> ListsendpaysResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `delpay`.
    pub struct DelpayParams {
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// How it must stand: `complete` or `failed`.
        status: PaymentStatus,
        /// The part's number.
        partid: Option<u64>,
        /// The attempt it belongs to.
        groupid: Option<u64>,
    }
}
