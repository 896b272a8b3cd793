//! Handing transactions to the network, and again until they are in a block.

use std::rc::Rc;

use bitcoin::{Transaction, Txid};
use ln_db::TransactionRow;

use crate::accounts;
use crate::node::Node;

/// Why a transaction did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSent {
    /// The network does not take it.
    #[error("{0}")]
    Refused(String),
    /// The backend can't be asked now: it may or may not have the transaction.
    #[error("the chain backend does not answer: {0}")]
    Unavailable(String),
}

/// Keeps a transaction, so that it is sent again after a restart, and sends it.
pub(crate) async fn broadcast(
    node: &Rc<Node>,
    tx: Transaction,
    allow_high_fees: bool,
) -> anyhow::Result<Result<(), NotSent>> {
    let txid = tx.compute_txid();
    let row = TransactionRow {
        tx: tx.clone(),
        height: None,
        index: 0,
    };
    node.db.write(move |txn| txn.put_transaction(&row)).await?;
    node.chain.interest.borrow_mut().txids.insert(txid);
    node.log
        .debug(&node.origin, format!("Broadcasting txid {txid}"));
    Ok(match node.backend.send(&tx, allow_high_fees).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(refusal)) if is_known(&refusal) => Ok(()),
        Ok(Err(refusal)) => Err(NotSent::Refused(refusal)),
        Err(error) => {
            node.chain.unsent.set(true);
            Err(NotSent::Unavailable(error.to_string()))
        }
    })
}

/// Sends what is in no block yet once more: after a restart, and when the mempool may have lost it.
pub(crate) async fn rebroadcast(node: &Rc<Node>) {
    let unconfirmed = node
        .db
        .read(|txn: &ln_db::Txn<'_>| txn.unconfirmed_transactions());
    let Ok(rows) = unconfirmed.await else {
        return;
    };
    for row in rows {
        let txid = row.tx.compute_txid();
        node.chain.interest.borrow_mut().txids.insert(txid);
        match node.backend.send(&row.tx, true).await {
            Ok(Ok(())) => {
                node.log
                    .debug(&node.origin, format!("Rebroadcast txid {txid}"));
                note_paid(node, txid).await;
            }
            // It is known, confirmed meanwhile, or a competitor won: nothing to do here.
            Ok(Err(_)) => {}
            Err(_) => node.chain.unsent.set(true),
        }
    }
}

/// What a transaction pays to others is in the accounts once the network has it.
async fn note_paid(node: &Rc<Node>, txid: Txid) {
    let waiting = node.db.read(move |txn| txn.outside_payments(&txid)).await;
    if waiting.is_ok_and(|waiting| waiting.is_empty()) {
        return;
    }
    let kept = node.db.write(move |txn| accounts::paid_outside(txn, &txid));
    match kept.await {
        Ok(lines) => accounts::tell(node, lines),
        // A block will have it.
        Err(error) => {
            let text = format!("what {txid} pays can't be noted: {error}");
            node.log.unusual(&node.origin, text);
        }
    }
}

/// Whether a refusal only says that the transaction is there already.
fn is_known(refusal: &str) -> bool {
    [
        "txn-already-known",
        "txn-already-in-mempool",
        "already in block chain",
        "outputs already in utxo set",
    ]
    .iter()
    .any(|text| refusal.contains(text))
}
