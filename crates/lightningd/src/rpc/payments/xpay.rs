//! `xpay`

use std::rc::Rc;

use ln_db::{PaymentRow, PaymentStatus};
use ln_rpc::RpcError;
use ln_rpc::methods::payments::pay::{PayParams, PayResponse};
use ln_rpc::methods::payments::xpay::{Xpay, XpayParams, XpayResponse};

use super::pay::pay_invoice;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

/// The most to pay in fees if the caller does not say, in percent of the amount.
const MAX_FEE_PERCENT: f64 = 1.0;

impl Handle for Xpay {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let paid = pay_invoice(&node, as_pay(params)?).await?;
        let hash = paid.payment_hash;
        let rows = node.db.read(move |txn| txn.payments_by_hash(&hash));
        let rows = rows.await.map_err(internal)?;
        Ok(response(&paid, &rows))
    }
}

/// The same in the words of `pay`.
fn as_pay(params: XpayParams) -> Result<PayParams, RpcError> {
    if params.layers.is_some_and(|layers| !layers.is_empty()) {
        return Err(RpcError::invalid_params(
            "layers: there is no askrene to take them from yet: leave them out",
        ));
    }
    if params.payer_note.is_some() {
        return Err(RpcError::invalid_params(
            "payer_note: only BOLT 12 has a place for it, and this is a BOLT 11 invoice",
        ));
    }
    let maxfeepercent = params.maxfee.is_none().then_some(MAX_FEE_PERCENT);
    Ok(PayParams {
        bolt11: params.invstring,
        amount_msat: params.amount_msat,
        label: params.label,
        riskfactor: None,
        maxfeepercent,
        retry_for: u16::try_from(params.retry_for).unwrap_or(u16::MAX),
        maxdelay: params
            .maxdelay
            .map(|blocks| u16::try_from(blocks).unwrap_or(u16::MAX)),
        exemptfee: None,
        localinvreqid: params.localinvreqid,
        exclude: None,
        maxfee: params.maxfee,
        description: None,
        partial_msat: params.partial_msat,
        dev_use_shadow: params.dev_use_shadow,
    })
}

fn response(paid: &PayResponse, rows: &[PaymentRow]) -> XpayResponse {
    let is_proof = |row: &&PaymentRow| row.status == PaymentStatus::Complete;
    let groupid = rows.iter().find(is_proof).map(|row| row.groupid);
    let failed = rows
        .iter()
        .filter(|row| Some(row.groupid) == groupid && row.status == PaymentStatus::Failed);
    XpayResponse {
        payment_preimage: paid.payment_preimage,
        failed_parts: u64::try_from(failed.count()).unwrap_or(u64::MAX),
        successful_parts: paid.parts.into(),
        amount_msat: paid.amount_msat,
        amount_sent_msat: paid.amount_sent_msat,
    }
}

#[cfg(test)]
mod tests {
    use ln_types::{Msat, PaymentHash, PaymentPreimage};

    use super::*;
    use crate::payments::sample::row;
    use crate::rpc::payments::entry::status;

    #[test]
    fn parts_of_the_attempt_that_was_paid_are_counted() {
        let mut rows = vec![row(1, 0, 1), row(2, 1, 2), row(3, 2, 2), row(4, 3, 2)];
        for (row, status) in rows.iter_mut().zip([
            PaymentStatus::Failed,
            PaymentStatus::Failed,
            PaymentStatus::Complete,
            PaymentStatus::Complete,
        ]) {
            row.status = status;
        }
        let paid = PayResponse {
            payment_preimage: PaymentPreimage([1; 32]),
            destination: None,
            payment_hash: PaymentHash([7; 32]),
            created_at: 1.0,
            parts: 2,
            amount_msat: Msat::from_msat(200),
            amount_sent_msat: Msat::from_msat(202),
            warning_partial_completion: None,
            status: status(PaymentStatus::Complete),
        };
        let response = response(&paid, &rows);
        assert_eq!((response.failed_parts, response.successful_parts), (1, 2));
    }
}
