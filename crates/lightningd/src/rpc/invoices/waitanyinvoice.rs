//! `waitanyinvoice`

use std::rc::Rc;
use std::time::Duration;

use ln_db::InvoiceRow;
use ln_rpc::methods::invoices::waitanyinvoice::Waitanyinvoice;
use ln_rpc::{RpcError, RpcErrorCode};

use super::entry::entry;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Waitanyinvoice {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let paid = next_paid(&node, params.lastpay_index);
        let Some(timeout) = params.timeout else {
            return paid.await.map(entry);
        };
        match tokio::time::timeout(Duration::from_secs(timeout), paid).await {
            Ok(row) => row.map(entry),
            Err(_elapsed) => Err(RpcError::new(
                RpcErrorCode::InvoiceWaitTimedOut,
                "Timed out while waiting for invoice to be paid",
            )),
        }
    }
}

async fn next_paid(node: &Node, last: u64) -> Result<InvoiceRow, RpcError> {
    let mut changes = node.invoices.watch_payments();
    loop {
        let row = node.db.read(move |txn| txn.next_paid_invoice(last));
        if let Some(row) = row.await.map_err(internal)? {
            return Ok(row);
        }
        changes.changed().await.map_err(internal)?;
    }
}
