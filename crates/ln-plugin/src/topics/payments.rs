//! Invoices and payments.

use ln_rpc::params::Hex;
use ln_types::{Msat, NodeId, PaymentHash, PaymentPreimage, ShortChannelId};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::Topic;

/// An invoice was made.
pub const INVOICE_CREATION: Topic<InvoiceCreated> = Topic::named("invoice_creation");
/// An invoice was paid.
pub const INVOICE_PAYMENT: Topic<InvoicePaid> = Topic::named("invoice_payment");
/// A part of a payment has arrived.
pub const SENDPAY_SUCCESS: Topic<SendpaySuccess> = Topic::named("sendpay_success");
/// A part of a payment has failed.
pub const SENDPAY_FAILURE: Topic<SendpayFailure> = Topic::named("sendpay_failure");
/// A payment of others was forwarded, or not.
pub const FORWARD_EVENT: Topic<ForwardEvent> = Topic::named("forward_event");

/// An invoice that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCreated {
    /// What it asks for; nothing if any amount will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msat: Option<Msat>,
    /// What will prove the payment.
    pub preimage: PaymentPreimage,
    /// Its label.
    pub label: String,
}

/// An invoice that was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePaid {
    /// What came.
    pub msat: Msat,
    /// What proves the payment.
    pub preimage: PaymentPreimage,
    /// The invoice's label.
    pub label: String,
    /// The output it was paid with, if on the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outpoint: Option<String>,
}

/// A part of a payment that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendpaySuccess {
    /// Counts parts.
    pub created_index: u64,
    /// Counts changes of parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_index: Option<u64>,
    /// The same as `created_index`.
    pub id: u64,
    /// The payment's hash.
    pub payment_hash: PaymentHash,
    /// The attempt.
    pub groupid: u64,
    /// The part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partid: Option<u64>,
    /// Who is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<NodeId>,
    /// What it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_msat: Option<Msat>,
    /// What that cost, with fees.
    pub amount_sent_msat: Msat,
    /// When it was sent, in seconds since 1970.
    pub created_at: u64,
    /// When it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<u64>,
    /// Always `complete`.
    pub status: String,
    /// The proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_preimage: Option<PaymentPreimage>,
    /// The label that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The invoice that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bolt11: Option<String>,
    /// The same, of BOLT 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bolt12: Option<String>,
    /// The description that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A part of a payment that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendpayFailure {
    /// What went wrong, as the error of `waitsendpay` has it.
    pub code: i32,
    /// What went wrong, for people.
    pub message: String,
    /// More about it.
    pub data: SendpayFailureData,
}

/// More about a part that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendpayFailureData {
    /// Counts parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_index: Option<u64>,
    /// Counts changes of parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_index: Option<u64>,
    /// The same as `created_index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The payment's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<PaymentHash>,
    /// The attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groupid: Option<u64>,
    /// The part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partid: Option<u64>,
    /// Who should be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<NodeId>,
    /// What it should get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_msat: Option<Msat>,
    /// What was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_sent_msat: Option<Msat>,
    /// When it was sent, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<u64>,
    /// When it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<u64>,
    /// Its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The label that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The invoice that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bolt11: Option<String>,
    /// The same, of BOLT 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bolt12: Option<String>,
    /// The description that was given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The failure's onion, if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onionreply: Option<Hex>,
    /// Where on the route it failed, from 0: this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erring_index: Option<u32>,
    /// The failure code of BOLT 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failcode: Option<u32>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failcodename: Option<String>,
    /// The node that failed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erring_node: Option<NodeId>,
    /// The channel over which it could not go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erring_channel: Option<ShortChannelId>,
    /// In which direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erring_direction: Option<u32>,
    /// The failure, in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_message: Option<Hex>,
}

/// A payment of others that was forwarded, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardEvent {
    /// Counts forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_index: Option<u64>,
    /// Counts changes of forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_index: Option<u64>,
    /// The payment's hash.
    pub payment_hash: PaymentHash,
    /// Where it came from.
    pub in_channel: ShortChannelId,
    /// Its HTLC there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_htlc_id: Option<u64>,
    /// Where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_channel: Option<ShortChannelId>,
    /// Its HTLC there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_htlc_id: Option<u64>,
    /// What came.
    pub in_msat: Msat,
    /// What went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_msat: Option<Msat>,
    /// What stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_msat: Option<Msat>,
    /// `offered`, `settled`, `failed` or `local_failed`.
    pub status: String,
    /// The failure code of BOLT 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failcode: Option<u32>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failreason: Option<String>,
    /// The form of the onion: `tlv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// When it came, in seconds since 1970.
    pub received_time: Number,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_time: Option<Number>,
    /// The proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preimage: Option<PaymentPreimage>,
}
