//! Packages: transactions that are judged together, so that a child can pay for its parents.

use super::accept::{
    Accepted, Workspace, check_fee, check_replaceable_limits, check_scripts, examine, finish,
    pre_check,
};
use super::diagram::{Chunk, chunks_of_pair, improves};
use super::reject::{RejectKind, TxReject};
use super::replace::pays_for_itself;
use super::{Mempool, ephemeral, truc};
use crate::chain::{Chain, Coin};
use crate::policy::{FeePerKvb, Policy};
use bitcoin::{Amount, OutPoint, Transaction, Txid, Wtxid};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Most transactions in a package.
pub const MAX_PACKAGE_COUNT: usize = 25;
/// Largest weight of a package.
const MAX_PACKAGE_WEIGHT: u64 = 404_000;

/// What became of one transaction of a package.
#[derive(Debug, Clone)]
pub enum MemberResult {
    /// It was taken, with the rate of those it was judged with and their ids.
    Accepted(Accepted, FeePerKvb, Vec<Wtxid>),
    /// It was there before: size and fee.
    AlreadyHere(u64, Amount),
    /// One with the same id but another witness was there before.
    OtherWitness(Wtxid),
    /// It was refused.
    Refused(TxReject),
    /// It was not looked at.
    NotValidated,
}

/// What became of a package.
#[derive(Debug, Clone)]
pub struct PackageResult {
    /// `success`, or why the package as a whole failed.
    pub message: String,
    /// One result per transaction, in order.
    pub members: Vec<MemberResult>,
    /// Transactions that were replaced.
    pub replaced: Vec<Arc<Transaction>>,
}

/// Rules for the package itself. `Err` is Core's reject reason.
pub fn check_form(package: &[Transaction]) -> Result<(), &'static str> {
    if package.len() > MAX_PACKAGE_COUNT {
        return Err("package-too-many-transactions");
    }
    let weight: u64 = package.iter().map(|tx| tx.weight().to_wu()).sum();
    if package.len() > 1 && weight > MAX_PACKAGE_WEIGHT {
        return Err("package-too-large");
    }
    let txids: Vec<Txid> = package.iter().map(Transaction::compute_txid).collect();
    let distinct: HashSet<&Txid> = txids.iter().collect();
    if distinct.len() != txids.len() {
        return Err("package-contains-duplicates");
    }
    let mut later: HashSet<Txid> = txids.iter().copied().collect();
    for (tx, txid) in package.iter().zip(&txids) {
        if tx
            .input
            .iter()
            .any(|input| later.contains(&input.previous_output.txid))
        {
            return Err("package-not-sorted");
        }
        later.remove(txid);
    }
    let mut spent = HashSet::new();
    let mut inputs = package.iter().flat_map(|tx| &tx.input);
    if !inputs.all(|input| spent.insert(input.previous_output)) {
        return Err("conflict-in-package");
    }
    Ok(())
}

/// Whether a package is one child, last, and parents of it that do not spend each other.
pub fn is_child_with_parents_tree(package: &[Transaction]) -> bool {
    let Some((child, parents)) = package.split_last() else {
        return false;
    };
    let ids: HashSet<Txid> = parents.iter().map(Transaction::compute_txid).collect();
    let spent: HashSet<Txid> = child
        .input
        .iter()
        .map(|input| input.previous_output.txid)
        .collect();
    ids.iter().all(|txid| spent.contains(txid))
        && parents
            .iter()
            .flat_map(|tx| &tx.input)
            .all(|input| !ids.contains(&input.previous_output.txid))
}

/// Offers a package: each transaction alone first, then those together that need each other's fees.
/// `max_rate` is the highest fee rate the sender allows for any of them.
pub fn submit_package(
    mempool: &mut Mempool,
    chain: &Chain,
    policy: &Policy,
    package: &[Transaction],
    max_rate: Option<FeePerKvb>,
    now: u64,
) -> PackageResult {
    let mut members = vec![MemberResult::NotValidated; package.len()];
    if let Err(reason) = check_form(package) {
        return PackageResult {
            message: reason.to_owned(),
            members,
            replaced: Vec::new(),
        };
    }
    let mut replaced = Vec::new();
    let mut waiting: Vec<usize> = Vec::new();
    let mut failed = false;
    for (index, tx) in package.iter().enumerate() {
        let result = submit_alone(mempool, chain, policy, tx, max_rate, now);
        if let MemberResult::Accepted(accepted, ..) = &result {
            replaced.extend(accepted.replaced.iter().cloned());
        }
        if let MemberResult::Refused(reject) = &result {
            if matches!(reject.kind, RejectKind::Fee | RejectKind::MissingInputs) {
                waiting.push(index);
            } else {
                failed = true;
            }
        }
        set(&mut members, index, result);
        if failed {
            break;
        }
    }
    if failed || (waiting.len() == 1 && package.len() == 1) {
        let message = "transaction failed".to_owned();
        return PackageResult {
            message,
            members,
            replaced,
        };
    }
    if waiting.is_empty() {
        return PackageResult {
            message: "success".to_owned(),
            members,
            replaced,
        };
    }
    let txs: Vec<Transaction> = waiting
        .iter()
        .filter_map(|index| package.get(*index))
        .cloned()
        .collect();
    let together = submit_together(mempool, chain, policy, &txs, max_rate, now);
    for (index, result) in waiting.into_iter().zip(together.members) {
        // Where judging together says nothing new, what was found alone stands.
        if !matches!(result, MemberResult::NotValidated) {
            set(&mut members, index, result);
        }
    }
    replaced.extend(together.replaced);
    PackageResult {
        message: together.message,
        members,
        replaced,
    }
}

fn set(members: &mut [MemberResult], index: usize, result: MemberResult) {
    if let Some(place) = members.get_mut(index) {
        *place = result;
    }
}

fn submit_alone(
    mempool: &mut Mempool,
    chain: &Chain,
    policy: &Policy,
    tx: &Transaction,
    max_rate: Option<FeePerKvb>,
    now: u64,
) -> MemberResult {
    let (txid, wtxid) = (tx.compute_txid(), tx.compute_wtxid());
    if let Some(entry) = mempool.get(&txid) {
        if entry.wtxid == wtxid {
            return MemberResult::AlreadyHere(entry.vsize, entry.fee);
        }
        return MemberResult::OtherWitness(entry.wtxid);
    }
    match examine(mempool, chain, policy, tx.clone(), false) {
        Ok(workspace) => {
            let rate = rate_of(workspace.modified_fee, workspace.vsize);
            if max_rate.is_some_and(|max| rate > max) {
                return MemberResult::Refused(TxReject::rule("max feerate exceeded"));
            }
            let accepted = finish(mempool, chain, workspace, now);
            MemberResult::Accepted(accepted, rate, vec![wtxid])
        }
        Err(reject) => MemberResult::Refused(reject),
    }
}

fn fees_of(package: &[Workspace]) -> i64 {
    package
        .iter()
        .map(|each| each.modified_fee)
        .fold(0, i64::saturating_add)
}

fn rate_of(fee: i64, vsize: u64) -> FeePerKvb {
    FeePerKvb::from_fee(Amount::from_sat(u64::try_from(fee).unwrap_or(0)), vsize)
}

/// Why transactions judged together were refused: message, and the one to blame if it is one.
struct Refusal {
    message: String,
    blamed: Option<(usize, TxReject)>,
}

impl Refusal {
    fn of_package(reject: &TxReject) -> Self {
        Self {
            message: reject.to_string(),
            blamed: None,
        }
    }

    fn of_member(index: usize, reject: TxReject) -> Self {
        Self {
            message: "transaction failed".to_owned(),
            blamed: Some((index, reject)),
        }
    }
}

fn submit_together(
    mempool: &mut Mempool,
    chain: &Chain,
    policy: &Policy,
    txs: &[Transaction],
    max_rate: Option<FeePerKvb>,
    now: u64,
) -> PackageResult {
    let mut members = vec![MemberResult::NotValidated; txs.len()];
    let judged = examine_together(mempool, chain, policy, txs, true).and_then(|package| {
        let rates = package
            .iter()
            .map(|new| rate_of(new.modified_fee, new.vsize));
        match rates
            .enumerate()
            .find(|(_, rate)| max_rate.is_some_and(|max| *rate > max))
        {
            Some((index, _)) => Err(Refusal::of_member(
                index,
                TxReject::rule("max feerate exceeded"),
            )),
            None => Ok(package),
        }
    });
    match judged {
        Err(refusal) => {
            if let Some((index, reject)) = refusal.blamed {
                set(&mut members, index, MemberResult::Refused(reject));
            }
            PackageResult {
                message: refusal.message,
                members,
                replaced: Vec::new(),
            }
        }
        Ok(workspaces) => {
            let fees = fees_of(&workspaces);
            let vsize = workspaces.iter().map(|each| each.vsize).sum();
            let wtxids: Vec<Wtxid> = workspaces.iter().map(|each| each.wtxid).collect();
            let mut replaced = Vec::new();
            for (place, workspace) in members.iter_mut().zip(workspaces) {
                let accepted = finish(mempool, chain, workspace, now);
                replaced.extend(accepted.replaced.iter().cloned());
                *place = MemberResult::Accepted(accepted, rate_of(fees, vsize), wtxids.clone());
            }
            PackageResult {
                message: "success".to_owned(),
                members,
                replaced,
            }
        }
    }
}

/// Judges transactions together without taking them, as `testmempoolaccept` does with several: each
/// must pay for itself. A refusal has a message for all, or a reject for one.
pub fn check_package(
    mempool: &Mempool,
    chain: &Chain,
    policy: &Policy,
    txs: &[Transaction],
) -> PackageResult {
    let mut members = vec![MemberResult::NotValidated; txs.len()];
    if let Err(reason) = check_form(txs) {
        return PackageResult {
            message: reason.to_owned(),
            members,
            replaced: Vec::new(),
        };
    }
    match examine_together(mempool, chain, policy, txs, false) {
        Err(refusal) => {
            if let Some((index, reject)) = refusal.blamed {
                set(&mut members, index, MemberResult::Refused(reject));
            }
            PackageResult {
                message: refusal.message,
                members,
                replaced: Vec::new(),
            }
        }
        Ok(workspaces) => {
            for (place, new) in members.iter_mut().zip(workspaces) {
                let accepted = Accepted {
                    fee: new.fee,
                    vsize: new.vsize,
                    replaced: Vec::new(),
                };
                let rate = rate_of(new.modified_fee, new.vsize);
                *place = MemberResult::Accepted(accepted, rate, vec![new.wtxid]);
            }
            PackageResult {
                message: "success".to_owned(),
                members,
                replaced: Vec::new(),
            }
        }
    }
}

fn examine_together(
    mempool: &Mempool,
    chain: &Chain,
    policy: &Policy,
    txs: &[Transaction],
    share_fees: bool,
) -> Result<Vec<Workspace>, Refusal> {
    let mut made: HashMap<OutPoint, Coin> = HashMap::new();
    let mut package: Vec<Workspace> = Vec::with_capacity(txs.len());
    for (index, tx) in txs.iter().enumerate() {
        let blame = |reject| Refusal::of_member(index, reject);
        let new = pre_check(mempool, chain, policy, tx.clone(), &made).map_err(blame)?;
        if !share_fees {
            check_fee(policy, new.modified_fee, new.vsize).map_err(blame)?;
            if !new.conflicts.is_empty() {
                return Err(blame(TxReject::rule("bip125-replacement-disallowed")));
            }
        }
        if truc::check_single(mempool, &new).map_err(blame)?.is_some() {
            let reason = TxReject::new(
                RejectKind::Rule,
                "TRUC-violation",
                format!("tx {} would exceed descendant count limit", new.txid),
            );
            return Err(blame(reason));
        }
        let height = chain.height().saturating_add(1);
        for (vout, output) in (0..).zip(&new.tx.output) {
            let coin = Coin {
                output: output.clone(),
                height,
                coinbase: false,
            };
            made.insert(
                OutPoint {
                    txid: new.txid,
                    vout,
                },
                coin,
            );
        }
        package.push(new);
    }
    for index in 0..package.len() {
        truc::check_in_package(mempool, &package, index)
            .map_err(|reject| Refusal::of_package(&reject))?;
    }
    if share_fees {
        let fees = fees_of(&package);
        let vsize = package.iter().map(|each| each.vsize).sum();
        check_fee(policy, fees, vsize)
            .map_err(|reject| Refusal::of_member(package.len().saturating_sub(1), reject))?;
    }
    check_package_limits(mempool, policy, &package)
        .map_err(|reject| Refusal::of_package(&reject))?;
    if package.iter().any(|each| !each.conflicts.is_empty()) {
        let evicted = check_package_replacement(mempool, policy, &package)
            .map_err(|reject| Refusal::of_package(&reject))?;
        if let Some(first) = package.first_mut() {
            first.evicted = evicted;
        }
    }
    ephemeral::check_spends(mempool, &package, policy).map_err(|(index, reject)| Refusal {
        message: "unspent-dust".to_owned(),
        blamed: Some((index, reject)),
    })?;
    for (index, new) in package.iter().enumerate() {
        check_scripts(mempool, policy, new).map_err(|reject| Refusal::of_member(index, reject))?;
    }
    Ok(package)
}

/// Ancestor and descendant limits, with every member counted for every other.
fn check_package_limits(
    mempool: &Mempool,
    policy: &Policy,
    package: &[Workspace],
) -> Result<(), TxReject> {
    if package.len() < 2 {
        return match package.first() {
            Some(only) => check_replaceable_limits(mempool, policy, only),
            None => Ok(()),
        };
    }
    let vsize: u64 = package.iter().map(|each| each.vsize).sum();
    let ancestors: BTreeSet<Txid> = package
        .iter()
        .flat_map(|each| each.ancestors.iter().copied())
        .collect();
    let fail = |detail: String| {
        Err(TxReject::new(
            RejectKind::Rule,
            "package-mempool-limits",
            detail,
        ))
    };
    for txid in &ancestors {
        let below = mempool.totals(&mempool.with_descendants([*txid]));
        if below.count + package.len() > policy.descendant_count {
            return fail(format!(
                "possibly too many descendants for tx {txid} [limit: {}]",
                policy.descendant_count
            ));
        }
        if below.vsize + vsize > policy.descendant_vbytes {
            return fail(format!(
                "possibly exceeds descendant size limit for tx {txid} [limit: {}]",
                policy.descendant_vbytes
            ));
        }
    }
    let above = mempool.totals(&ancestors);
    if above.count + package.len() > policy.ancestor_count {
        return fail(format!(
            "possibly too many unconfirmed ancestors [limit: {}]",
            policy.ancestor_count
        ));
    }
    if above.vsize + vsize > policy.ancestor_vbytes {
        return fail(format!(
            "possibly exceeds ancestor size limit [limit: {}]",
            policy.ancestor_vbytes
        ));
    }
    Ok(())
}

/// Replacement by a parent and its child together.
fn check_package_replacement(
    mempool: &Mempool,
    policy: &Policy,
    package: &[Workspace],
) -> Result<BTreeSet<Txid>, TxReject> {
    let fail = |reason: &str, detail: String| TxReject::new(RejectKind::Rule, reason, detail);
    let [parent, child] = package else {
        return Err(fail(
            "package RBF failed: package must be 1-parent-1-child",
            String::new(),
        ));
    };
    if !parent.ancestors.is_empty() || !child.ancestors.is_empty() {
        return Err(fail(
            "package RBF failed: new transaction cannot have mempool ancestors",
            String::new(),
        ));
    }
    let conflicts: BTreeSet<Txid> = parent.conflicts.union(&child.conflicts).copied().collect();
    let evicted = mempool.with_descendants(conflicts.iter().copied());
    if evicted.len() > 100 {
        return Err(fail(
            "package RBF failed: too many potential replacements",
            String::new(),
        ));
    }
    let old_fees = mempool.totals(&evicted).modified_fees;
    let new_fees = parent.modified_fee.saturating_add(child.modified_fee);
    let vsize = parent.vsize.saturating_add(child.vsize);
    pays_for_itself(policy, child.txid, old_fees, new_fees, vsize)
        .map_err(|why| fail("package RBF failed: insufficient anti-DoS fees", why))?;
    let chunk = |each: &Workspace| Chunk {
        fee: each.modified_fee,
        vsize: each.vsize,
    };
    let whole = Chunk {
        fee: new_fees,
        vsize,
    };
    if !whole.pays_more_than(chunk(parent)) {
        return Err(fail(
            "package RBF failed: package feerate is less than or equal to parent feerate",
            String::new(),
        ));
    }
    let old = chunks_of_conflicts(mempool, &evicted).ok_or_else(|| {
        fail(
            "package RBF failed: insufficient feerate",
            "conflicts are not pairs".to_owned(),
        )
    })?;
    if !improves(old, chunks_of_pair(chunk(parent), chunk(child))) {
        return Err(fail(
            "package RBF failed: insufficient feerate: does not improve feerate diagram",
            String::new(),
        ));
    }
    Ok(evicted)
}

/// What would be evicted, as it would be mined. `None` if something in it is related to more than one
/// other transaction.
fn chunks_of_conflicts(mempool: &Mempool, evicted: &BTreeSet<Txid>) -> Option<Vec<Chunk>> {
    let mut chunks = Vec::new();
    for entry in evicted.iter().filter_map(|txid| mempool.get(txid)) {
        if entry.parents.len() + entry.children.len() > 1 {
            return None;
        }
        let chunk = |txid: &Txid| {
            let entry = mempool.get(txid)?;
            Some(Chunk {
                fee: mempool.modified_fee(entry),
                vsize: entry.vsize,
            })
        };
        let own = chunk(&entry.txid)?;
        match entry.children.first() {
            Some(child) => chunks.extend(chunks_of_pair(own, chunk(child)?)),
            // A child whose parent goes too was counted with it.
            None if entry.parents.iter().any(|parent| evicted.contains(parent)) => {}
            None => chunks.push(own),
        }
    }
    Some(chunks)
}
