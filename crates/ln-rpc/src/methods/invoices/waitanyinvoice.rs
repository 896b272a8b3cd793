//! `waitanyinvoice`

use crate::methods::invoices::listinvoices::InvoiceEntry;
use crate::methods::rpc_method;
use crate::params::rpc_params;

rpc_method! {
    /// Waits until an invoice is paid that was paid after a given one; at once if there is one.
    pub struct Waitanyinvoice = "waitanyinvoice" (WaitanyinvoiceParams) -> InvoiceEntry {
        category: Invoices,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `waitanyinvoice`.
    pub struct WaitanyinvoiceParams {
        /// The `pay_index` of the last one that is known.
        lastpay_index: u64 = 0_u64,
        /// After how many seconds to give up with error 904.
        timeout: Option<u64>,
    }
}
