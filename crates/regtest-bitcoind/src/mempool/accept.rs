//! Taking a single transaction into the mempool.

use super::reject::{RejectKind, TxReject};
use super::replace::check_replacement;
use super::{Entry, Mempool, ephemeral, truc};
use crate::chain::check_tx::{
    check_inputs, check_transaction, is_final, outpoints, sequence_locks,
};
use crate::chain::{Chain, Coin, sigop_cost};
use crate::consensus_script::verify_inputs;
use crate::policy::Policy;
use crate::policy::standard::{check_form, inputs_are_standard, witnesses_are_standard};
use crate::script::{ScriptError, verify_standard};
use bitcoin::{Amount, OutPoint, Transaction, TxOut, Txid, Wtxid};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Largest signature operation cost of a relayed transaction.
const MAX_SIGOP_COST: u64 = 16_000;
/// Virtual bytes that one unit of signature operation cost counts for, at least.
const BYTES_PER_SIGOP: u64 = 20;
/// Size by which the CPFP carve-out lets one more child through.
const CARVE_OUT_VBYTES: u64 = 10_000;

/// A transaction on its way in: everything computed about it so far.
#[derive(Debug, Clone)]
pub(super) struct Workspace {
    pub tx: Arc<Transaction>,
    pub txid: Txid,
    pub wtxid: Wtxid,
    pub coins: Vec<Coin>,
    pub fee: Amount,
    pub modified_fee: i64,
    pub vsize: u64,
    pub weight: u64,
    pub sigop_cost: u64,
    pub parents: BTreeSet<Txid>,
    pub ancestors: BTreeSet<Txid>,
    /// Mempool transactions that spend the same outputs.
    pub conflicts: BTreeSet<Txid>,
    /// All that must leave: the conflicts and their descendants.
    pub evicted: BTreeSet<Txid>,
}

/// A transaction that was taken, or would be.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its fee.
    pub fee: Amount,
    /// Its size in virtual bytes for policy.
    pub vsize: u64,
    /// What it replaced.
    pub replaced: Vec<Arc<Transaction>>,
}

/// Checks `tx` and adds it. `now` in Unix seconds.
pub fn accept(
    mempool: &mut Mempool,
    chain: &Chain,
    policy: &Policy,
    tx: Transaction,
    now: u64,
) -> Result<Accepted, TxReject> {
    let workspace = examine(mempool, chain, policy, tx, false)?;
    Ok(finish(mempool, chain, workspace, now))
}

/// Checks `tx` without adding it.
pub fn check(
    mempool: &Mempool,
    chain: &Chain,
    policy: &Policy,
    tx: Transaction,
) -> Result<Accepted, TxReject> {
    let workspace = examine(mempool, chain, policy, tx, false)?;
    Ok(Accepted {
        fee: workspace.fee,
        vsize: workspace.vsize,
        replaced: Vec::new(),
    })
}

/// All checks for a single transaction. `after_reorg` skips those on fees and limits.
pub(super) fn examine(
    mempool: &Mempool,
    chain: &Chain,
    policy: &Policy,
    tx: Transaction,
    after_reorg: bool,
) -> Result<Workspace, TxReject> {
    let mut new = pre_check(mempool, chain, policy, tx, &HashMap::new())?;
    if mempool.usage().saturating_add(new.vsize.saturating_mul(4)) > policy.max_mempool_bytes {
        return Err(TxReject::rule("mempool full"));
    }
    if !after_reorg {
        check_fee(policy, new.modified_fee, new.vsize)?;
        check_replaceable_limits(mempool, policy, &new)?;
    }
    if let Some(sibling) = truc::check_single(mempool, &new)? {
        new.conflicts.insert(sibling);
    }
    if let Some(both) = new.conflicts.intersection(&new.ancestors).next() {
        let detail = format!("{} spends conflicting transaction {both}", new.txid);
        return Err(TxReject::new(
            RejectKind::Rule,
            "bad-txns-spends-conflicting-tx",
            detail,
        ));
    }
    if !new.conflicts.is_empty() {
        new.evicted = check_replacement(mempool, policy, &new)?;
    }
    if policy.require_standard && !after_reorg {
        ephemeral::check_spends(mempool, std::slice::from_ref(&new), policy)
            .map_err(|(_, reject)| reject)?;
    }
    check_scripts(mempool, policy, &new)?;
    Ok(new)
}

/// Checks that need neither the fee rate, nor relatives, nor scripts. `made` has the outputs of
/// transactions before this one in its package.
pub(super) fn pre_check(
    mempool: &Mempool,
    chain: &Chain,
    policy: &Policy,
    tx: Transaction,
    made: &HashMap<OutPoint, Coin>,
) -> Result<Workspace, TxReject> {
    check_transaction(&tx).map_err(TxReject::rule)?;
    if tx.is_coinbase() {
        return Err(TxReject::rule("coinbase"));
    }
    if policy.require_standard {
        check_form(&tx, policy).map_err(TxReject::rule)?;
    }
    // Shorter ones could be mistaken for inner nodes of the merkle tree.
    if tx.base_size() < 65 {
        return Err(TxReject::rule("tx-size-small"));
    }
    let next_height = chain.height().saturating_add(1);
    if !is_final(&tx, next_height, chain.median_time()) {
        return Err(TxReject::rule("non-final"));
    }
    let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
    if let Some(entry) = mempool.get(&txid) {
        return Err(if entry.wtxid == wtxid {
            TxReject::new(RejectKind::AlreadyHere, "txn-already-in-mempool", "")
        } else {
            TxReject::new(
                RejectKind::SameTxid,
                "txn-same-nonwitness-data-in-mempool",
                "",
            )
        });
    }
    let coins = find_coins(mempool, chain, txid, &tx, made)?;
    let heights: Vec<u32> = coins.iter().map(|coin| coin.height).collect();
    let locks = sequence_locks(&tx, &heights, |height| chain.median_time_before(height));
    if !locks.met_at(next_height, chain.median_time()) {
        return Err(TxReject::rule("non-BIP68-final"));
    }
    let fee = check_inputs(&tx, &coins, next_height)
        .map_err(|(reason, detail)| TxReject::new(RejectKind::Rule, reason, detail))?;
    let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
    let sigop_cost = check_spent(&tx, &spent, policy)?;
    let new = workspace(mempool, tx, txid, wtxid, coins, fee, sigop_cost);
    if policy.require_standard {
        ephemeral::check_fee(&new, policy)?;
    }
    Ok(new)
}

/// Checks on the form of what is spent; the signature operation cost.
fn check_spent(tx: &Transaction, spent: &[TxOut], policy: &Policy) -> Result<u64, TxReject> {
    if policy.require_standard {
        if !inputs_are_standard(tx, spent) {
            return Err(TxReject::rule("bad-txns-nonstandard-inputs"));
        }
        if !witnesses_are_standard(tx, spent) {
            return Err(TxReject::rule("bad-witness-nonstandard"));
        }
    }
    let sigop_cost = sigop_cost(tx, spent);
    if sigop_cost > MAX_SIGOP_COST {
        let detail = sigop_cost.to_string();
        return Err(TxReject::new(
            RejectKind::Rule,
            "bad-txns-too-many-sigops",
            detail,
        ));
    }
    Ok(sigop_cost)
}

fn workspace(
    mempool: &Mempool,
    tx: Transaction,
    txid: Txid,
    wtxid: Wtxid,
    coins: Vec<Coin>,
    fee: Amount,
    sigop_cost: u64,
) -> Workspace {
    let weight = tx.weight().to_wu();
    let parents = mempool.parents_of(&tx);
    let conflicts = tx
        .input
        .iter()
        .filter_map(|input| mempool.spender(&input.previous_output))
        .collect();
    Workspace {
        txid,
        wtxid,
        coins,
        fee,
        modified_fee: fee
            .to_sat()
            .cast_signed()
            .saturating_add(mempool.delta(&txid)),
        vsize: weight
            .max(sigop_cost.saturating_mul(BYTES_PER_SIGOP))
            .div_ceil(4),
        weight,
        sigop_cost,
        ancestors: mempool.ancestors_of(parents.iter().copied()),
        parents,
        conflicts,
        evicted: BTreeSet::new(),
        tx: Arc::new(tx),
    }
}

/// The coins `tx` spends, from its package, the chain or the mempool.
fn find_coins(
    mempool: &Mempool,
    chain: &Chain,
    txid: Txid,
    tx: &Transaction,
    made: &HashMap<OutPoint, Coin>,
) -> Result<Vec<Coin>, TxReject> {
    tx.input
        .iter()
        .map(|input| {
            let outpoint = &input.previous_output;
            let coin = made
                .get(outpoint)
                .cloned()
                .or_else(|| mempool.coin(chain, outpoint));
            coin.ok_or_else(|| {
                if outpoints(txid, tx).any(|outpoint| chain.coin(&outpoint).is_some()) {
                    return TxReject::rule("txn-already-known");
                }
                TxReject::new(
                    RejectKind::MissingInputs,
                    "bad-txns-inputs-missingorspent",
                    "",
                )
            })
        })
        .collect()
}

/// The lowest fee that is relayed.
pub(super) fn check_fee(policy: &Policy, modified_fee: i64, vsize: u64) -> Result<(), TxReject> {
    let needed = policy.min_relay.fee(vsize).to_sat().cast_signed();
    if modified_fee < needed {
        let detail = format!("{modified_fee} < {needed}");
        return Err(TxReject::new(
            RejectKind::Fee,
            "min relay fee not met",
            detail,
        ));
    }
    Ok(())
}

/// Ancestor and descendant limits, with the carve-out that lets one small child of each side
/// of a contract through. What a single replaced transaction frees counts as room.
pub(super) fn check_replaceable_limits(
    mempool: &Mempool,
    policy: &Policy,
    new: &Workspace,
) -> Result<(), TxReject> {
    let mut limits = policy.clone();
    if let (1, Some(entry)) = (
        new.conflicts.len(),
        new.conflicts.first().and_then(|txid| mempool.get(txid)),
    ) {
        limits.descendant_count = limits.descendant_count.saturating_add(1);
        limits.descendant_vbytes = limits.descendant_vbytes.saturating_add(entry.vsize);
    }
    let Some(message) = exceeded_limit(mempool, &limits, new) else {
        return Ok(());
    };
    let relaxed = Policy {
        ancestor_count: 2,
        descendant_count: limits.descendant_count.saturating_add(1),
        descendant_vbytes: limits.descendant_vbytes.saturating_add(CARVE_OUT_VBYTES),
        ..limits
    };
    let fits_carve_out = new.vsize <= CARVE_OUT_VBYTES && new.tx.version.0 != 3;
    if fits_carve_out && exceeded_limit(mempool, &relaxed, new).is_none() {
        return Ok(());
    }
    Err(TxReject::new(
        RejectKind::Rule,
        "too-long-mempool-chain",
        message,
    ))
}

fn exceeded_limit(mempool: &Mempool, policy: &Policy, new: &Workspace) -> Option<String> {
    for txid in &new.ancestors {
        let after = mempool.totals(&mempool.with_descendants([*txid]));
        if after.vsize.saturating_add(new.vsize) > policy.descendant_vbytes {
            return Some(format!(
                "exceeds descendant size limit for tx {txid} [limit: {}]",
                policy.descendant_vbytes
            ));
        }
        if after.count.saturating_add(1) > policy.descendant_count {
            return Some(format!(
                "too many descendants for tx {txid} [limit: {}]",
                policy.descendant_count
            ));
        }
    }
    let before = mempool.totals(&new.ancestors);
    if before.vsize.saturating_add(new.vsize) > policy.ancestor_vbytes {
        return Some(format!(
            "exceeds ancestor size limit [limit: {}]",
            policy.ancestor_vbytes
        ));
    }
    if before.count.saturating_add(1) > policy.ancestor_count {
        return Some(format!(
            "too many unconfirmed ancestors [limit: {}]",
            policy.ancestor_count
        ));
    }
    None
}

/// Scripts by consensus and, unless switched off, by standard rules; skipped if they were verified
/// before.
pub(super) fn check_scripts(
    mempool: &Mempool,
    policy: &Policy,
    new: &Workspace,
) -> Result<(), TxReject> {
    if mempool.verified.contains(&new.wtxid) {
        return Ok(());
    }
    let spent: Vec<TxOut> = new.coins.iter().map(|coin| coin.output.clone()).collect();
    let standard = verify_standard(&new.tx, &spent);
    let consensus = verify_inputs(&new.tx, &spent);
    let (flag, index, why) = match (consensus, standard) {
        (Ok(()), Ok(())) => return Ok(()),
        (Ok(()), Err(_)) if !policy.require_standard => return Ok(()),
        (Ok(()), Err((index, why))) => ("non-mandatory-script-verify-flag", index, why),
        (Err(_), Err((index, why))) => ("mandatory-script-verify-flag-failed", index, why),
        // Nothing our own machine allows may be forbidden by consensus; if so, consensus is right.
        (Err(index), Ok(())) => (
            "mandatory-script-verify-flag-failed",
            index,
            ScriptError::EvalFalse,
        ),
    };
    let outpoint = new.tx.input.get(index).map(|input| input.previous_output);
    let detail = format!(
        "input {index} of {} (wtxid {}), spending {}",
        new.txid,
        new.wtxid,
        outpoint.unwrap_or_default()
    );
    Err(TxReject::new(
        RejectKind::Rule,
        format!("{flag} ({why})"),
        detail,
    ))
}

/// Adds an examined transaction and evicts what it replaces.
pub(super) fn finish(mempool: &mut Mempool, chain: &Chain, new: Workspace, now: u64) -> Accepted {
    let removed = mempool.remove_with_descendants(new.evicted.iter().copied());
    // A parent that came in with the same package was not there when this one was examined.
    let parents = mempool.parents_of(&new.tx);
    let accepted = Accepted {
        fee: new.fee,
        vsize: new.vsize,
        replaced: removed.into_iter().map(|entry| entry.tx).collect(),
    };
    mempool.insert(Entry {
        tx: new.tx,
        txid: new.txid,
        wtxid: new.wtxid,
        coins: new.coins,
        fee: new.fee,
        vsize: new.vsize,
        weight: new.weight,
        sigop_cost: new.sigop_cost,
        time: now,
        height: chain.height(),
        sequence: 0,
        parents,
        children: BTreeSet::new(),
    });
    accepted
}
