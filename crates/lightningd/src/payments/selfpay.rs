//! Paying an invoice of our own: nothing is sent, both sides are kept in one transaction.

use std::rc::Rc;

use ln_db::{DbError, InvoiceRow, InvoiceStatus, PaymentFailure, PaymentRow, PaymentStatus, Txn};
use ln_onion::{FailureMessage, PaymentData};
use ln_types::{Msat, NodeId, PaymentHash, PaymentSecret};

use super::checked::{Place, Sent, place};
use super::claims::PartFacts;
use super::incoming::{Claim, accepts};
use super::outgoing::SendError;
use crate::clock;
use crate::node::Node;

/// A payment to ourselves.
#[derive(Debug, Clone)]
pub(crate) struct SelfPayment {
    pub(crate) payment_hash: PaymentHash,
    pub(crate) amount: Msat,
    pub(crate) payment_secret: Option<PaymentSecret>,
    pub(crate) label: Option<String>,
    pub(crate) bolt11: Option<String>,
    pub(crate) description: Option<String>,
    /// Whether plugins are asked (`invoice_payment`), as for a payment of somebody else's.
    pub(crate) is_judged: bool,
}

/// Pays an invoice of our own; the part that is returned is complete or failed.
pub(crate) async fn pay_ourselves(
    node: &Rc<Node>,
    payment: SelfPayment,
    groupid: Option<u64>,
) -> Result<PaymentRow, SendError> {
    let hash = payment.payment_hash;
    let mut facts = PartFacts {
        partid: 0,
        groupid: 0,
        amount: payment.amount,
        total: payment.amount,
        destination: Some(node.id()),
    };
    let claim = match place(node, hash, &mut facts, groupid).await? {
        Place::Ours(claim) => claim,
        Place::Theirs(Sent::Pending(row) | Sent::Complete(row)) => return Ok(row),
    };
    let refusal = refused(node, &payment).await?;
    let (us, now, groupid) = (node.id(), clock::now(), facts.groupid);
    let settled = node
        .db
        .write(move |txn| settle(txn, us, &payment, refusal, groupid, now))
        .await;
    drop(claim);
    let (row, invoice) = settled.map_err(anyhow::Error::from)?;
    if let Some(invoice) = invoice {
        let text = format!(
            "Self-resolved invoice '{}' with amount {}",
            invoice.label, row.sent
        );
        node.log.info(&node.origin, text);
        node.invoices.paid(node, &invoice);
    }
    let ended = Some(row.clone());
    node.payments.changed(node, hash, (0, groupid), ended);
    Ok(row)
}

/// What plugins have against it: the failure's code. Nothing is kept of the payment while they think.
async fn refused(node: &Node, payment: &SelfPayment) -> anyhow::Result<Option<u16>> {
    let (true, Some(payment_secret)) = (payment.is_judged, payment.payment_secret) else {
        return Ok(None);
    };
    let claim = claim(payment, payment_secret);
    let hash = payment.payment_hash;
    let refusal = super::incoming::refused(node, hash, payment.amount, &claim).await?;
    let code = |message: Option<Vec<u8>>| match message.as_deref() {
        Some([high, low, ..]) => u16::from_be_bytes([*high, *low]),
        Some(_) | None => unknown_details(payment.amount),
    };
    Ok(refusal.map(code))
}

/// What a payload would say.
fn claim(payment: &SelfPayment, payment_secret: PaymentSecret) -> Claim {
    Claim {
        data: PaymentData {
            payment_secret,
            total_msat: payment.amount,
        },
        invoice_msat: None,
        unknown: Vec::new(),
    }
}

/// The code of the usual failure.
fn unknown_details(amount: Msat) -> u16 {
    let failure = FailureMessage::IncorrectOrUnknownPaymentDetails {
        htlc_msat: amount,
        height: ln_types::BlockHeight(0),
    };
    failure.code().0
}

/// Keeps the payment and its outcome, and the invoice if it is paid by it.
fn settle(
    txn: &mut Txn<'_>,
    us: NodeId,
    payment: &SelfPayment,
    refusal: Option<u16>,
    groupid: u64,
    now: u64,
) -> Result<(PaymentRow, Option<InvoiceRow>), DbError> {
    let (hash, part) = (payment.payment_hash, (0, groupid));
    txn.add_payment(&row(us, payment, groupid, now))?;
    let payable = match refusal {
        Some(_) => Err(format!("A plugin refused to take the payment of {hash}")),
        None => payable(txn, payment, now)?,
    };
    let (row, invoice) = match payable {
        Ok(invoice) => {
            let row = txn.complete_payment(&hash, part, &invoice.preimage, now)?;
            (row, Some(txn.set_invoice_paid(&hash, payment.amount, now)?))
        }
        Err(detail) => {
            let code = refusal.unwrap_or_else(|| unknown_details(payment.amount));
            let failure = PaymentFailure {
                onion_reply: None,
                destination_permanent: true,
                erring_index: Some(0),
                code: Some(code),
                erring_node: Some(us),
                erring_channel: None,
                erring_direction: None,
                message: None,
                detail,
            };
            (txn.fail_payment(&hash, part, &failure, now)?, None)
        }
    };
    let row = row.ok_or(DbError::Corrupt {
        table: "payments",
        column: "payment_hash",
    })?;
    Ok((row, invoice))
}

fn row(us: NodeId, payment: &SelfPayment, groupid: u64, now: u64) -> PaymentRow {
    PaymentRow {
        created_index: 0,
        updated_index: None,
        created_at: now,
        completed_at: None,
        status: PaymentStatus::Pending,
        payment_hash: payment.payment_hash,
        partid: 0,
        groupid,
        destination: Some(us),
        amount: Some(payment.amount),
        sent: payment.amount,
        total: Some(payment.amount),
        preimage: None,
        path_secrets: Vec::new(),
        route_nodes: Vec::new(),
        route_channels: Vec::new(),
        label: payment.label.clone(),
        bolt11: payment.bolt11.clone(),
        description: payment.description.clone(),
        failure: None,
    }
}

/// The invoice, if it can be paid like this, or why not.
fn payable(
    txn: &Txn<'_>,
    payment: &SelfPayment,
    now: u64,
) -> Result<Result<InvoiceRow, String>, DbError> {
    let (hash, amount) = (payment.payment_hash, payment.amount);
    let Some(invoice) = txn.invoice_by_hash(&hash)? else {
        return Ok(Err(format!("Unknown invoice {hash}")));
    };
    let Some(payment_secret) = payment.payment_secret else {
        return Ok(Err(format!("Attempt to pay {hash} without secret")));
    };
    let why = if accepts(&invoice, &claim(payment, payment_secret), now) {
        return Ok(Ok(invoice));
    } else if invoice.status != InvoiceStatus::Unpaid || invoice.expires_at <= now {
        format!("Already paid or expired invoice {hash}")
    } else if invoice.payment_secret != payment_secret {
        format!("Attempt to pay {hash} with wrong secret")
    } else {
        let asked = invoice.amount.unwrap_or(Msat::ZERO);
        let sign = if amount < asked { '<' } else { '>' };
        format!("Attempt to pay {hash} with amount {amount} {sign} {asked}")
    };
    Ok(Err(why))
}
