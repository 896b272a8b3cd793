//! `waitsendpay`

use ln_types::PaymentHash;

use crate::methods::payments::sendpay::SendpayResponse;
use crate::methods::rpc_method;
use crate::params::rpc_params;

rpc_method! {
    /// Waits until a part of a payment succeeds or fails; at once if it has.
    pub struct Waitsendpay = "waitsendpay" (WaitsendpayParams) -> SendpayResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `waitsendpay`.
    pub struct WaitsendpayParams {
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// After how many seconds to give up with error 200.
        timeout: Option<u32>,
        /// The part's number.
        partid: Option<u64>,
        /// The attempt it belongs to.
        groupid: Option<u64>,
    }
}
