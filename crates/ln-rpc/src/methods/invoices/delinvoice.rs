//! `delinvoice`

use crate::methods::invoices::listinvoices::{InvoiceEntry, InvoiceStatus};
use crate::methods::rpc_method;
use crate::params::{Label, rpc_params};

rpc_method! {
    /// Deletes an invoice, or its description only.
    pub struct Delinvoice = "delinvoice" (DelinvoiceParams) -> InvoiceEntry {
        category: Invoices,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `delinvoice`.
    pub struct DelinvoiceParams {
        /// The invoice's label.
        label: Label,
        /// How it must stand, against deleting one that was just paid.
        status: InvoiceStatus,
        /// Delete the description only.
        desconly: bool = false,
    }
}
