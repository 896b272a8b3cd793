//! `xpay`

use ln_types::{Msat, PaymentPreimage};

use crate::methods::rpc_method;
use crate::params::{Secret32, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Pays an invoice, in as many parts and attempts as it takes.
    ///
    /// The same as `pay` with another limit for fees and another answer.
    pub struct Xpay = "xpay" (XpayParams) -> XpayResponse {
        category: Payments,
        since: "v24.11",
    }
}

rpc_params! {
    /// The parameters of `xpay`.
    pub struct XpayParams {
        /// The invoice.
        invstring: String,
        /// What to pay, if the invoice leaves it to the payer.
        amount_msat: Option<Msat>,
        /// The most to pay in fees; if left out, 1 % of the amount, and 5000 msat at least.
        maxfee: Option<Msat>,
        /// Layers of `askrene`, which there are none of yet.
        layers: Option<Vec<String>>,
        /// For how many seconds to begin new attempts.
        retry_for: u32 = 60_u32,
        /// Pay only so much, as others pay the rest.
        partial_msat: Option<Msat>,
        /// The most blocks the money may be locked; 2016 if left out.
        maxdelay: Option<u32>,
        /// A word to the payee, which only BOLT 12 has a place for.
        payer_note: Option<String>,
        /// Our name for it.
        label: Option<String>,
        /// The invoice request this is for.
        localinvreqid: Option<Secret32>,
        /// Whether to hide the destination by asking for more delay than needed.
        dev_use_shadow: Option<bool>,
    }
}

rpc_object! {
    /// The answer to `xpay`.
    pub struct XpayResponse {
        /// The proof of payment.
        payment_preimage: PaymentPreimage,
        /// How many parts failed before.
        failed_parts: u64,
        /// In how many parts it was paid.
        successful_parts: u64,
        /// What the destination got.
        amount_msat: Msat,
        /// What it cost us with fees.
        amount_sent_msat: Msat,
    }
}
