//! `listinvoices`

use bitcoin::Txid;
use ln_types::{Msat, PaymentHash, PaymentPreimage};

use crate::methods::rpc_method;
use crate::params::{Label, Secret32, rpc_params};
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Lists our invoices, all or those that fit.
    ///
    /// At most one of the first four parameters is to be given.
    pub struct Listinvoices = "listinvoices" (ListinvoicesParams) -> ListinvoicesResponse {
        category: Invoices,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listinvoices`.
    pub struct ListinvoicesParams {
        /// Only the one with this label.
        label: Option<Label>,
        /// Only this invoice.
        invstring: Option<String>,
        /// Only the one with this hash.
        payment_hash: Option<PaymentHash>,
        /// Only those made for this offer.
        offer_id: Option<PaymentHash>,
        /// In which order to list, for `start` and `limit`.
        index: Option<ListIndex>,
        /// From this index.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listinvoices`.
    pub struct ListinvoicesResponse {
        /// The invoices.
        invoices: Vec<InvoiceEntry>,
    }

    /// One invoice.
    pub struct InvoiceEntry {
        /// Our name for it.
        label: Label,
        /// What the payer reads.
        description: Option<String>,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// How it stands.
        status: InvoiceStatus,
        /// When it expires, in seconds since 1970.
        expires_at: u64,
        /// What is to be paid, unless the payer chooses.
        amount_msat: Option<Msat>,
        /// The BOLT 11 invoice.
        bolt11: Option<String>,
        /// The BOLT 12 invoice.
        bolt12: Option<String>,
        /// The offer it was made for.
        local_offer_id: Option<Secret32>,
        /// What the payer wrote.
        invreq_payer_note: Option<String>,
        /// Its number in the order invoices were made.
        created_index: u64,
        /// Its number in the order invoices changed.
        updated_index: Option<u64>,
        /// Its number in the order invoices were paid.
        pay_index: Option<u64>,
        /// What was paid.
        amount_received_msat: Option<Msat>,
        /// When it was paid, in seconds since 1970.
        paid_at: Option<u64>,
        /// The output that paid it on chain.
        paid_outpoint: Option<PaidOutpoint>,
        /// The proof of payment.
        payment_preimage: Option<PaymentPreimage>,
    }

    /// An output that paid an invoice.
    pub struct PaidOutpoint {
        /// The transaction.
        txid: Txid,
        /// The output.
        outnum: u32,
    }
}

rpc_enum! {
    /// How an invoice stands.
    pub enum InvoiceStatus ("Unknown status") {
        /// Nobody paid it yet.
        Unpaid = "unpaid",
        /// Somebody paid it.
        Paid = "paid",
        /// It can't be paid any more.
        Expired = "expired",
    }

    /// In which order a list is made.
    pub enum ListIndex ("unknown index") {
        /// As they were made.
        Created = "created",
        /// As they changed.
        Updated = "updated",
    }
}
