//! The block chain: a tree of blocks, the active branch, and the coins unspent on it.
//!
//! Pure: blocks and the time go in, [`ChainEvent`]s come out.

pub(crate) mod check_block;
pub mod check_tx;
pub(crate) mod connect;
mod select;

pub use connect::sigop_cost;
pub use select::Submitted;

use crate::params;
use bitcoin::{Block, BlockHash, OutPoint, TxOut, Txid};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An unspent output and where it was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// The output.
    pub output: TxOut,
    /// Height of the block that created it; for the mempool's coins, the next height.
    pub height: u32,
    /// Whether a coinbase created it.
    pub coinbase: bool,
}

/// Why a block is not part of the active chain's candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockStatus {
    /// Nothing is known against it.
    Valid,
    /// It broke a rule, or `invalidateblock` named it.
    Invalid,
    /// One of its ancestors is invalid.
    InvalidAncestor,
}

/// One block of the tree.
#[derive(Debug, Clone)]
pub struct BlockEntry {
    /// Its hash.
    pub hash: BlockHash,
    /// The block itself.
    pub block: Arc<Block>,
    /// Its serialised size in bytes.
    pub size: u32,
    /// Ids of its transactions, in order.
    pub txids: Arc<[Txid]>,
    /// Its height.
    pub height: u32,
    /// Median time past, counted with this block.
    pub median_time: u32,
    /// Transactions from the genesis block up to this one.
    pub chain_tx_count: u64,
    /// Whether it can be on the active chain.
    pub status: BlockStatus,
    /// Coins its transactions spent, in order; empty until it was connected once.
    undo: Vec<Coin>,
    /// Whether its scripts were verified.
    scripts_verified: bool,
    /// Order of arrival: of two equally long branches the earlier tip wins.
    sequence: i64,
}

/// A change of the active chain.
#[derive(Debug, Clone)]
pub enum ChainEvent {
    /// The block became the tip.
    Connected(Arc<Block>, u32),
    /// The block is no longer the tip.
    Disconnected(Arc<Block>, u32),
    /// The block turned out to be invalid.
    Invalid(BlockHash, u32),
}

/// Why a block was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockReject {
    /// We have it already.
    #[error("duplicate")]
    Duplicate,
    /// We have it already, and it is invalid.
    #[error("duplicate-invalid")]
    DuplicateInvalid,
    /// Its parent is unknown.
    #[error("prev-blk-not-found")]
    UnknownParent,
    /// It breaks a rule; the text is Core's reject reason.
    #[error("{0}")]
    Invalid(String),
}

impl BlockReject {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }
}

/// The tree of blocks and the state at its active tip.
#[derive(Debug)]
pub struct Chain {
    entries: HashMap<BlockHash, BlockEntry>,
    children: HashMap<BlockHash, Vec<BlockHash>>,
    /// Valid blocks, best last.
    candidates: BTreeSet<(u32, Reverse<i64>, BlockHash)>,
    /// Hashes of the active chain by height; never empty.
    active: Vec<BlockHash>,
    coins: HashMap<OutPoint, Coin>,
    /// Which active block confirmed a transaction.
    transactions: HashMap<Txid, BlockHash>,
    next_sequence: i64,
    precious_sequence: i64,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// A chain of the genesis block alone.
    pub fn new() -> Self {
        let genesis = params::genesis();
        let hash = genesis.block_hash();
        let mut chain = Self {
            entries: HashMap::new(),
            children: HashMap::new(),
            candidates: BTreeSet::new(),
            active: vec![hash],
            coins: HashMap::new(),
            transactions: HashMap::new(),
            next_sequence: 0,
            precious_sequence: 0,
        };
        // The genesis coinbase cannot be spent, so it makes no coin.
        chain.insert(genesis, 0, 0, true);
        chain
    }

    /// Height of the tip.
    pub fn height(&self) -> u32 {
        u32::try_from(self.active.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The tip.
    pub fn tip(&self) -> &BlockEntry {
        let hash = self
            .active
            .last()
            .expect("the active chain has at least the genesis block");
        self.entries
            .get(hash)
            .expect("active blocks are in the tree")
    }

    /// A block of the tree, active or not.
    pub fn entry(&self, hash: &BlockHash) -> Option<&BlockEntry> {
        self.entries.get(hash)
    }

    /// All blocks of the tree.
    pub fn entries(&self) -> impl Iterator<Item = &BlockEntry> {
        self.entries.values()
    }

    /// Number of blocks in the tree.
    pub fn block_count(&self) -> usize {
        self.entries.len()
    }

    /// Whether the block has a known child.
    pub fn has_child(&self, hash: &BlockHash) -> bool {
        self.children.contains_key(hash)
    }

    /// The active block at a height.
    pub fn at(&self, height: u32) -> Option<&BlockEntry> {
        let hash = self.active.get(usize::try_from(height).ok()?)?;
        self.entries.get(hash)
    }

    /// Whether the block is on the active chain.
    pub fn is_active(&self, entry: &BlockEntry) -> bool {
        self.at(entry.height)
            .is_some_and(|active| active.hash == entry.hash)
    }

    /// Confirmations of a block: 1 for the tip, -1 for a block beside the active chain.
    pub fn confirmations(&self, entry: &BlockEntry) -> i64 {
        if self.is_active(entry) {
            i64::from(self.height()) - i64::from(entry.height) + 1
        } else {
            -1
        }
    }

    /// The coin of an unspent output.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.coins.get(outpoint)
    }

    /// All unspent outputs.
    pub fn coins(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.coins.iter()
    }

    /// The active block that holds a transaction.
    pub fn block_of(&self, txid: &Txid) -> Option<&BlockEntry> {
        self.entries.get(self.transactions.get(txid)?)
    }

    /// A confirmed transaction and its position in its block.
    pub fn transaction(&self, txid: &Txid) -> Option<(&BlockEntry, usize)> {
        let entry = self.block_of(txid)?;
        let position = entry.txids.iter().position(|id| id == txid)?;
        Some((entry, position))
    }

    /// Coins that the transaction at `position` of a once connected block spent.
    pub fn spent_coins(entry: &BlockEntry, position: usize) -> &[Coin] {
        if position == 0 {
            return &[];
        }
        let inputs = |tx: &bitcoin::Transaction| tx.input.len();
        let start: usize = entry
            .block
            .txdata
            .iter()
            .take(position)
            .skip(1)
            .map(inputs)
            .sum();
        let count = entry.block.txdata.get(position).map_or(0, inputs);
        entry
            .undo
            .get(start..start.saturating_add(count))
            .unwrap_or(&[])
    }

    /// Median time past of the tip.
    pub fn median_time(&self) -> u32 {
        self.tip().median_time
    }

    /// Median time past of the block before the active block at `height`.
    pub fn median_time_before(&self, height: u32) -> u32 {
        let before = height.saturating_sub(1).min(self.height());
        self.at(before).map_or(0, |entry| entry.median_time)
    }

    /// Adds a block to the tree under a parent that is known (or as genesis).
    fn insert(&mut self, block: Block, height: u32, sequence: i64, scripts_verified: bool) {
        let hash = block.block_hash();
        let previous = block.header.prev_blockhash;
        let chain_tx_count = self
            .entries
            .get(&previous)
            .map_or(0, |entry| entry.chain_tx_count)
            + u64::try_from(block.txdata.len()).unwrap_or(u64::MAX);
        let median_time = self.median_time_with(&block);
        let entry = BlockEntry {
            hash,
            size: u32::try_from(block.total_size()).unwrap_or(u32::MAX),
            txids: block
                .txdata
                .iter()
                .map(bitcoin::Transaction::compute_txid)
                .collect(),
            block: Arc::new(block),
            height,
            median_time,
            chain_tx_count,
            status: BlockStatus::Valid,
            undo: Vec::new(),
            scripts_verified,
            sequence,
        };
        self.candidates.insert((height, Reverse(sequence), hash));
        self.children.entry(previous).or_default().push(hash);
        self.entries.insert(hash, entry);
    }

    /// Median of the times of `block` and its ten predecessors.
    fn median_time_with(&self, block: &Block) -> u32 {
        let mut times = vec![block.header.time];
        let mut previous = block.header.prev_blockhash;
        while times.len() < 11 {
            let Some(entry) = self.entries.get(&previous) else {
                break;
            };
            times.push(entry.block.header.time);
            previous = entry.block.header.prev_blockhash;
        }
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }
}
