//! Connecting a block to the tip and taking it off again.

use super::check_tx::{check_inputs, outpoints, sequence_locks};
use super::{BlockReject, Chain, Coin};
use crate::consensus_script::verify_inputs;
use crate::params::{MAX_BLOCK_SIGOPS_COST, block_subsidy};
use bitcoin::{Amount, Block, BlockHash, OutPoint, Transaction, TxOut, Txid, Wtxid};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What connecting a block would change; nothing is changed until it is known to be valid.
struct Delta {
    created: HashMap<OutPoint, Coin>,
    spent: HashSet<OutPoint>,
    undo: Vec<Coin>,
    fees: Amount,
    sigops: u64,
}

impl Chain {
    /// Makes a block whose parent is the tip the new tip. Transactions in `verified` had their
    /// scripts checked before (the spent outputs are fixed by the transaction's ids).
    pub(super) fn connect(
        &mut self,
        hash: BlockHash,
        verified: &HashSet<Wtxid>,
    ) -> Result<Arc<Block>, BlockReject> {
        let entry = self.entries.get(&hash).ok_or(BlockReject::UnknownParent)?;
        let (block, txids) = (Arc::clone(&entry.block), Arc::clone(&entry.txids));
        let (height, check_scripts) = (entry.height, !entry.scripts_verified);
        let mut delta = Delta {
            created: HashMap::new(),
            spent: HashSet::new(),
            undo: Vec::new(),
            fees: Amount::ZERO,
            sigops: 0,
        };
        for (tx, txid) in block.txdata.iter().zip(txids.iter()) {
            if !tx.is_coinbase() {
                self.spend(tx, height, &mut delta, check_scripts.then_some(verified))?;
            }
            for (outpoint, output) in outpoints(*txid, tx).zip(&tx.output) {
                if self.coins.contains_key(&outpoint) {
                    return Err(BlockReject::invalid("bad-txns-BIP30"));
                }
                if output.script_pubkey.is_op_return() || output.script_pubkey.len() > 10_000 {
                    continue;
                }
                let coin = Coin {
                    output: output.clone(),
                    height,
                    coinbase: tx.is_coinbase(),
                };
                delta.created.insert(outpoint, coin);
            }
        }
        let reward = block
            .coinbase()
            .and_then(super::check_tx::total_out)
            .unwrap_or(Amount::MAX);
        let allowed = block_subsidy(height)
            .checked_add(delta.fees)
            .unwrap_or(Amount::ZERO);
        if reward > allowed {
            return Err(BlockReject::invalid("bad-cb-amount"));
        }
        self.apply(hash, &txids, delta);
        Ok(block)
    }

    /// Checks one transaction of a block and records what it spends.
    fn spend(
        &self,
        tx: &Transaction,
        height: u32,
        delta: &mut Delta,
        verified: Option<&HashSet<Wtxid>>,
    ) -> Result<(), BlockReject> {
        let mut coins = Vec::with_capacity(tx.input.len());
        for input in &tx.input {
            let outpoint = input.previous_output;
            let coin = delta
                .created
                .get(&outpoint)
                .or_else(|| self.coins.get(&outpoint))
                .filter(|_| !delta.spent.contains(&outpoint))
                .ok_or_else(|| BlockReject::invalid("bad-txns-inputs-missingorspent"))?;
            coins.push(coin.clone());
        }
        let fee = check_inputs(tx, &coins, height).map_err(|(why, _)| BlockReject::invalid(why))?;
        delta.fees = delta
            .fees
            .checked_add(fee)
            .ok_or_else(|| BlockReject::invalid("bad-txns-accumulated-fee-outofrange"))?;
        let heights: Vec<u32> = coins.iter().map(|coin| coin.height).collect();
        let locks = sequence_locks(tx, &heights, |height| self.median_time_before(height));
        if !locks.met_at(height, self.median_time()) {
            return Err(BlockReject::invalid("bad-txns-nonfinal"));
        }
        let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
        delta.sigops = delta.sigops.saturating_add(sigop_cost(tx, &spent));
        if delta.sigops > MAX_BLOCK_SIGOPS_COST {
            return Err(BlockReject::invalid("bad-blk-sigops"));
        }
        if verified.is_some_and(|known| !known.contains(&tx.compute_wtxid())) {
            verify_inputs(tx, &spent)
                .map_err(|_| BlockReject::invalid("mandatory-script-verify-flag-failed"))?;
        }
        delta
            .spent
            .extend(tx.input.iter().map(|input| input.previous_output));
        delta.undo.extend(coins);
        Ok(())
    }

    fn apply(&mut self, hash: BlockHash, txids: &[Txid], delta: Delta) {
        for outpoint in &delta.spent {
            self.coins.remove(outpoint);
        }
        let Delta {
            created,
            spent,
            undo,
            ..
        } = delta;
        self.coins.extend(
            created
                .into_iter()
                .filter(|(outpoint, _)| !spent.contains(outpoint)),
        );
        for txid in txids {
            self.transactions.insert(*txid, hash);
        }
        if let Some(entry) = self.entries.get_mut(&hash) {
            entry.undo = undo;
            entry.scripts_verified = true;
        }
        self.active.push(hash);
    }

    /// Takes the tip off the active chain; its block and height. Never takes off genesis.
    pub(super) fn disconnect_tip(&mut self) -> Option<(Arc<Block>, u32)> {
        if self.active.len() < 2 {
            return None;
        }
        let entry = self.entries.get(&self.active.pop()?)?;
        let (block, height) = (Arc::clone(&entry.block), entry.height);
        let mut undo = entry.undo.iter().rev();
        for (tx, txid) in block.txdata.iter().zip(entry.txids.iter()).rev() {
            for outpoint in outpoints(*txid, tx) {
                self.coins.remove(&outpoint);
            }
            self.transactions.remove(txid);
            if tx.is_coinbase() {
                continue;
            }
            for (input, coin) in tx.input.iter().rev().zip(&mut undo) {
                self.coins.insert(input.previous_output, coin.clone());
            }
        }
        Some((block, height))
    }
}

/// Signature operation cost of `tx`, which spends `spent`.
pub fn sigop_cost(tx: &Transaction, spent: &[TxOut]) -> u64 {
    let find = |outpoint: &OutPoint| {
        let position = tx
            .input
            .iter()
            .position(|input| input.previous_output == *outpoint)?;
        spent.get(position).cloned()
    };
    u64::try_from(tx.total_sigop_cost(find)).unwrap_or(u64::MAX)
}
