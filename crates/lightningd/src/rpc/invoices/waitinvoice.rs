//! `waitinvoice`

use std::rc::Rc;

use ln_db::InvoiceStatus;
use ln_rpc::methods::invoices::waitinvoice::Waitinvoice;
use ln_rpc::{RpcError, RpcErrorCode};

use super::entry::entry;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Waitinvoice {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut seen = None;
        loop {
            let change = node.invoices.wait(&params.label.0);
            let label = params.label.0.clone();
            let row = node.db.read(move |txn| txn.invoice_by_label(&label));
            let row = row.await.map_err(internal)?;
            // One that was deleted and made again under the same label is another one.
            let same = |index| seen.is_none_or(|seen| seen == index);
            let Some(row) = row.filter(|row| same(row.created_index)) else {
                let text = match seen {
                    Some(_) => "Invoice deleted during wait",
                    None => "Label not found",
                };
                return Err(RpcError::lightningd(text));
            };
            seen = Some(row.created_index);
            match row.status {
                InvoiceStatus::Paid => return Ok(entry(row)),
                InvoiceStatus::Expired => {
                    let code = RpcErrorCode::InvoiceExpiredDuringWait;
                    let data = serde_json::to_value(entry(row)).map_err(internal)?;
                    return Err(RpcError::new(code, "invoice expired during wait").with_data(data));
                }
                InvoiceStatus::Unpaid => change.await.map_err(internal)?,
            }
        }
    }
}
