//! Keeping the mempool in step with the chain.

use super::accept::{examine, finish};
use super::{Entry, Mempool};
use crate::chain::check_tx::{is_final, sequence_locks};
use crate::chain::{Chain, ChainEvent};
use crate::params::COINBASE_MATURITY;
use crate::policy::Policy;
use bitcoin::{Block, Transaction, Txid};
use std::sync::Arc;

/// Updates the mempool after the chain moved: confirmed transactions and their conflicts leave,
/// transactions of abandoned blocks come back. Returns those that left unconfirmed.
pub fn apply_chain_events(
    mempool: &mut Mempool,
    chain: &Chain,
    policy: &Policy,
    events: &[ChainEvent],
    now: u64,
) -> Vec<Arc<Transaction>> {
    let mut dropped = Vec::new();
    let mut orphaned: Vec<Arc<Block>> = Vec::new();
    for event in events {
        match event {
            ChainEvent::Connected(block, _) => dropped.extend(confirm(mempool, block)),
            ChainEvent::Disconnected(block, _) => orphaned.push(Arc::clone(block)),
            ChainEvent::Invalid(..) => {}
        }
    }
    if orphaned.is_empty() {
        return dropped;
    }
    // Earliest block first, so that parents come before their children.
    for tx in orphaned
        .iter()
        .rev()
        .flat_map(|block| block.txdata.iter().skip(1))
    {
        if chain.block_of(&tx.compute_txid()).is_some() {
            continue;
        }
        match examine(mempool, chain, policy, tx.clone(), true) {
            Ok(workspace) => {
                finish(mempool, chain, workspace, now);
            }
            Err(_) => {
                let txid = tx.compute_txid();
                dropped.push(Arc::new(tx.clone()));
                let children = children_of(mempool, txid, tx);
                dropped.extend(
                    mempool
                        .remove_with_descendants(children)
                        .into_iter()
                        .map(|e| e.tx),
                );
            }
        }
    }
    dropped.extend(
        remove_expired_by_chain(mempool, chain)
            .into_iter()
            .map(|entry| entry.tx),
    );
    dropped
}

fn children_of(mempool: &Mempool, txid: Txid, tx: &Transaction) -> Vec<Txid> {
    crate::chain::check_tx::outpoints(txid, tx)
        .filter_map(|outpoint| mempool.spender(&outpoint))
        .collect()
}

fn confirm(mempool: &mut Mempool, block: &Block) -> Vec<Arc<Transaction>> {
    let mut dropped = Vec::new();
    for tx in &block.txdata {
        let txid = tx.compute_txid();
        mempool.deltas.remove(&txid);
        if mempool.remove_one(&txid).is_some() {
            continue;
        }
        let conflicts: Vec<Txid> = tx
            .input
            .iter()
            .filter_map(|input| mempool.spender(&input.previous_output))
            .collect();
        dropped.extend(
            mempool
                .remove_with_descendants(conflicts)
                .into_iter()
                .map(|e| e.tx),
        );
    }
    dropped
}

/// Removes what can no longer be in the next block after a reorg: unmet locks, immature or lost
/// coins.
pub fn remove_expired_by_chain(mempool: &mut Mempool, chain: &Chain) -> Vec<Entry> {
    let doomed: Vec<Txid> = mempool
        .entries
        .values()
        .filter(|entry| !still_minable(mempool, chain, entry))
        .map(|entry| entry.txid)
        .collect();
    mempool.remove_with_descendants(doomed)
}

fn still_minable(mempool: &Mempool, chain: &Chain, entry: &Entry) -> bool {
    let next_height = chain.height().saturating_add(1);
    if !is_final(&entry.tx, next_height, chain.median_time()) {
        return false;
    }
    let mut heights = Vec::with_capacity(entry.tx.input.len());
    for input in &entry.tx.input {
        let Some(coin) = mempool.coin(chain, &input.previous_output) else {
            return false;
        };
        if coin.coinbase && next_height.saturating_sub(coin.height) < COINBASE_MATURITY {
            return false;
        }
        heights.push(coin.height);
    }
    sequence_locks(&entry.tx, &heights, |height| {
        chain.median_time_before(height)
    })
    .met_at(next_height, chain.median_time())
}
