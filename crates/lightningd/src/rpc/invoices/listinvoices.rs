//! `listinvoices`

use std::rc::Rc;

use ln_db::{DbError, InvoiceRow, Txn};
use ln_invoice::{Expectations, canonical, decode};
use ln_rpc::RpcError;
use ln_rpc::methods::invoices::listinvoices::{
    Listinvoices, ListinvoicesParams, ListinvoicesResponse,
};
use ln_types::PaymentHash;

use super::entry::entry;
use crate::node::Node;
use crate::rpc::paging::page;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listinvoices {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let which = which(&node, params)?;
        let rows = node.db.read(move |txn| {
            let rows = which.rows(txn)?;
            Ok(rows.into_iter().map(entry).collect())
        });
        Ok(ListinvoicesResponse {
            invoices: rows.await.map_err(internal)?,
        })
    }
}

/// Which invoices are asked for.
enum Which {
    Label(String),
    Hash(PaymentHash),
    Page(ln_db::Page),
    None,
}

fn which(node: &Node, params: ListinvoicesParams) -> Result<Which, RpcError> {
    let given = [
        params.label.is_some(),
        params.invstring.is_some(),
        params.payment_hash.is_some(),
        params.offer_id.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() > 1 {
        return Err(RpcError::invalid_params(
            "Can only specify one of {label}, {invstring}, {payment_hash} or {offer_id}",
        ));
    }
    let page = page(params.index, params.start, params.limit)?;
    if let Some(label) = params.label {
        return Ok(Which::Label(label.0));
    }
    if let Some(hash) = params.payment_hash {
        return Ok(Which::Hash(hash));
    }
    if let Some(text) = params.invstring {
        let wanted = Expectations {
            features: Some(&node.features.invoice),
            ..Expectations::default()
        };
        let decoded = decode(&canonical(&text), &wanted)
            .map_err(|_| RpcError::invalid_params("Invalid invstring"))?;
        return Ok(Which::Hash(decoded.invoice.payment_hash));
    }
    // No invoice of ours was made for an offer.
    Ok(if params.offer_id.is_some() {
        Which::None
    } else {
        Which::Page(page)
    })
}

impl Which {
    fn rows(&self, txn: &Txn<'_>) -> Result<Vec<InvoiceRow>, DbError> {
        match self {
            Self::Label(label) => Ok(txn.invoice_by_label(label)?.into_iter().collect()),
            Self::Hash(hash) => Ok(txn.invoice_by_hash(hash)?.into_iter().collect()),
            Self::Page(page) => txn.invoices(*page),
            Self::None => Ok(Vec::new()),
        }
    }
}
