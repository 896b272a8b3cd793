//! `listpays`

use std::collections::HashMap;
use std::rc::Rc;

use ln_db::{PaymentRow, PaymentStatus};
use ln_rpc::RpcError;
use ln_rpc::methods::payments::listpays::{Listpays, ListpaysResponse, PayEntry};
use ln_rpc::methods::payments::listsendpays::ListsendpaysParams;
use ln_rpc::methods::payments::sendpay::PaymentStatus::Failed;
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
        let pays = pays.await.map_err(internal)?;
        Ok(ListpaysResponse {
            pays: pays.into_iter().map(|pay| as_of_now(&node, pay)).collect(),
        })
    }
}

/// An attempt without a part under way is pending all the same while `pay` is about to send the next one.
fn as_of_now(node: &Node, (groupid, pay): (u64, PayEntry)) -> PayEntry {
    let all = node.payments.paying.borrow();
    let paying = all.get(&pay.payment_hash);
    let goes_on = paying.is_some_and(|paying| paying.groupid.get() == groupid);
    let status = match pay.status {
        Failed if goes_on => status(PaymentStatus::Pending),
        status => status,
    };
    PayEntry { status, ..pay }
}

/// Puts the parts of each attempt together, in the order of their first parts; each with its `groupid`.
fn pays(rows: Vec<PaymentRow>) -> Vec<(u64, PayEntry)> {
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
fn pay(parts: &[PaymentRow]) -> Option<(u64, PayEntry)> {
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
    let entry = PayEntry {
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
    };
    Some((first.groupid, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::sample::row;

    #[test]
    fn the_parts_of_an_attempt_are_one_payment() {
        let mut rows = vec![row(1, 1, 1), row(2, 2, 1), row(3, 1, 2)];
        for row in &mut rows[..2] {
            row.status = PaymentStatus::Failed;
        }
        rows[1].updated_index = Some(9);
        let mut late = row(4, 2, 2);
        late.status = PaymentStatus::Complete;
        late.completed_at = Some(77);
        rows.push(late);
        let found = pays(rows);
        let groups: Vec<u64> = found.iter().map(|(groupid, _)| *groupid).collect();
        assert_eq!(groups, [1, 2]);
        let (first, second) = (&found[0].1, &found[1].1);
        assert_eq!(first.status, Failed);
        assert_eq!((first.created_index, first.updated_index), (1, Some(9)));
        assert_eq!((first.amount_msat, first.number_of_parts), (None, None));
        assert_eq!(first.amount_sent_msat, Some(Msat::ZERO));
        assert_eq!(second.status, status(PaymentStatus::Complete));
        assert_eq!(second.number_of_parts, Some(2));
        assert_eq!(second.amount_msat, Some(Msat::from_msat(200)));
        assert_eq!(second.amount_sent_msat, Some(Msat::from_msat(202)));
        assert_eq!(second.completed_at, Some(77));
    }

    #[test]
    fn an_amount_that_is_not_known_of_one_part_is_not_known_of_all() {
        let mut rows = vec![row(1, 1, 1), row(2, 2, 1)];
        rows[0].amount = None;
        assert_eq!(pays(rows)[0].1.amount_msat, None);
    }
}
