//! `waitinvoice`

use crate::methods::invoices::listinvoices::InvoiceEntry;
use crate::methods::rpc_method;
use crate::params::{Label, rpc_params};

rpc_method! {
    /// Waits until an invoice is paid or expires; at once if it has.
    ///
    /// An invoice that expires is error 903, with the invoice as data.
    pub struct Waitinvoice = "waitinvoice" (WaitinvoiceParams) -> InvoiceEntry {
        category: Invoices,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `waitinvoice`.
    pub struct WaitinvoiceParams {
        /// The invoice's label.
        label: Label,
    }
}
