//! Who waits for the outcome of a part, and what is being paid right now.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::payments::pay::PayResponse;
use ln_types::{HtlcId, NodeId, PaymentHash};
use tokio::sync::{oneshot, watch};

use super::claims::Claims;
use super::sets::HtlcSets;
use crate::node::Node;

/// A part of a payment: its part and group.
type Part = (PaymentHash, (u64, u64));

/// A hash that `pay` is paying.
#[derive(Debug, Clone)]
pub(crate) struct Paying {
    /// What it will answer, once it is there.
    pub(crate) answer: watch::Receiver<Option<Result<PayResponse, RpcError>>>,
    /// The present attempt; 0 before there is one.
    pub(crate) groupid: Rc<Cell<u64>>,
}

/// The state of payments that is not in the database.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    waiting: RefCell<HashMap<Part, Vec<oneshot::Sender<()>>>>,
    /// Parts whose end plugins are still to be told of, and whether somebody is at it.
    untold: RefCell<Vec<Part>>,
    is_telling: Cell<bool>,
    /// Parts between the decision to send them and their being durable.
    pub(crate) claims: Claims,
    /// What `pay` is paying.
    pub(crate) paying: RefCell<HashMap<PaymentHash, Paying>>,
    /// Incoming HTLCs being decided.
    pub(super) deciding: RefCell<HashSet<(u64, HtlcId)>>,
    /// Incoming parts of payments that are not complete yet.
    pub(super) sets: RefCell<HtlcSets>,
    /// Peers whose HTLCs are left alone (`dev-ignore-htlcs`).
    pub(crate) dev_ignored_peers: RefCell<HashSet<NodeId>>,
}

impl Payments {
    /// A part's outcome changed: whoever waits looks again.
    pub(crate) fn changed(&self, node: &Rc<Node>, hash: PaymentHash, part: (u64, u64)) {
        for waiter in self
            .waiting
            .borrow_mut()
            .remove(&(hash, part))
            .into_iter()
            .flatten()
        {
            waiter.send(()).unwrap_or_default();
        }
        node.rpc.index_changed();
        if node.plugins.hears_of_payments() {
            self.untold.borrow_mut().push((hash, part));
            if !self.is_telling.replace(true) {
                tokio::task::spawn_local(tell(Rc::clone(node)));
            }
        }
    }

    /// Resolves when the part's outcome changes. Ask before looking, so that no change is missed.
    pub(crate) fn wait(&self, hash: PaymentHash, part: (u64, u64)) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        let list = waiting.entry((hash, part)).or_default();
        list.retain(|waiter| !waiter.is_closed());
        list.push(sender);
        receiver
    }
}

/// Tells plugins how parts ended, in that order. Those that end while some are read from the database are read together the next time.
async fn tell(node: Rc<Node>) {
    loop {
        let parts = node.payments.untold.take();
        if parts.is_empty() {
            node.payments.is_telling.set(false);
            return;
        }
        let rows = node.db.read(move |txn| {
            let rows = parts.iter().map(|(hash, part)| txn.payment(hash, *part));
            rows.collect::<Result<Vec<_>, _>>()
        });
        for row in rows.await.into_iter().flatten().flatten() {
            node.plugins.tell_payment(node.id(), row);
        }
    }
}
