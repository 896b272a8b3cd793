//! Who waits for invoices, and making them expire.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use ln_db::InvoiceRow;
use tokio::sync::{Notify, watch};

use crate::clock;
use crate::node::Node;

/// How often expiry is looked at when nothing is due sooner.
const LOOK_EVERY: u64 = 60;

/// The state of invoices that is not in the database.
#[derive(Debug)]
pub(crate) struct Invoices {
    /// Counts changes: whoever waits looks again.
    changes: watch::Sender<u64>,
    created: Notify,
    /// When each channel was last named in an invoice, in turns.
    hint_turns: RefCell<HashMap<u64, u64>>,
}

impl Default for Invoices {
    fn default() -> Self {
        Self {
            changes: watch::Sender::new(0),
            created: Notify::new(),
            hint_turns: RefCell::default(),
        }
    }
}

impl Invoices {
    /// The turn in which an invoice last named a channel.
    pub(crate) fn hint_turn(&self, dbid: u64) -> u64 {
        self.hint_turns.borrow().get(&dbid).copied().unwrap_or(0)
    }

    /// An invoice names a channel: others are next.
    pub(crate) fn hint_used(&self, dbid: u64) {
        let mut turns = self.hint_turns.borrow_mut();
        let next = turns.values().max().copied().unwrap_or(0) + 1;
        turns.insert(dbid, next);
    }

    /// Sees every change of an invoice. Subscribe before looking, so that no change is missed.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something changed.
    pub(crate) fn changed(&self, node: &Node) {
        self.changes.send_modify(|count| *count += 1);
        node.rpc.index_changed();
    }

    /// An invoice was made: it may be the next to expire.
    pub(crate) fn created(&self, node: &Node) {
        self.created.notify_one();
        self.changed(node);
    }

    /// An invoice was paid.
    pub(crate) fn paid(&self, node: &Rc<Node>, invoice: &InvoiceRow) {
        node.log
            .debug(&node.origin, format!("invoice '{}' is paid", invoice.label));
        self.changed(node);
    }
}

/// Marks invoices expired as their time comes.
pub(crate) async fn expire(node: Rc<Node>) {
    loop {
        let now = clock::now();
        let next = node.db.write(move |txn| {
            let before = txn.var("last_invoices_updated_index")?;
            let next = txn.expire_invoices(now)?;
            Ok((next, txn.var("last_invoices_updated_index")? != before))
        });
        let next = match next.await {
            Ok((next, changed)) => {
                if changed {
                    node.invoices.changed(&node);
                }
                next
            }
            Err(error) => {
                node.log.unusual(
                    &node.origin,
                    format!("invoices can't be marked expired: {error}"),
                );
                None
            }
        };
        let wait = next.map_or(LOOK_EVERY, |next| {
            next.saturating_sub(clock::now()).clamp(1, LOOK_EVERY)
        });
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(wait)) => {}
            () = node.invoices.created.notified() => {}
        }
    }
}
