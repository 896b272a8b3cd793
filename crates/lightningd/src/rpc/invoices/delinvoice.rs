//! `delinvoice`

use std::rc::Rc;

use ln_db::{DbError, InvoiceRow, Txn};
use ln_rpc::methods::invoices::delinvoice::Delinvoice;
use ln_rpc::methods::invoices::listinvoices::InvoiceStatus;
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::{Value, json};

use super::entry::{changed, entry, status};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Delinvoice {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let (label, wanted, desconly) = (params.label.0, params.status, params.desconly);
        let deleted = node.db.write(move |txn| {
            let Some(row) = txn.invoice_by_label(&label)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if status(row.status) != wanted {
                return Ok(Err(Refusal::Status(status(row.status))));
            }
            if desconly {
                return Ok(clear_description(txn, row)?.map(|row| (row, None)));
            }
            txn.delete_invoice(&label)?;
            let deleted_index = txn.var("last_invoices_deleted_index")?;
            Ok(Ok((row, Some(deleted_index))))
        });
        let (row, deleted_index) = deleted
            .await
            .map_err(internal)?
            .map_err(|refusal| refusal.into_error(wanted))?;
        if let Some(index) = deleted_index {
            node.rpc.invoice_deleted(index, changed(row.clone()));
        }
        node.invoices.changed(&node, &row.label);
        Ok(entry(row))
    }
}

/// Why nothing was deleted.
enum Refusal {
    NotFound,
    /// The invoice stands otherwise.
    Status(InvoiceStatus),
    NoDescription,
}

impl Refusal {
    fn into_error(self, wanted: InvoiceStatus) -> RpcError {
        match self {
            Self::NotFound => RpcError::new(RpcErrorCode::InvoiceNotFound, "Unknown invoice"),
            Self::Status(actual) => {
                let word = |status| json!(status).as_str().unwrap_or_default().to_owned();
                let (actual, wanted) = (word(actual), word(wanted));
                let text = format!("Invoice status is {actual} not {wanted}");
                let data: Value = json!({ "current_status": actual, "expected_status": wanted });
                RpcError::new(RpcErrorCode::InvoiceStatusUnexpected, text).with_data(data)
            }
            Self::NoDescription => RpcError::new(
                RpcErrorCode::InvoiceNoDescription,
                "Invoice description already removed",
            ),
        }
    }
}

fn clear_description(
    txn: &mut Txn<'_>,
    row: InvoiceRow,
) -> Result<Result<InvoiceRow, Refusal>, DbError> {
    if row.description.is_none() {
        return Ok(Err(Refusal::NoDescription));
    }
    txn.clear_invoice_description(&row.label)?;
    let cleared = txn.invoice_by_label(&row.label)?;
    Ok(Ok(cleared.unwrap_or(row)))
}
