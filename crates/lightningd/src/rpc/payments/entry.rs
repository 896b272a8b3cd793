//! A part of a payment as replies show it.

use ln_db::PaymentRow;
use ln_rpc::methods::payments::listsendpays::SendpayEntry;
use ln_rpc::methods::payments::sendpay::{PaymentStatus, SendpayResponse};
use ln_rpc::params::Hex;
use ln_types::Msat;

/// How a part stands.
pub(super) fn status(status: ln_db::PaymentStatus) -> PaymentStatus {
    match status {
        ln_db::PaymentStatus::Pending => PaymentStatus::Pending,
        ln_db::PaymentStatus::Complete => PaymentStatus::Complete,
        ln_db::PaymentStatus::Failed => PaymentStatus::Failed,
    }
}

/// How a part stands, as the database has it.
pub(super) fn kept_status(status: PaymentStatus) -> ln_db::PaymentStatus {
    match status {
        PaymentStatus::Pending => ln_db::PaymentStatus::Pending,
        PaymentStatus::Complete => ln_db::PaymentStatus::Complete,
        PaymentStatus::Failed => ln_db::PaymentStatus::Failed,
    }
}

/// An invoice in the member that its kind has: `bolt11` or `bolt12`.
pub(super) fn invoice(text: Option<String>) -> (Option<String>, Option<String>) {
    match text {
        Some(text) if text.starts_with("lni") => (None, Some(text)),
        text => (text, None),
    }
}

/// Nothing for nothing: an amount of 0 means that we don't know.
fn known(amount: Option<Msat>) -> Option<Msat> {
    amount.filter(|amount| *amount > Msat::ZERO)
}

fn partid(row: &PaymentRow) -> Option<u64> {
    Some(row.partid).filter(|partid| *partid != 0)
}

/// A part as `listsendpays` shows it.
pub(super) fn entry(row: PaymentRow) -> SendpayEntry {
    let partid = partid(&row);
    let (bolt11, bolt12) = invoice(row.bolt11);
    SendpayEntry {
        created_index: row.created_index,
        id: row.created_index,
        groupid: row.groupid,
        partid,
        payment_hash: row.payment_hash,
        updated_index: row.updated_index,
        status: status(row.status),
        amount_msat: known(row.amount),
        destination: row.destination,
        created_at: row.created_at,
        amount_sent_msat: row.sent,
        label: row.label,
        bolt11,
        description: row.description,
        bolt12,
        completed_at: row.completed_at,
        payment_preimage: row.preimage,
        erroronion: row.failure.and_then(|failure| failure.onion_reply).map(Hex),
    }
}

/// A part as `sendpay` and `waitsendpay` show it.
pub(crate) fn response(row: PaymentRow) -> SendpayResponse {
    let partid = partid(&row);
    let pending = row.status == ln_db::PaymentStatus::Pending;
    let (bolt11, bolt12) = invoice(row.bolt11);
    SendpayResponse {
        created_index: row.created_index,
        updated_index: row.updated_index,
        id: row.created_index,
        groupid: Some(row.groupid),
        payment_hash: row.payment_hash,
        status: status(row.status),
        amount_msat: known(row.amount),
        destination: row.destination,
        created_at: row.created_at,
        completed_at: row.completed_at,
        amount_sent_msat: row.sent,
        label: row.label,
        partid,
        bolt11,
        bolt12,
        message: pending.then(|| "Monitor status with listpays or waitsendpay".to_owned()),
        payment_preimage: row.preimage,
    }
}
