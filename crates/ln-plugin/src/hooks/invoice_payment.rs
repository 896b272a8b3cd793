//! `invoice_payment`: whether an invoice is paid now that the whole payment is there.

use ln_rpc::params::Hex;
use ln_types::{Msat, PaymentPreimage};
use serde::{Deserialize, Serialize};

use super::Hook;

/// Asked when all parts of a payment for an invoice are there. They wait for the answer.
pub const INVOICE_PAYMENT: Hook<InvoicePayment, InvoicePaymentAnswer> =
    Hook::named("invoice_payment");

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePayment {
    /// The payment.
    pub payment: IncomingPayment,
}

/// A payment that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingPayment {
    /// The invoice's label.
    pub label: String,
    /// What will prove the payment.
    pub preimage: PaymentPreimage,
    /// How much came.
    pub msat: Msat,
    /// What else the payloads held; told to developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extratlvs: Option<Vec<serde_json::Value>>,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum InvoicePaymentAnswer {
    /// Take it, if the others do.
    #[default]
    Continue,
    /// Fail it.
    Reject {
        /// The failure the payer learns (BOLT 4), where it is not the usual one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_message: Option<Hex>,
    },
}
