//! `delpay`

use std::rc::Rc;

use ln_db::{DbError, PaymentRow, PaymentStatus, Txn};
use ln_rpc::methods::payments::delpay::{Delpay, DelpayParams};
use ln_rpc::methods::payments::listsendpays::ListsendpaysResponse;
use ln_rpc::{RpcError, RpcErrorCode};

use super::entry::{entry, kept_status};
use crate::node::Node;
use crate::rpc::{Context, Handle, bad_value, internal};

impl Handle for Delpay {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if kept_status(params.status) == PaymentStatus::Pending {
            let problem = "Cannot delete pending status";
            return Err(bad_value(&context, "status", "pending", problem));
        }
        if params.partid.is_some() != params.groupid.is_some() {
            return Err(RpcError::invalid_params(
                "Must set both partid and groupid, or neither",
            ));
        }
        let deleted = node.db.write(move |txn| delete(txn, &params));
        let deleted = deleted.await.map_err(internal)??;
        node.rpc.index_changed();
        Ok(ListsendpaysResponse {
            payments: deleted.into_iter().map(entry).collect(),
        })
    }
}

/// Deletes the parts that fit and returns them.
fn delete(
    txn: &mut Txn<'_>,
    params: &DelpayParams,
) -> Result<Result<Vec<PaymentRow>, RpcError>, DbError> {
    let refuse = |text: String| Ok(Err(RpcError::new(RpcErrorCode::PayNoSuchPayment, text)));
    let hash = params.payment_hash;
    let mut rows = txn.payments_by_hash(&hash)?;
    if rows.is_empty() {
        return refuse(format!("Unknown payment with payment_hash: {hash}"));
    }
    rows.sort_unstable_by_key(|row| row.created_index);
    rows.retain(|row| params.groupid.is_none_or(|groupid| groupid == row.groupid));
    rows.retain(|row| params.partid.is_none_or(|partid| partid == row.partid));
    let wanted = kept_status(params.status);
    let (fitting, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.status == wanted);
    if fitting.is_empty() {
        return refuse(match others.last() {
            Some(other) => format!(
                "Payment with hash {hash} has {} status but it different from the one provided {}",
                word(other.status),
                word(wanted)
            ),
            None => "No payment for that payment_hash with that partid and groupid".to_owned(),
        });
    }
    for row in &fitting {
        txn.delete_payment(row.created_index)?;
    }
    Ok(Ok(fitting))
}

fn word(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Pending => "pending",
        PaymentStatus::Complete => "complete",
        PaymentStatus::Failed => "failed",
    }
}
