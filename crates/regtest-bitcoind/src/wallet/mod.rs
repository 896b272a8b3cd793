//! Wallets: keys by BIP 32, the transactions that touch them, coins to spend, signatures.
//!
//! What is spent or confirmed is never stored: it is asked of the chain and the mempool, so reorgs
//! need no repair here.

pub mod coins;
pub mod keys;
pub mod psbt;
mod record;
pub mod sign;
pub mod spend;

pub use record::WalletRecord;

use crate::chain::Chain;
use bitcoin::{Address, Block, Network, OutPoint, ScriptBuf, Transaction, Txid};
use keys::{AddressKind, KeyPath, KeyRing};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A transaction that pays to or from a wallet.
#[derive(Debug, Clone)]
pub struct WalletTx {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// When the wallet first saw it, in Unix seconds.
    pub time: u64,
    /// Order in which the wallet saw them.
    pub order: u64,
}

/// One wallet.
#[derive(Debug)]
pub struct Wallet {
    /// Its name; the default wallet's is empty.
    pub name: String,
    ring: KeyRing,
    scripts: HashMap<ScriptBuf, KeyPath>,
    labels: BTreeMap<ScriptBuf, String>,
    transactions: HashMap<Txid, WalletTx>,
    /// Outputs of ours that may be unspent; a superset, checked against chain and mempool.
    live: BTreeSet<OutPoint>,
    locked: BTreeSet<OutPoint>,
    next_order: u64,
    /// Fee rate set by `settxfee`, in satoshis per 1000 virtual bytes.
    pub fee_rate: Option<u64>,
    records: Vec<WalletRecord>,
}

impl Wallet {
    /// A new wallet from 32 random bytes.
    pub fn create(name: &str, seed: [u8; 32]) -> Self {
        let mut wallet = Self::empty(name, seed);
        wallet.records.push(WalletRecord::Seed(seed));
        wallet
    }

    fn empty(name: &str, seed: [u8; 32]) -> Self {
        Self {
            name: name.to_owned(),
            ring: KeyRing::new(&seed),
            scripts: HashMap::new(),
            labels: BTreeMap::new(),
            transactions: HashMap::new(),
            live: BTreeSet::new(),
            locked: BTreeSet::new(),
            next_order: 0,
            fee_rate: None,
            records: Vec::new(),
        }
    }

    /// A wallet from its file's records; `None` if they do not begin with a seed.
    pub fn load(name: &str, records: &[WalletRecord]) -> Option<Self> {
        let (WalletRecord::Seed(seed), rest) = records.split_first()? else {
            return None;
        };
        let mut wallet = Self::empty(name, *seed);
        for record in rest {
            match record {
                WalletRecord::Seed(_) => return None,
                WalletRecord::Issued(path) => wallet.watch(*path),
                WalletRecord::Label(script, label) => {
                    wallet.labels.insert(script.clone(), label.clone());
                }
                WalletRecord::Transaction(tx, time) => wallet.remember(tx, *time),
            }
        }
        Some(wallet)
    }

    /// A wallet from another one's records, to be kept in a file of its own.
    pub fn restore(name: &str, records: &[WalletRecord]) -> Option<Self> {
        let mut wallet = Self::load(name, records)?;
        wallet.records = records.to_vec();
        Some(wallet)
    }

    /// Changes that must reach the wallet's file, oldest first.
    pub fn take_records(&mut self) -> Vec<WalletRecord> {
        std::mem::take(&mut self.records)
    }

    fn watch(&mut self, path: KeyPath) {
        let script = self.ring.script(path);
        self.ring.advance_past(path);
        self.scripts.insert(script, path);
    }

    /// A fresh address. `change` for one of the internal chain.
    pub fn new_address(&mut self, kind: AddressKind, change: bool, label: Option<&str>) -> Address {
        let path = self.ring.next(kind, change);
        self.watch(path);
        self.records.push(WalletRecord::Issued(path));
        let address = self.ring.address(path);
        if let Some(label) = label {
            self.set_label(address.script_pubkey(), label);
        }
        address
    }

    /// Names a script of ours or of somebody else.
    pub fn set_label(&mut self, script: ScriptBuf, label: &str) {
        self.records
            .push(WalletRecord::Label(script.clone(), label.to_owned()));
        self.labels.insert(script, label.to_owned());
    }

    /// The name given to a script.
    pub fn label(&self, script: &ScriptBuf) -> Option<&str> {
        self.labels.get(script).map(String::as_str)
    }

    /// All names given.
    pub fn labels(&self) -> &BTreeMap<ScriptBuf, String> {
        &self.labels
    }

    /// The key path of a script of ours.
    pub fn path(&self, script: &ScriptBuf) -> Option<KeyPath> {
        self.scripts.get(script).copied()
    }

    /// Whether a script is ours.
    pub fn is_mine(&self, script: &ScriptBuf) -> bool {
        self.scripts.contains_key(script)
    }

    /// The keys.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// A transaction of ours.
    pub fn transaction(&self, txid: &Txid) -> Option<&WalletTx> {
        self.transactions.get(txid)
    }

    /// All transactions of ours, oldest first.
    pub fn transactions(&self) -> Vec<(&Txid, &WalletTx)> {
        let mut all: Vec<_> = self.transactions.iter().collect();
        all.sort_by_key(|(_, known)| known.order);
        all
    }

    /// The output of ours that an outpoint names, spent or not.
    pub fn mine_output(&self, outpoint: &OutPoint) -> Option<&bitcoin::TxOut> {
        let known = self.transactions.get(&outpoint.txid)?;
        let output = known.tx.output.get(usize::try_from(outpoint.vout).ok()?)?;
        self.is_mine(&output.script_pubkey).then_some(output)
    }

    /// Whether a transaction pays to us or spends from us.
    pub fn concerns(&self, tx: &Transaction) -> bool {
        tx.output
            .iter()
            .any(|output| self.is_mine(&output.script_pubkey))
            || self.is_from_me(tx)
    }

    /// Whether a transaction spends an output of ours.
    pub fn is_from_me(&self, tx: &Transaction) -> bool {
        tx.input
            .iter()
            .any(|input| self.mine_output(&input.previous_output).is_some())
    }

    fn remember(&mut self, tx: &Arc<Transaction>, time: u64) {
        let txid = tx.compute_txid();
        for (outpoint, output) in crate::chain::check_tx::outpoints(txid, tx).zip(&tx.output) {
            if self.is_mine(&output.script_pubkey) {
                self.live.insert(outpoint);
            }
        }
        let order = self.next_order;
        self.transactions.entry(txid).or_insert_with(|| {
            self.next_order += 1;
            WalletTx {
                tx: Arc::clone(tx),
                time,
                order,
            }
        });
    }

    /// Notes an unconfirmed transaction if it concerns us, and keeps it in the file.
    pub fn on_unconfirmed(&mut self, tx: &Arc<Transaction>, now: u64) {
        let known = self.transactions.contains_key(&tx.compute_txid());
        if !known && self.concerns(tx) {
            self.remember(tx, now);
            self.records
                .push(WalletRecord::Transaction(Arc::clone(tx), now));
        }
    }

    /// Notes a block that joined the active chain.
    pub fn on_connected(&mut self, block: &Block) {
        for tx in &block.txdata {
            if self.concerns(tx) {
                self.remember(&Arc::new(tx.clone()), block.header.time.into());
            }
            for input in &tx.input {
                self.live.remove(&input.previous_output);
                self.locked.remove(&input.previous_output);
            }
        }
    }

    /// Notes a block that left the active chain: what it spent may be unspent again.
    pub fn on_disconnected(&mut self, block: &Block) {
        let spent = block
            .txdata
            .iter()
            .flat_map(|tx| &tx.input)
            .map(|input| input.previous_output);
        let back: Vec<_> = spent
            .filter(|spent| self.mine_output(spent).is_some())
            .collect();
        self.live.extend(back);
    }

    /// Looks through the whole active chain, as after loading.
    pub fn rescan(&mut self, chain: &Chain) {
        for height in 0..=chain.height() {
            if let Some(entry) = chain.at(height) {
                let block = Arc::clone(&entry.block);
                self.on_connected(&block);
            }
        }
    }

    /// Keeps an output from being chosen for spending, or frees it again.
    pub fn set_locked(&mut self, outpoint: OutPoint, locked: bool) {
        if locked {
            self.locked.insert(outpoint);
        } else {
            self.locked.remove(&outpoint);
        }
    }

    /// Frees all locked outputs.
    pub fn unlock_all(&mut self) {
        self.locked.clear();
    }

    /// Outputs kept from being chosen.
    pub fn locked(&self) -> &BTreeSet<OutPoint> {
        &self.locked
    }

    /// The address of a script on regtest.
    pub fn address_of(script: &ScriptBuf) -> Option<Address> {
        Address::from_script(script, Network::Regtest).ok()
    }
}
