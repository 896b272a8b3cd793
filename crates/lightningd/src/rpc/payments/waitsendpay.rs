//! `waitsendpay`

use std::rc::Rc;
use std::time::Duration;

use ln_db::{PaymentRow, PaymentStatus};
use ln_rpc::methods::payments::waitsendpay::Waitsendpay;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::PaymentHash;

use super::entry::response;
use super::errors::failed;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Waitsendpay {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let hash = params.payment_hash;
        let groupid = match params.groupid {
            Some(groupid) => groupid,
            None => {
                let last = node.db.read(move |txn| txn.last_payment_group(&hash));
                last.await.map_err(internal)?
            }
        };
        let outcome = outcome(&node, hash, (params.partid.unwrap_or(0), groupid));
        let row = match params.timeout {
            None => outcome.await?,
            Some(seconds) => {
                let patience = Duration::from_secs(u64::from(seconds));
                tokio::time::timeout(patience, outcome)
                    .await
                    .map_err(|_elapsed| {
                        let text = "Timed out while waiting";
                        RpcError::new(RpcErrorCode::PayInProgress, text)
                    })??
            }
        };
        match row.status {
            PaymentStatus::Complete => Ok(response(row)),
            PaymentStatus::Pending | PaymentStatus::Failed => Err(failed(node.id(), row)),
        }
    }
}

/// Waits until a part is not pending any more.
pub(super) async fn outcome(
    node: &Node,
    hash: PaymentHash,
    part: (u64, u64),
) -> Result<PaymentRow, RpcError> {
    loop {
        let changed = node.payments.wait(hash, part);
        let row = node.db.read(move |txn| txn.payment(&hash, part));
        let Some(row) = row.await.map_err(internal)? else {
            let (partid, code) = (part.0, RpcErrorCode::PayNoSuchPayment);
            let text = format!("Never attempted payment part {partid} for '{hash}'");
            return Err(RpcError::new(code, text));
        };
        if row.status != PaymentStatus::Pending {
            return Ok(row);
        }
        if let Ok(row) = changed.await {
            return Ok(row);
        }
    }
}
