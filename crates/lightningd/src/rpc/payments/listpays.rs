//! `listpays`

use std::collections::HashMap;
use std::rc::Rc;

use ln_db::{PaymentRow, PaymentStatus};
use ln_rpc::RpcError;
use ln_rpc::methods::payments::listpays::{Listpays, ListpaysResponse, PayEntry};
use ln_rpc::methods::payments::listsendpays::ListsendpaysParams;
use ln_types::Msat;

use super::entry::{invoice, status};
use super::listsendpays::which;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listpays {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let which = which(
            &node,
            ListsendpaysParams {
                bolt11: params.bolt11,
                payment_hash: params.payment_hash,
                status: params.status,
                index: params.index,
                start: params.start,
                limit: params.limit,
            },
        )?;
        let pays = node.db.read(move |txn| Ok(pays(which.rows(txn)?)));
        Ok(ListpaysResponse {
            pays: pays.await.map_err(internal)?,
        })
    }
}

/// Puts the parts of each attempt together, in the order of their first parts.
fn pays(rows: Vec<PaymentRow>) -> Vec<PayEntry> {
    let mut attempts: Vec<Vec<PaymentRow>> = Vec::new();
    let mut places = HashMap::new();
    for row in rows {
        let place = *places
            .entry((row.payment_hash, row.groupid))
            .or_insert_with(|| {
                attempts.push(Vec::new());
                attempts.len() - 1
            });
        if let Some(parts) = attempts.get_mut(place) {
            parts.push(row);
        }
    }
    attempts.iter().filter_map(|parts| pay(parts)).collect()
}

/// One attempt out of its parts.
fn pay(parts: &[PaymentRow]) -> Option<PayEntry> {
    let first = parts.first()?;
    let complete = || {
        let complete = |row: &&PaymentRow| row.status == PaymentStatus::Complete;
        parts.iter().filter(complete)
    };
    let alive: Vec<&PaymentRow> = parts
        .iter()
        .filter(|row| row.status != PaymentStatus::Failed)
        .collect();
    let stands = if complete().next().is_some() {
        PaymentStatus::Complete
    } else if alive.is_empty() {
        PaymentStatus::Failed
    } else {
        PaymentStatus::Pending
    };
    // If we don't know what one part brings, we don't know what all bring.
    let arrives = alive
        .iter()
        .map(|row| row.amount.filter(|amount| *amount > Msat::ZERO))
        .try_fold(Msat::ZERO, |sum, amount| Some(sum.saturating_add(amount?)));
    let (bolt11, bolt12) = invoice(parts.iter().find_map(|row| row.bolt11.clone()));
    Some(PayEntry {
        payment_hash: first.payment_hash,
        status: status(stands),
        destination: first.destination,
        created_at: first.created_at,
        completed_at: complete().filter_map(|row| row.completed_at).min(),
        label: first.label.clone(),
        bolt11,
        description: parts.iter().find_map(|row| row.description.clone()),
        bolt12,
        created_index: parts
            .iter()
            .map(|row| row.created_index)
            .min()
            .unwrap_or_default(),
        updated_index: parts.iter().filter_map(|row| row.updated_index).max(),
        amount_msat: arrives.filter(|_| !alive.is_empty()),
        amount_sent_msat: Some(alive.iter().map(|row| row.sent).sum()),
        preimage: complete().find_map(|row| row.preimage),
        number_of_parts: u64::try_from(alive.len()).ok().filter(|count| *count > 1),
        erroronion: None,
    })
}
