//! Who waits for invoices, and making them expire.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use ln_db::InvoiceRow;
use tokio::sync::{Notify, oneshot, watch};

use crate::clock;
use crate::node::Node;

/// How often expiry is looked at when nothing is due sooner.
const LOOK_EVERY: u64 = 60;

/// How many labels gather before those that nobody waits for any more are dropped.
const PRUNE_EVERY: usize = 256;

/// The state of invoices that is not in the database.
#[derive(Debug, Default)]
pub(crate) struct Invoices {
    /// Counts payments.
    payments: watch::Sender<u64>,
    /// Who waits for one invoice, by its label.
    waiting: RefCell<HashMap<String, Vec<oneshot::Sender<()>>>>,
    /// When expiry is looked at next, in seconds since 1970; `u64::MAX` while that is being found out.
    next_look: Cell<u64>,
    sooner: Notify,
    /// When each channel was last named in an invoice, in turns.
    hint_turns: RefCell<HashMap<u64, u64>>,
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

    /// Sees every payment of an invoice. Subscribe before looking, so that none is missed.
    pub(crate) fn watch_payments(&self) -> watch::Receiver<u64> {
        self.payments.subscribe()
    }

    /// Resolves when something happens to the invoice with this label. Ask before looking, so that no change is missed.
    pub(crate) fn wait(&self, label: &str) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len().is_multiple_of(PRUNE_EVERY) {
            waiting.retain(|_, list| list.iter().any(|waiter| !waiter.is_closed()));
        }
        let list = waiting.entry(label.to_owned()).or_default();
        list.retain(|waiter| !waiter.is_closed());
        list.push(sender);
        receiver
    }

    fn wake(&self, label: &str) {
        for waiter in self
            .waiting
            .borrow_mut()
            .remove(label)
            .into_iter()
            .flatten()
        {
            let _ = waiter.send(());
        }
    }

    /// An invoice was changed or deleted.
    pub(crate) fn changed(&self, node: &Node, label: &str) {
        self.wake(label);
        node.rpc.index_changed();
    }

    /// An invoice was made: it may be the next to expire.
    pub(crate) fn created(&self, node: &Node, expires_at: u64) {
        if expires_at < self.next_look.get() {
            self.sooner.notify_one();
        }
        node.rpc.index_changed();
    }

    /// An invoice was paid.
    pub(crate) fn paid(&self, node: &Rc<Node>, invoice: &InvoiceRow) {
        node.log
            .debug(&node.origin, format!("invoice '{}' is paid", invoice.label));
        self.payments.send_modify(|count| *count += 1);
        node.plugins.tell_invoice_paid(invoice);
        self.changed(node, &invoice.label);
    }

    /// Some invoices expired.
    fn expired(&self, node: &Node) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for waiter in waiting.into_values().flatten() {
            let _ = waiter.send(());
        }
        node.rpc.index_changed();
    }
}

/// Marks invoices expired as their time comes.
pub(crate) async fn expire(node: Rc<Node>) {
    let invoices = &node.invoices;
    loop {
        // Whatever is made from here on may be missed below, and asks for another look.
        invoices.next_look.set(u64::MAX);
        let now = clock::now();
        let next = node.db.write(move |txn| {
            let before = txn.var("last_invoices_updated_index")?;
            let next = txn.expire_invoices(now)?;
            Ok((next, txn.var("last_invoices_updated_index")? != before))
        });
        let next = match next.await {
            Ok((next, changed)) => {
                if changed {
                    invoices.expired(&node);
                }
                next
            }
            Err(error) => {
                let text = format!("invoices can't be marked expired: {error}");
                node.log.unusual(&node.origin, text);
                None
            }
        };
        let now = clock::now();
        let wait = next.map_or(LOOK_EVERY, |next| {
            next.saturating_sub(now).clamp(1, LOOK_EVERY)
        });
        invoices.next_look.set(now.saturating_add(wait));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(wait)) => {}
            () = invoices.sooner.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_wait_for_the_invoice_are_woken() {
        let invoices = Invoices::default();
        let mut first = invoices.wait("a");
        let mut second = invoices.wait("a");
        let mut other = invoices.wait("b");
        invoices.wake("a");
        assert_eq!(first.try_recv(), Ok(()));
        assert_eq!(second.try_recv(), Ok(()));
        assert!(other.try_recv().is_err());
    }

    #[test]
    fn channels_are_named_in_turns() {
        let invoices = Invoices::default();
        invoices.hint_used(7);
        invoices.hint_used(5);
        assert_eq!([1, 7, 5].map(|dbid| invoices.hint_turn(dbid)), [0, 1, 2]);
    }
}
