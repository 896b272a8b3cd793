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

/// The most profitable transactions that fit into a block, parents before children.
pub fn select_transactions(mempool: &Mempool, min_rate: FeePerKvb) -> Vec<Txid> {
    let mut chosen = Vec::new();
    let mut taken = BTreeSet::new();
    let mut totals: HashMap<Txid, Totals> = HashMap::new();
    let mut heap = BinaryHeap::new();
    for entry in mempool.entries() {
        let mut ancestors = mempool.ancestors_of(entry.parents.iter().copied());
        ancestors.insert(entry.txid);
        let total = mempool.totals(&ancestors);
        heap.push(Scored {
            fees: total.modified_fees,
            vsize: total.vsize,
            txid: entry.txid,
        });
        totals.insert(entry.txid, total);
    }
    let (mut weight, mut sigops) = (RESERVED_WEIGHT, 400_u64);
    while let Some(best) = heap.pop() {
        let current = totals.get(&best.txid).copied().unwrap_or_default();
        let stale = current.modified_fees != best.fees || current.vsize != best.vsize;
        if taken.contains(&best.txid) || stale {
            continue;
        }
        let needed = min_rate.fee(best.vsize).to_sat().cast_signed();
        if best.fees < needed {
            break;
        }
        let mut package = mempool.ancestors_of([best.txid]);
        package.retain(|txid| !taken.contains(txid));
        let size = |of: fn(&crate::mempool::Entry) -> u64| -> u64 {
            package
                .iter()
                .filter_map(|txid| mempool.get(txid))
                .map(of)
                .sum()
        };
        let (more_weight, more_sigops) = (size(|e| e.weight), size(|e| e.sigop_cost));
        if weight + more_weight > MAX_BLOCK_WEIGHT || sigops + more_sigops > MAX_BLOCK_SIGOPS_COST {
            continue;
        }
        weight += more_weight;
        sigops += more_sigops;
        let mut ordered: Vec<_> = package
            .iter()
            .filter_map(|txid| mempool.get(txid))
            .collect();
        ordered.sort_by_key(|e| {
            (
                mempool.ancestors_of(e.parents.iter().copied()).len(),
                e.txid,
            )
        });
        for entry in ordered {
            chosen.push(entry.txid);
            taken.insert(entry.txid);
            for descendant in mempool.with_descendants([entry.txid]) {
                let Some(total) = totals.get_mut(&descendant) else {
                    continue;
                };
                total.vsize = total.vsize.saturating_sub(entry.vsize);
                total.modified_fees = total
                    .modified_fees
                    .saturating_sub(mempool.modified_fee(entry));
                if !taken.contains(&descendant) {
                    let (fees, vsize) = (total.modified_fees, total.vsize);
                    heap.push(Scored {
                        fees,
                        vsize,
                        txid: descendant,
                    });
                }
            }
        }
    }
    chosen
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
