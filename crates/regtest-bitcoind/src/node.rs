//! Chain, mempool and wallets kept in step; what the edge must write or print is left in
//! [`Effects`].

use crate::chain::check_tx::outpoints;
use crate::chain::{BlockReject, Chain, ChainEvent, Submitted};
use crate::mempool::package::{MemberResult, PackageResult, submit_package};
use crate::mempool::{self, Accepted, Mempool, TxReject};
use crate::mining::{build_block, select_transactions};
use crate::params::MAX_TIP_AGE;
use crate::policy::{FeePerKvb, Policy};
use crate::wallet::keys::AddressKind;
use crate::wallet::{Wallet, WalletRecord};
use bitcoin::{Amount, Block, BlockHash, ScriptBuf, Transaction, Txid};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What an operator can set beside the relay policy.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Fee rate of the wallet when nothing can be estimated (`-fallbackfee`); `None` refuses.
    pub fallback_fee: Option<FeePerKvb>,
    /// Form of new addresses (`-addresstype`).
    pub address_kind: AddressKind,
    /// Form of change addresses (`-changetype`).
    pub change_kind: AddressKind,
    /// Whether wallet calls exist (`-disablewallet`).
    pub wallets_enabled: bool,
    /// Whether a wallet is made for the first wallet call if there is none (off by `-nowallet`).
    pub wallet_on_demand: bool,
    /// Age from which the tip counts as old, in seconds (`-maxtipage`).
    pub max_tip_age: u64,
    /// Name that `getblockchaininfo` and friends give the data directory.
    pub data_dir: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fallback_fee: Some(FeePerKvb::from_sat_per_kvb(1000)),
            address_kind: AddressKind::Bech32,
            change_kind: AddressKind::Bech32,
            wallets_enabled: true,
            wallet_on_demand: true,
            max_tip_age: MAX_TIP_AGE,
            data_dir: String::new(),
        }
    }
}

/// One change of the tree of blocks, as the journal keeps it.
#[derive(Debug, Clone)]
pub enum ChainRecord {
    /// A block was added; whether it was connected, so its scripts are known to be good.
    Block(Arc<Block>, bool),
    /// `invalidateblock`.
    Invalidate(BlockHash),
    /// `reconsiderblock`.
    Reconsider(BlockHash),
    /// `preciousblock`.
    Prefer(BlockHash),
}

/// What the edge must do for the node before it answers.
#[derive(Debug, Default)]
pub struct Effects {
    /// Lines for the log.
    pub log: Vec<String>,
    /// Records for the chain's journal.
    pub chain: Vec<ChainRecord>,
    /// Records for wallets' files, by wallet name.
    pub wallets: Vec<(String, Vec<WalletRecord>)>,
    /// Whether the tip moved.
    pub tip_changed: bool,
}

/// The whole state of the program.
#[derive(Debug)]
pub struct Node {
    /// Blocks and coins.
    pub chain: Chain,
    /// Unconfirmed transactions.
    pub mempool: Mempool,
    /// Relay policy.
    pub policy: Policy,
    /// Other settings.
    pub settings: Settings,
    /// Loaded wallets by name.
    pub wallets: BTreeMap<String, Wallet>,
    /// Names of wallets on disk, loaded or not.
    pub wallets_on_disk: HashSet<String>,
    /// When the program started, in Unix seconds.
    pub started: u64,
    initial_download_over: bool,
    effects: Effects,
}

impl Node {
    /// A node with the genesis block only. `now` in Unix seconds.
    pub fn new(policy: Policy, settings: Settings, now: u64) -> Self {
        Self {
            chain: Chain::new(),
            mempool: Mempool::new(),
            policy,
            settings,
            wallets: BTreeMap::new(),
            wallets_on_disk: HashSet::new(),
            started: now,
            initial_download_over: false,
            effects: Effects::default(),
        }
    }

    /// What is to be written and printed since the last call.
    pub fn take_effects(&mut self) -> Effects {
        for (name, wallet) in &mut self.wallets {
            let records = wallet.take_records();
            if !records.is_empty() {
                self.effects.wallets.push((name.clone(), records));
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// Puts a line into the log.
    pub fn log(&mut self, line: impl Into<String>) {
        self.effects.log.push(line.into());
    }

    /// Whether the tip was never recent enough yet.
    pub fn initial_download(&mut self, now: u64) -> bool {
        let tip_time = u64::from(self.chain.tip().block.header.time);
        if tip_time.saturating_add(self.settings.max_tip_age) >= now {
            self.initial_download_over = true;
        }
        !self.initial_download_over
    }

    /// Replays one record of the journal.
    pub fn replay(&mut self, record: ChainRecord) {
        let mut events = Vec::new();
        let none = HashSet::new();
        match record {
            ChainRecord::Block(block, connected) => {
                let block = Arc::unwrap_or_clone(block);
                if let Err(reject) = self
                    .chain
                    .submit(block, None, connected, &none, &mut events)
                {
                    self.log(format!("Block from disk is no longer accepted: {reject}"));
                }
            }
            ChainRecord::Invalidate(hash) => {
                self.chain.invalidate(hash, &none, &mut events);
            }
            ChainRecord::Reconsider(hash) => {
                self.chain.reconsider(hash, &none, &mut events);
            }
            ChainRecord::Prefer(hash) => {
                self.chain.prefer(hash, &none, &mut events);
            }
        }
    }

    /// Takes a block from outside or from our own miner.
    pub fn submit_block(&mut self, block: Block, now: u64) -> Result<Submitted, BlockReject> {
        let mut events = Vec::new();
        let kept = Arc::new(block.clone());
        let result = self.chain.submit(
            block,
            Some(now),
            false,
            self.mempool.verified(),
            &mut events,
        );
        if let Ok(what) = &result {
            let connected = *what == Submitted::Active;
            self.effects.chain.push(ChainRecord::Block(kept, connected));
        }
        self.follow(&events, now);
        result
    }

    /// `invalidateblock`. `false` if the block is unknown.
    pub fn invalidate(&mut self, hash: BlockHash, now: u64) -> bool {
        let mut events = Vec::new();
        let known = self
            .chain
            .invalidate(hash, self.mempool.verified(), &mut events);
        if known {
            self.effects.chain.push(ChainRecord::Invalidate(hash));
        }
        self.follow(&events, now);
        known
    }

    /// `reconsiderblock`. `false` if the block is unknown.
    pub fn reconsider(&mut self, hash: BlockHash, now: u64) -> bool {
        let mut events = Vec::new();
        let known = self
            .chain
            .reconsider(hash, self.mempool.verified(), &mut events);
        if known {
            self.effects.chain.push(ChainRecord::Reconsider(hash));
        }
        self.follow(&events, now);
        known
    }

    /// `preciousblock`. `false` if the block is unknown.
    pub fn prefer(&mut self, hash: BlockHash, now: u64) -> bool {
        let mut events = Vec::new();
        let known = self
            .chain
            .prefer(hash, self.mempool.verified(), &mut events);
        if known {
            self.effects.chain.push(ChainRecord::Prefer(hash));
        }
        self.follow(&events, now);
        known
    }

    /// Tells log, wallets and mempool what happened to the chain.
    fn follow(&mut self, events: &[ChainEvent], now: u64) {
        for event in events {
            match event {
                ChainEvent::Connected(block, height) => {
                    self.effects.tip_changed = true;
                    self.log(self.update_tip_line(block, *height));
                    for wallet in self.wallets.values_mut() {
                        wallet.on_connected(block);
                    }
                }
                ChainEvent::Disconnected(block, height) => {
                    self.effects.tip_changed = true;
                    let previous = block.header.prev_blockhash;
                    let below = height.saturating_sub(1);
                    self.log(format!("UpdateTip: new best={previous} height={below}"));
                    for wallet in self.wallets.values_mut() {
                        wallet.on_disconnected(block);
                    }
                }
                ChainEvent::Invalid(hash, height) => {
                    self.log(format!(
                        "InvalidChainFound: invalid block={hash}  height={height}"
                    ));
                }
            }
        }
        if events.is_empty() {
            return;
        }
        mempool::apply_chain_events(&mut self.mempool, &self.chain, &self.policy, events, now);
        // What came back from abandoned blocks is unconfirmed now, and the wallets know it already.
        self.initial_download(now);
    }

    fn update_tip_line(&self, block: &Block, height: u32) -> String {
        let hash = block.block_hash();
        let entry = self.chain.entry(&hash);
        let work = (2.0 * (f64::from(height) + 1.0)).log2();
        format!(
            "UpdateTip: new best={hash} height={height} version=0x{:08x} log2_work={work:.6} tx={} \
             date='{}' progress=1.000000",
            block.header.version.to_consensus(),
            entry.map_or(0, |entry| entry.chain_tx_count),
            crate::utc::utc(block.header.time.into()),
        )
    }

    /// Offers a transaction to the mempool.
    pub fn accept(&mut self, tx: Transaction, now: u64) -> Result<Accepted, TxReject> {
        let kept = Arc::new(tx.clone());
        let result = mempool::accept(&mut self.mempool, &self.chain, &self.policy, tx, now);
        let txid = kept.compute_txid();
        match &result {
            Ok(_) => {
                self.note_unconfirmed(&kept, now);
                let size = self.mempool.len();
                self.log(format!(
                    "[mempool] AcceptToMemoryPool: accepted {txid} (poolsz {size} txn)"
                ));
            }
            Err(reject) => self.log(format!("[mempoolrej] {txid} was not accepted: {reject}")),
        }
        result
    }

    /// Offers a package to the mempool.
    pub fn submit_package(
        &mut self,
        txs: &[Transaction],
        max_rate: Option<FeePerKvb>,
        now: u64,
    ) -> PackageResult {
        let Self {
            mempool,
            chain,
            policy,
            ..
        } = self;
        let result = submit_package(mempool, chain, policy, txs, max_rate, now);
        for (tx, member) in txs.iter().zip(&result.members) {
            let txid = tx.compute_txid();
            match member {
                MemberResult::Accepted(..) => {
                    self.note_unconfirmed(&Arc::new(tx.clone()), now);
                    let size = self.mempool.len();
                    self.log(format!(
                        "[mempool] AcceptToMemoryPool: accepted {txid} (poolsz {size} txn)"
                    ));
                }
                MemberResult::Refused(reject) => {
                    self.log(format!("[mempoolrej] {txid} was not accepted: {reject}"));
                }
                MemberResult::AlreadyHere(..)
                | MemberResult::OtherWitness(_)
                | MemberResult::NotValidated => {}
            }
        }
        result
    }

    /// Tells the wallets of a transaction that is in the mempool now.
    pub fn note_unconfirmed(&mut self, tx: &Arc<Transaction>, now: u64) {
        for wallet in self.wallets.values_mut() {
            wallet.on_unconfirmed(tx, now);
        }
    }

    /// Loads a wallet: looks through chain and mempool, and offers its unconfirmed transactions
    /// again.
    pub fn add_wallet(&mut self, mut wallet: Wallet, now: u64) {
        wallet.rescan(&self.chain);
        for entry in self.mempool.by_arrival() {
            wallet.on_unconfirmed(&entry.tx, entry.time);
        }
        let unconfirmed =
            |txid: &Txid| self.chain.block_of(txid).is_none() && self.mempool.get(txid).is_none();
        let pending: Vec<Arc<Transaction>> = wallet
            .transactions()
            .into_iter()
            .filter(|(txid, known)| unconfirmed(txid) && !known.tx.is_coinbase())
            .map(|(_, known)| Arc::clone(&known.tx))
            .collect();
        self.wallets.insert(wallet.name.clone(), wallet);
        for tx in pending {
            // A transaction that was replaced or double spent stays refused.
            let _refused = self.accept(Arc::unwrap_or_clone(tx), now);
        }
    }

    /// Forgets a loaded wallet; its file stays. `false` if it is not loaded.
    pub fn unload_wallet(&mut self, name: &str) -> bool {
        let Some(mut wallet) = self.wallets.remove(name) else {
            return false;
        };
        let records = wallet.take_records();
        if !records.is_empty() {
            self.effects.wallets.push((name.to_owned(), records));
        }
        true
    }

    /// Mines a block with the best transactions of the mempool. `None` if no nonce was found.
    pub fn generate(
        &mut self,
        script: ScriptBuf,
        max_tries: u64,
        now: u64,
    ) -> Option<Result<BlockHash, BlockReject>> {
        let txids = select_transactions(&self.mempool, self.policy.min_block);
        let (txs, fees) = self.collect(&txids);
        let block = self.build(script, txs, fees, max_tries, now)?;
        let hash = block.block_hash();
        Some(self.submit_block(block, now).map(|_| hash))
    }

    fn collect(&self, txids: &[Txid]) -> (Vec<Transaction>, Amount) {
        let entries = || txids.iter().filter_map(|txid| self.mempool.get(txid));
        let fees = entries()
            .map(|entry| entry.fee.to_sat())
            .fold(0, u64::saturating_add);
        (
            entries().map(|entry| entry.tx.as_ref().clone()).collect(),
            Amount::from_sat(fees),
        )
    }

    /// Builds a block on the tip without submitting it.
    pub fn build(
        &self,
        script: ScriptBuf,
        txs: Vec<Transaction>,
        fees: Amount,
        max_tries: u64,
        now: u64,
    ) -> Option<Block> {
        // The number of known blocks tells blocks apart that would be equal after a reorg.
        let extra = u64::try_from(self.chain.block_count()).unwrap_or(0);
        build_block(&self.chain, script, txs, fees, now, extra, max_tries)
    }

    /// Whether any output of the transaction is unspent on the chain.
    pub fn has_coins_of(&self, txid: Txid, tx: &Transaction) -> bool {
        outpoints(txid, tx).any(|outpoint| self.chain.coin(&outpoint).is_some())
    }
}
