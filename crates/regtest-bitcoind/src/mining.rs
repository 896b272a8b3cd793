//! Choosing transactions for a block, building it, and finding its nonce.

use crate::chain::Chain;
use crate::chain::check_block::WITNESS_COMMITMENT_MAGIC;
use crate::mempool::{Mempool, Totals};
use crate::params::{
    BLOCK_VERSION, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, block_subsidy, regtest_bits,
};
use crate::policy::FeePerKvb;
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxMerkleNode, TxOut,
    Txid, Witness,
};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// Weight kept free for the header and the coinbase.
const RESERVED_WEIGHT: u64 = 8000;
/// Signature operation cost kept free for the coinbase.
const RESERVED_SIGOPS: u64 = 400;

/// A transaction with its not yet chosen ancestors, rated by what they pay together.
#[derive(Debug, PartialEq, Eq)]
struct Scored {
    fees: i64,
    vsize: u64,
    txid: Txid,
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.fees) * i128::from(other.vsize);
        let right = i128::from(other.fees) * i128::from(self.vsize);
        left.cmp(&right).then_with(|| other.txid.cmp(&self.txid))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A block being filled.
struct Filling<'a> {
    mempool: &'a Mempool,
    chosen: Vec<Txid>,
    taken: BTreeSet<Txid>,
    /// Fees and size of each transaction with its not yet chosen ancestors.
    totals: HashMap<Txid, Totals>,
    /// Best last; entries that no longer agree with `totals` are stale.
    heap: BinaryHeap<Scored>,
    weight: u64,
    sigops: u64,
}

/// The most profitable transactions that fit into a block, parents before children.
pub fn select_transactions(mempool: &Mempool, min_rate: FeePerKvb) -> Vec<Txid> {
    let mut filling = Filling {
        mempool,
        chosen: Vec::new(),
        taken: BTreeSet::new(),
        totals: HashMap::new(),
        heap: BinaryHeap::new(),
        weight: RESERVED_WEIGHT,
        sigops: RESERVED_SIGOPS,
    };
    for entry in mempool.entries() {
        let mut ancestors = mempool.ancestors_of(entry.parents.iter().copied());
        ancestors.insert(entry.txid);
        let total = mempool.totals(&ancestors);
        filling.rate(entry.txid, total);
    }
    while let Some(best) = filling.heap.pop() {
        let current = filling.totals.get(&best.txid).copied().unwrap_or_default();
        let stale = current.modified_fees != best.fees || current.vsize != best.vsize;
        if filling.taken.contains(&best.txid) || stale {
            continue;
        }
        if best.fees < min_rate.fee(best.vsize).to_sat().cast_signed() {
            break;
        }
        filling.take_with_ancestors(best.txid);
    }
    filling.chosen
}

impl Filling<'_> {
    fn rate(&mut self, txid: Txid, total: Totals) {
        self.heap.push(Scored {
            fees: total.modified_fees,
            vsize: total.vsize,
            txid,
        });
        self.totals.insert(txid, total);
    }

    /// Takes a transaction and its ancestors, unless they do not fit.
    fn take_with_ancestors(&mut self, txid: Txid) {
        let mempool = self.mempool;
        let mut package = mempool.ancestors_of([txid]);
        package.retain(|txid| !self.taken.contains(txid));
        let mut entries: Vec<_> = package
            .iter()
            .filter_map(|txid| mempool.get(txid))
            .collect();
        let weight: u64 = entries.iter().map(|entry| entry.weight).sum();
        let sigops: u64 = entries.iter().map(|entry| entry.sigop_cost).sum();
        if self.weight + weight > MAX_BLOCK_WEIGHT || self.sigops + sigops > MAX_BLOCK_SIGOPS_COST {
            return;
        }
        self.weight += weight;
        self.sigops += sigops;
        entries.sort_by_key(|entry| {
            (
                mempool.ancestors_of(entry.parents.iter().copied()).len(),
                entry.txid,
            )
        });
        for entry in entries {
            self.chosen.push(entry.txid);
            self.taken.insert(entry.txid);
            let fee = mempool.modified_fee(entry);
            for descendant in mempool.with_descendants([entry.txid]) {
                let Some(mut total) = self.totals.get(&descendant).copied() else {
                    continue;
                };
                total.vsize = total.vsize.saturating_sub(entry.vsize);
                total.modified_fees = total.modified_fees.saturating_sub(fee);
                if !self.taken.contains(&descendant) {
                    self.rate(descendant, total);
                }
            }
        }
    }
}

/// Builds a block on the tip that pays `script` and solves it. `extra_nonce` tells blocks apart
/// that are otherwise equal. `None` if no nonce below `max_tries` fits.
pub fn build_block(
    chain: &Chain,
    script: ScriptBuf,
    transactions: Vec<Transaction>,
    fees: Amount,
    now: u64,
    extra_nonce: u64,
    max_tries: u64,
) -> Option<Block> {
    let height = chain.height().saturating_add(1);
    let reward = block_subsidy(height).checked_add(fees)?;
    let earliest = chain.median_time().saturating_add(1);
    let time = u32::try_from(now).unwrap_or(u32::MAX).max(earliest);
    let mut txdata = vec![coinbase(height, script, reward, extra_nonce)];
    txdata.extend(transactions);
    let mut block = Block {
        header: Header {
            version: BlockVersion::from_consensus(BLOCK_VERSION),
            prev_blockhash: chain.tip().hash,
            merkle_root: TxMerkleNode::all_zeros(),
            time,
            bits: regtest_bits(),
            nonce: 0,
        },
        txdata,
    };
    let root = block.witness_root()?;
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let mut payload = WITNESS_COMMITMENT_MAGIC.get(2..)?.to_vec();
    payload.extend_from_slice(commitment.as_byte_array());
    let push = bitcoin::script::PushBytesBuf::try_from(payload).ok()?;
    let script_pubkey = ScriptBuf::new_op_return(push);
    block.txdata.first_mut()?.output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey,
    });
    block.header.merkle_root = block.compute_merkle_root()?;
    solve(&mut block, max_tries).then_some(block)
}

fn coinbase(height: u32, script: ScriptBuf, reward: Amount, extra_nonce: u64) -> Transaction {
    let script_sig = Builder::new()
        .push_int(height.into())
        .push_int(i64::try_from(extra_nonce).unwrap_or(0))
        .push_int(0)
        .into_script();
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0_u8; 32]]),
        }],
        output: vec![TxOut {
            value: reward,
            script_pubkey: script,
        }],
    }
}

/// Tries nonces until the hash is below the target.
pub fn solve(block: &mut Block, max_tries: u64) -> bool {
    let target = Target::from_compact(regtest_bits());
    for _ in 0..max_tries {
        if target.is_met_by(block.block_hash()) {
            return true;
        }
        let Some(next) = block.header.nonce.checked_add(1) else {
            return false;
        };
        block.header.nonce = next;
    }
    false
}
