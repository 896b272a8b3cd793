//! Unconfirmed transactions: their graph, and what enters and leaves it.

mod accept;
mod diagram;
mod ephemeral;
pub mod package;
mod reject;
mod reorg;
mod replace;
mod truc;

pub use accept::{Accepted, accept, check};
pub use reject::{RejectKind, TxReject};
pub use reorg::{apply_chain_events, remove_expired_by_chain};

use crate::chain::{Chain, Coin};
use bitcoin::{Amount, OutPoint, Transaction, Txid, Wtxid};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How many verified transactions are remembered before the memory is emptied.
const VERIFIED_MEMORY: usize = 200_000;

/// One unconfirmed transaction.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// The coins it spends, in order.
    pub coins: Vec<Coin>,
    /// Its fee.
    pub fee: Amount,
    /// Size in virtual bytes, raised for transactions with many signature operations.
    pub vsize: u64,
    /// Weight in weight units.
    pub weight: u64,
    /// Signature operation cost.
    pub sigop_cost: u64,
    /// When it came, in Unix seconds.
    pub time: u64,
    /// Height of the tip when it came.
    pub height: u32,
    /// Order of arrival.
    pub sequence: u64,
    /// Unconfirmed transactions it spends from.
    pub parents: BTreeSet<Txid>,
    /// Unconfirmed transactions that spend from it.
    pub children: BTreeSet<Txid>,
}

/// Count, size and modified fees of a set of transactions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of transactions.
    pub count: usize,
    /// Sum of their virtual sizes.
    pub vsize: u64,
    /// Sum of their fees with the operator's changes, in satoshis.
    pub modified_fees: i64,
}

/// The set of unconfirmed transactions.
#[derive(Debug, Default)]
pub struct Mempool {
    entries: HashMap<Txid, Entry>,
    spends: HashMap<OutPoint, Txid>,
    by_wtxid: HashMap<Wtxid, Txid>,
    /// What `prioritisetransaction` added to fees, in satoshis.
    deltas: HashMap<Txid, i64>,
    /// Transactions whose scripts were verified.
    verified: HashSet<Wtxid>,
    next_sequence: u64,
    total_vsize: u64,
    total_fee: u64,
}

impl Mempool {
    /// An empty mempool.
    pub fn new() -> Self {
        Self {
            next_sequence: 1,
            ..Self::default()
        }
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sum of all virtual sizes.
    pub fn total_vsize(&self) -> u64 {
        self.total_vsize
    }

    /// Memory in use, counted at four bytes per virtual byte.
    pub fn usage(&self) -> u64 {
        self.total_vsize.saturating_mul(4)
    }

    /// Sum of all fees.
    pub fn total_fee(&self) -> Amount {
        Amount::from_sat(self.total_fee)
    }

    /// A counter that grows with each transaction added or removed.
    pub fn sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The entry of a transaction.
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.entries.get(txid)
    }

    /// The entry of a transaction by its id with witness.
    pub fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<&Entry> {
        self.entries.get(self.by_wtxid.get(wtxid)?)
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All entries in order of arrival; parents come before their children.
    pub fn by_arrival(&self) -> Vec<&Entry> {
        let mut all: Vec<_> = self.entries.values().collect();
        all.sort_by_key(|entry| entry.sequence);
        all
    }

    /// Which transaction here spends an output.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spends.get(outpoint).copied()
    }

    /// Transactions whose scripts need not be verified again.
    pub fn verified(&self) -> &HashSet<Wtxid> {
        &self.verified
    }

    /// The coin of an output of the chain or of a transaction here, spent here or not.
    pub fn coin(&self, chain: &Chain, outpoint: &OutPoint) -> Option<Coin> {
        if let Some(entry) = self.entries.get(&outpoint.txid) {
            let output = entry
                .tx
                .output
                .get(usize::try_from(outpoint.vout).ok()?)?
                .clone();
            return Some(Coin {
                output,
                height: chain.height().saturating_add(1),
                coinbase: false,
            });
        }
        chain.coin(outpoint).cloned()
    }

    /// What the operator added to a transaction's fee, in satoshis.
    pub fn delta(&self, txid: &Txid) -> i64 {
        self.deltas.get(txid).copied().unwrap_or(0)
    }

    /// All changes of fees by the operator.
    pub fn deltas(&self) -> impl Iterator<Item = (&Txid, i64)> {
        self.deltas.iter().map(|(txid, delta)| (txid, *delta))
    }

    /// Adds to what the operator added to a transaction's fee; the transaction need not be here.
    pub fn prioritise(&mut self, txid: Txid, delta: i64) {
        let sum = self.delta(&txid).saturating_add(delta);
        if sum == 0 {
            self.deltas.remove(&txid);
        } else {
            self.deltas.insert(txid, sum);
        }
    }

    /// Fee of an entry with the operator's change, in satoshis.
    pub fn modified_fee(&self, entry: &Entry) -> i64 {
        entry
            .fee
            .to_sat()
            .cast_signed()
            .saturating_add(self.delta(&entry.txid))
    }

    /// Which of the transactions `tx` spends from are here.
    pub fn parents_of(&self, tx: &Transaction) -> BTreeSet<Txid> {
        let spent = tx.input.iter().map(|input| input.previous_output.txid);
        spent
            .filter(|parent| self.entries.contains_key(parent))
            .collect()
    }

    /// The ancestors here of transactions with these parents, the parents included.
    pub fn ancestors_of(&self, parents: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.reach(parents, |entry| &entry.parents)
    }

    /// These transactions and all their descendants here.
    pub fn with_descendants(&self, txids: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.reach(txids, |entry| &entry.children)
    }

    fn reach(
        &self,
        from: impl IntoIterator<Item = Txid>,
        next: impl Fn(&Entry) -> &BTreeSet<Txid>,
    ) -> BTreeSet<Txid> {
        let mut open: Vec<Txid> = from.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(txid) = open.pop() {
            let Some(entry) = self.entries.get(&txid) else {
                continue;
            };
            if found.insert(txid) {
                open.extend(next(entry).iter().copied());
            }
        }
        found
    }

    /// Count, size and modified fees of some of the transactions here.
    pub fn totals<'a>(&self, txids: impl IntoIterator<Item = &'a Txid>) -> Totals {
        let mut totals = Totals::default();
        for entry in txids.into_iter().filter_map(|txid| self.entries.get(txid)) {
            totals.count += 1;
            totals.vsize = totals.vsize.saturating_add(entry.vsize);
            totals.modified_fees = totals
                .modified_fees
                .saturating_add(self.modified_fee(entry));
        }
        totals
    }

    /// Adds a checked transaction whose conflicts are gone.
    fn insert(&mut self, mut entry: Entry) {
        entry.sequence = self.next_sequence;
        self.next_sequence += 1;
        for input in &entry.tx.input {
            self.spends.insert(input.previous_output, entry.txid);
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.insert(entry.txid);
            }
        }
        // After a reorg children can be here before their parent.
        for vout in 0..u32::try_from(entry.tx.output.len()).unwrap_or(u32::MAX) {
            let Some(child) = self.spends.get(&OutPoint {
                txid: entry.txid,
                vout,
            }) else {
                continue;
            };
            entry.children.insert(*child);
            if let Some(child) = self.entries.get_mut(child) {
                child.parents.insert(entry.txid);
            }
        }
        self.total_vsize = self.total_vsize.saturating_add(entry.vsize);
        self.total_fee = self.total_fee.saturating_add(entry.fee.to_sat());
        self.remember_verified(entry.wtxid);
        self.by_wtxid.insert(entry.wtxid, entry.txid);
        self.entries.insert(entry.txid, entry);
    }

    fn remember_verified(&mut self, wtxid: Wtxid) {
        if self.verified.len() >= VERIFIED_MEMORY {
            self.verified.clear();
        }
        self.verified.insert(wtxid);
    }

    /// Removes one transaction and leaves its relatives in place.
    fn remove_one(&mut self, txid: &Txid) -> Option<Entry> {
        let entry = self.entries.remove(txid)?;
        self.next_sequence += 1;
        for input in &entry.tx.input {
            self.spends.remove(&input.previous_output);
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.remove(txid);
            }
        }
        for child in &entry.children {
            if let Some(child) = self.entries.get_mut(child) {
                child.parents.remove(txid);
            }
        }
        self.total_vsize = self.total_vsize.saturating_sub(entry.vsize);
        self.total_fee = self.total_fee.saturating_sub(entry.fee.to_sat());
        self.by_wtxid.remove(&entry.wtxid);
        Some(entry)
    }

    /// Removes transactions and all their descendants; the removed ones.
    fn remove_with_descendants(&mut self, txids: impl IntoIterator<Item = Txid>) -> Vec<Entry> {
        let doomed = self.with_descendants(txids);
        doomed
            .iter()
            .filter_map(|txid| self.remove_one(txid))
            .collect()
    }
}
