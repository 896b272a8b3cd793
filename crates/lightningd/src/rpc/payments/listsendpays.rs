//! `listsendpays`

use std::rc::Rc;

use ln_db::{DbError, Page, PaymentRow, PaymentStatus, Txn};
use ln_invoice::{Expectations, canonical, decode};
use ln_rpc::RpcError;
use ln_rpc::methods::payments::listsendpays::{
    Listsendpays, ListsendpaysParams, ListsendpaysResponse,
};
use ln_types::PaymentHash;

use super::entry::{entry, kept_status};
use crate::node::Node;
use crate::rpc::paging::page;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listsendpays {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let status = params.status.map(kept_status);
        let which = which(&node, params)?;
        let entries = node.db.read(move |txn| {
            let rows = which.rows(txn)?.into_iter();
            let wanted = rows.filter(|row| status.is_none_or(|status| row.status == status));
            Ok(wanted.map(entry).collect())
        });
        Ok(ListsendpaysResponse {
            payments: entries.await.map_err(internal)?,
        })
    }
}

/// Which parts are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// Those of one payment, however they stand.
    Hash(PaymentHash),
    /// Those that stand like this.
    Status(PaymentStatus, Page),
    /// All.
    All(Page),
}

/// Reads which parts are asked for.
pub(super) fn which(node: &Node, params: ListsendpaysParams) -> Result<Which, RpcError> {
    if params.payment_hash.is_some() && params.bolt11.is_some() {
        let text = "Can only specify one of {bolt11} or {payment_hash}";
        return Err(RpcError::invalid_params(text));
    }
    let page = page(params.index, params.start, params.limit)?;
    let hash = match params.bolt11 {
        None => params.payment_hash,
        Some(text) => Some(hash_of(node, &text)?),
    };
    match (hash, params.status) {
        (Some(_), _) if page.start != 0 => Err(RpcError::invalid_params(
            "Cannot use start with bolt11 or payment_hash",
        )),
        (Some(hash), _) => Ok(Which::Hash(hash)),
        (None, Some(status)) => Ok(Which::Status(kept_status(status), page)),
        (None, None) => Ok(Which::All(page)),
    }
}

fn hash_of(node: &Node, invoice: &str) -> Result<PaymentHash, RpcError> {
    let wanted = Expectations {
        features: Some(&node.features.invoice),
        network: Some(node.config.network),
        ..Expectations::default()
    };
    match decode(&canonical(invoice), &wanted) {
        Ok(decoded) => Ok(decoded.invoice.payment_hash),
        Err(error) => Err(RpcError::invalid_params(format!(
            "Invalid invstring: {error}"
        ))),
    }
}

impl Which {
    /// Reads them, in the order asked for.
    pub(super) fn rows(self, txn: &Txn<'_>) -> Result<Vec<PaymentRow>, DbError> {
        match self {
            Self::Hash(hash) => {
                let mut rows = txn.payments_by_hash(&hash)?;
                rows.sort_unstable_by_key(|row| row.created_index);
                Ok(rows)
            }
            Self::Status(status, page) => txn.payments_with_status(status, page),
            Self::All(page) => txn.payments(page),
        }
    }
}
