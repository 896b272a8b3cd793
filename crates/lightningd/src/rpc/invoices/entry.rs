//! An invoice in replies.

use ln_db::{InvoiceRow, InvoiceStatus as Kept};
use ln_rpc::methods::control::wait::WaitInvoice;
use ln_rpc::methods::invoices::listinvoices::{InvoiceEntry, InvoiceStatus};
use ln_rpc::params::Label;

/// How an invoice stands, as replies say it.
pub(super) fn status(kept: Kept) -> InvoiceStatus {
    match kept {
        Kept::Unpaid => InvoiceStatus::Unpaid,
        Kept::Paid => InvoiceStatus::Paid,
        Kept::Expired => InvoiceStatus::Expired,
    }
}

/// An invoice in a reply. The preimage is shown only once somebody has paid for it.
pub(super) fn entry(row: InvoiceRow) -> InvoiceEntry {
    let paid = row.status == Kept::Paid;
    InvoiceEntry {
        label: Label(row.label),
        description: row.description,
        payment_hash: row.payment_hash,
        status: status(row.status),
        expires_at: row.expires_at,
        amount_msat: row.amount,
        bolt11: row.bolt11,
        bolt12: None,
        local_offer_id: None,
        invreq_payer_note: None,
        created_index: row.created_index,
        updated_index: row.updated_index,
        pay_index: row.pay_index.filter(|_| paid),
        amount_received_msat: row.received.filter(|_| paid),
        paid_at: row.paid_at.filter(|_| paid),
        paid_outpoint: None,
        payment_preimage: paid.then_some(row.preimage),
    }
}

/// An invoice in the answer of `wait`.
pub(in crate::rpc) fn changed(row: InvoiceRow) -> WaitInvoice {
    WaitInvoice {
        status: Some(status(row.status)),
        label: Some(row.label),
        description: row.description,
        bolt11: row.bolt11,
        bolt12: None,
    }
}

#[cfg(test)]
mod tests {
    use ln_types::{Msat, PaymentHash, PaymentPreimage, PaymentSecret};

    use super::*;

    fn row(status: Kept) -> InvoiceRow {
        InvoiceRow {
            created_index: 1,
            updated_index: None,
            status,
            amount: Some(Msat::from_msat(5)),
            payment_hash: PaymentHash([1; 32]),
            preimage: PaymentPreimage([2; 32]),
            payment_secret: PaymentSecret([3; 32]),
            label: "l".to_owned(),
            expires_at: 10,
            pay_index: Some(1),
            received: Some(Msat::from_msat(5)),
            paid_at: Some(9),
            bolt11: Some("lnbc1".to_owned()),
            description: None,
        }
    }

    #[test]
    fn only_a_paid_invoice_shows_its_preimage() {
        assert!(entry(row(Kept::Unpaid)).payment_preimage.is_none());
        assert!(entry(row(Kept::Expired)).pay_index.is_none());
        let paid = entry(row(Kept::Paid));
        assert_eq!(paid.payment_preimage, Some(PaymentPreimage([2; 32])));
    }
}
