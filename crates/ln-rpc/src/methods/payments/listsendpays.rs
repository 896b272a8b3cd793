//! `listsendpays`

use ln_types::{Msat, NodeId, PaymentHash, PaymentPreimage};

use crate::methods::invoices::listinvoices::ListIndex;
use crate::methods::payments::sendpay::PaymentStatus;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the parts of our payments, all or those that fit.
    pub struct Listsendpays = "listsendpays" (ListsendpaysParams) -> ListsendpaysResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listsendpays`.
    pub struct ListsendpaysParams {
        /// Only those for this invoice.
        bolt11: Option<String>,
        /// Only those with this hash.
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
    /// The answer to `listsendpays` and `delpay`.
    pub struct ListsendpaysResponse {
        /// The parts.
        payments: Vec<SendpayEntry>,
    }

    /// One part of a payment.
    pub struct SendpayEntry {
        /// Its number in the order parts were made.
        created_index: u64,
        /// The same as `created_index`, as older versions said it.
        id: u64,
        /// The attempt it belongs to.
        groupid: u64,
        /// The part's number.
        partid: Option<u64>,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// Its number in the order parts changed.
        updated_index: Option<u64>,
        /// How it stands.
        status: PaymentStatus,
        /// What the destination gets.
        amount_msat: Option<Msat>,
        /// Who gets it.
        destination: Option<NodeId>,
        /// When it was made, in seconds since 1970.
        created_at: u64,
        /// What it costs us with fees.
        amount_sent_msat: Msat,
        /// Our name for it.
        label: Option<String>,
        /// The BOLT 11 invoice.
        bolt11: Option<String>,
        /// The description given when paying.
        description: Option<String>,
        /// The BOLT 12 invoice.
        bolt12: Option<String>,
        /// When it ended, in seconds since 1970.
        completed_at: Option<u64>,
        /// The proof of payment.
        payment_preimage: Option<PaymentPreimage>,
        /// The failure that came back, if we can't read it.
        erroronion: Option<Hex>,
    }
}
