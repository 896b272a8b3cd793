//! Who waits for the outcome of a part, and what is being paid right now.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ln_db::PaymentRow;
use ln_rpc::RpcError;
use ln_rpc::methods::payments::pay::PayResponse;
use ln_types::{HtlcId, Msat, NodeId, PaymentHash};
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
    waiting: RefCell<HashMap<Part, Vec<oneshot::Sender<PaymentRow>>>>,
    /// Parts between the decision to send them and their being durable.
    pub(crate) claims: Claims,
    /// What `pay` is paying.
    pub(crate) paying: RefCell<HashMap<PaymentHash, Paying>>,
    /// Incoming HTLCs that were handed on: what becomes of them is decided by those that we offered for them.
    pub(super) forwarded: RefCell<HashSet<(u64, HtlcId)>>,
    /// What forwarding has earned.
    pub(crate) fees_collected: Cell<Msat>,
    /// Incoming HTLCs being decided.
    pub(super) deciding: RefCell<HashSet<(u64, HtlcId)>>,
    /// Incoming parts of payments that are not complete yet.
    pub(super) sets: RefCell<HtlcSets>,
    /// Peers whose HTLCs are left alone (`dev-ignore-htlcs`).
    pub(crate) dev_ignored_peers: RefCell<HashSet<NodeId>>,
}

impl Payments {
    /// A part ended, durably, as `row` tells: whoever waits is told, and plugins.
    pub(crate) fn changed(
        &self,
        node: &Node,
        hash: PaymentHash,
        part: (u64, u64),
        row: Option<PaymentRow>,
    ) {
        // Without a row they look again.
        let waiters = self.waiting.borrow_mut().remove(&(hash, part));
        node.rpc.index_changed();
        let Some(row) = row else { return };
        for waiter in waiters.into_iter().flatten() {
            // Whoever hung up needs no answer.
            let _ = waiter.send(row.clone());
        }
        node.plugins.tell_payment(node.id(), row);
    }

    /// Resolves to how the part stands once it ends. Ask before looking, so that no change is missed. An error if that can't be told: look again.
    pub(crate) fn wait(
        &self,
        hash: PaymentHash,
        part: (u64, u64),
    ) -> oneshot::Receiver<PaymentRow> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        let list = waiting.entry((hash, part)).or_default();
        list.retain(|waiter| !waiter.is_closed());
        list.push(sender);
        receiver
    }
}
