//! What the interface keeps beside its connections.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use bitcoin::Txid;
use ln_rpc::methods::control::wait::WaitInvoice;
use tokio::sync::watch;

use super::connection::Outbox;
use crate::wallet::PreparedTx;

/// How many deleted invoices are remembered for `wait`: those who wait look at once.
const REMEMBERED: usize = 128;

/// What the interface keeps beside its connections.
#[derive(Debug)]
pub(crate) struct RpcState {
    indexes: watch::Sender<u64>,
    /// Transactions that `txprepare` made and nobody sent or discarded yet.
    pub(crate) unreleased: RefCell<HashMap<Txid, PreparedTx>>,
    /// Replies to `stop`, to be written when everything else is done.
    farewells: RefCell<Vec<(Outbox, Vec<u8>)>>,
    /// The last deleted invoices by the index of their deletion.
    deleted_invoices: RefCell<BTreeMap<u64, WaitInvoice>>,
}

impl Default for RpcState {
    fn default() -> Self {
        Self {
            indexes: watch::Sender::new(0),
            unreleased: RefCell::default(),
            farewells: RefCell::default(),
            deleted_invoices: RefCell::default(),
        }
    }
}

impl RpcState {
    /// A created, updated or deleted index moved: `wait` looks again.
    pub(crate) fn index_changed(&self) {
        self.indexes.send_modify(|count| *count += 1);
    }

    /// Sees every move of an index. Subscribe before looking.
    pub(crate) fn watch_indexes(&self) -> watch::Receiver<u64> {
        self.indexes.subscribe()
    }

    /// Remembers a deleted invoice for those who wait for deletions.
    pub(super) fn invoice_deleted(&self, index: u64, details: WaitInvoice) {
        let mut deleted = self.deleted_invoices.borrow_mut();
        deleted.insert(index, details);
        while deleted.len() > REMEMBERED {
            deleted.pop_first();
        }
    }

    /// The invoice whose deletion had this index, if it was among the last.
    pub(super) fn deleted_invoice(&self, index: u64) -> Option<WaitInvoice> {
        self.deleted_invoices.borrow().get(&index).cloned()
    }

    /// Keeps a reply for the very end.
    pub(crate) fn say_at_the_end(&self, outbox: Outbox, reply: Vec<u8>) {
        self.farewells.borrow_mut().push((outbox, reply));
    }

    /// Writes the replies kept for the end.
    pub(crate) async fn say_farewell(&self) {
        let farewells = std::mem::take(&mut *self.farewells.borrow_mut());
        for (outbox, reply) in farewells {
            outbox.send(reply).await;
            outbox.flush().await;
        }
    }
}
