//! What came of paying, out of the parts as they are kept.

use ln_db::{PaymentRow, PaymentStatus};
use ln_onion::FailureCode;
use ln_rpc::methods::payments::pay::PayResponse;
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::json;

use crate::rpc::payments::entry::status;

/// The answer of a payment that was paid; `None` if none of these parts was. `began` is more precise than what is kept.
pub(super) fn paid(rows: &[PaymentRow], began: Option<f64>) -> Option<PayResponse> {
    let proof = rows
        .iter()
        .find(|row| row.status == PaymentStatus::Complete)?;
    let parts: Vec<&PaymentRow> = rows
        .iter()
        .filter(|row| row.groupid == proof.groupid && row.status != PaymentStatus::Failed)
        .collect();
    let created_at = parts.iter().map(|row| row.created_at).min()?;
    let partial = parts.iter().any(|row| row.status == PaymentStatus::Pending);
    Some(PayResponse {
        payment_preimage: proof.preimage?,
        destination: proof.destination,
        payment_hash: proof.payment_hash,
        created_at: began.unwrap_or_else(|| seconds(created_at)),
        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        amount_msat: parts.iter().filter_map(|row| row.amount).sum(),
        amount_sent_msat: parts.iter().map(|row| row.sent).sum(),
        warning_partial_completion: partial.then(|| {
            "Some parts of the payment are not yet completed, but we have the confirmation from the recipient."
                .to_owned()
        }),
        status: status(PaymentStatus::Complete),
    })
}

fn seconds(seconds: u64) -> f64 {
    std::time::Duration::from_secs(seconds).as_secs_f64()
}

/// The error of giving up, with the parts that failed.
pub(super) fn gave_up(rows: &[PaymentRow], groupid: u64, tries: u32, why: &str) -> RpcError {
    let rows = rows.iter().filter(|row| row.groupid == groupid);
    let attempts: Vec<_> = rows
        .map(|row| {
            let failure = row.failure.as_ref();
            let code = failure.and_then(|failure| failure.code).map(FailureCode);
            json!({
                "status": status(row.status),
                "failreason": failure.map(|failure| &failure.detail),
                "failcode": code.map(|code| code.0),
                "failcodename": code.and_then(FailureCode::name),
                "erring_node": failure.and_then(|failure| failure.erring_node),
                "erring_channel": failure.and_then(|failure| failure.erring_channel),
                "partid": row.partid,
                "amount_msat": row.amount,
            })
        })
        .collect();
    let plural = if tries == 1 { "" } else { "s" };
    let text = format!("Ran out of routes to try after {tries} attempt{plural}: {why}");
    RpcError::new(RpcErrorCode::PayStoppedRetrying, text).with_data(json!({ "attempts": attempts }))
}

#[cfg(test)]
mod tests {
    use ln_types::{Msat, PaymentPreimage};

    use super::*;
    use crate::payments::sample::row;

    #[test]
    fn one_proof_is_enough_and_the_attempt_it_belongs_to_is_told() {
        let mut rows = vec![row(1, 1, 1), row(2, 1, 2), row(3, 2, 2)];
        rows[0].status = PaymentStatus::Failed;
        assert_eq!(paid(&rows, None), None);
        rows[2].status = PaymentStatus::Complete;
        rows[2].preimage = Some(PaymentPreimage([8; 32]));
        let response = paid(&rows, None).unwrap();
        assert_eq!(response.parts, 2);
        assert_eq!(response.amount_msat, Msat::from_msat(200));
        assert_eq!(response.amount_sent_msat, Msat::from_msat(202));
        assert!(response.warning_partial_completion.is_some());
        rows[1].status = PaymentStatus::Complete;
        rows[1].preimage = rows[2].preimage;
        let response = paid(&rows, Some(1.5)).unwrap();
        assert_eq!(response.warning_partial_completion, None);
        assert!((response.created_at - 1.5).abs() < f64::EPSILON);
    }
}
