//! `listpays`

use ln_types::{Msat, NodeId, PaymentHash, PaymentPreimage};

use crate::methods::invoices::listinvoices::ListIndex;
use crate::methods::payments::sendpay::PaymentStatus;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists our payments, each with all its parts as one.
    pub struct Listpays = "listpays" (ListpaysParams) -> ListpaysResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listpays`.
    pub struct ListpaysParams {
        /// Only the one for this invoice.
        bolt11: Option<String>,
        /// Only the one with this hash.
        payment_hash: Option<PaymentHash>,
        /// Only those that stand like this.
        status: Option<PaymentStatus>,
        /// In which order to list, for `start` and `limit`.
        index: Option<ListIndex>,
        /// From this index.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listpays`.
    pub struct ListpaysResponse {
        /// The payments.
        pays: Vec<PayEntry>,
    }

    /// One payment.
    pub struct PayEntry {
        /// What identifies it.
        payment_hash: PaymentHash,
        /// How it stands.
        status: PaymentStatus,
        /// Who gets it.
        destination: Option<NodeId>,
        /// When it began, in seconds since 1970.
        created_at: u64,
        /// When it ended, in seconds since 1970.
        completed_at: Option<u64>,
        /// Our name for it.
        label: Option<String>,
        /// The BOLT 11 invoice.
        bolt11: Option<String>,
        /// The description given when paying.
        description: Option<String>,
        /// The BOLT 12 invoice.
        bolt12: Option<String>,
        /// The least number of its parts in the order parts were made.
        created_index: u64,
        /// The greatest number of its parts in the order parts changed.
        updated_index: Option<u64>,
        /// What the destination gets.
        amount_msat: Option<Msat>,
        /// What it costs us with fees.
        amount_sent_msat: Option<Msat>,
        /// The proof of payment.
        preimage: Option<PaymentPreimage>,
        /// How many parts succeeded, if more than one.
        number_of_parts: Option<u64>,
        /// The failure that came back, if we can't read it.
        erroronion: Option<Hex>,
    }
}
