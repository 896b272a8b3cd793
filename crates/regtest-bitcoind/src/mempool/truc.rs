//! TRUC transactions (version 3, BIP 431): at most one unconfirmed parent, at most one unconfirmed
//! child, and the child small.

use super::accept::Workspace;
use super::reject::TxReject;
use super::{Entry, Mempool, RejectKind};
use bitcoin::{Transaction, Txid, Wtxid};

/// Version that marks such a transaction.
const TRUC_VERSION: i32 = 3;
/// Largest size in virtual bytes.
const MAX_VSIZE: u64 = 10_000;
/// Largest size of one that spends an unconfirmed output.
const CHILD_MAX_VSIZE: u64 = 1000;

fn is_truc(tx: &Transaction) -> bool {
    tx.version.0 == TRUC_VERSION
}

fn violation(detail: impl Into<String>) -> TxReject {
    TxReject::new(RejectKind::Rule, "TRUC-violation", detail)
}

fn name(txid: Txid, wtxid: Wtxid) -> String {
    format!("{txid} (wtxid={wtxid})")
}

/// A version 3 transaction has only version 3 parents, and others have none.
fn check_inheritance(
    new: &Workspace,
    parent: &Transaction,
    parent_name: &str,
) -> Result<(), TxReject> {
    let own = name(new.txid, new.wtxid);
    match (is_truc(&new.tx), is_truc(parent)) {
        (false, true) => Err(violation(format!(
            "non-version=3 tx {own} cannot spend from version=3 tx {parent_name}"
        ))),
        (true, false) => Err(violation(format!(
            "version=3 tx {own} cannot spend from non-version=3 tx {parent_name}"
        ))),
        _ => Ok(()),
    }
}

fn check_sizes(new: &Workspace, has_parent: bool) -> Result<(), TxReject> {
    let (vsize, own) = (new.vsize, name(new.txid, new.wtxid));
    if vsize > MAX_VSIZE {
        return Err(violation(format!(
            "version=3 tx {own} is too big: {vsize} > {MAX_VSIZE} virtual bytes"
        )));
    }
    if has_parent && vsize > CHILD_MAX_VSIZE {
        return Err(violation(format!(
            "version=3 child tx {own} is too big: {vsize} > {CHILD_MAX_VSIZE} virtual bytes"
        )));
    }
    Ok(())
}

/// Checks a transaction on its own. `Ok(Some)` is a sibling that must be replaced to make room: its
/// eviction falls under the replacement rules although nothing conflicts.
pub(super) fn check_single(mempool: &Mempool, new: &Workspace) -> Result<Option<Txid>, TxReject> {
    for parent in new.parents.iter().filter_map(|txid| mempool.get(txid)) {
        check_inheritance(new, &parent.tx, &name(parent.txid, parent.wtxid))?;
    }
    if !is_truc(&new.tx) {
        return Ok(None);
    }
    check_sizes(new, false)?;
    let too_many = || {
        violation(format!(
            "tx {} would have too many ancestors",
            name(new.txid, new.wtxid)
        ))
    };
    if new.parents.len() > 1 {
        return Err(too_many());
    }
    let Some(parent) = new.parents.first().and_then(|txid| mempool.get(txid)) else {
        return Ok(None);
    };
    if !parent.parents.is_empty() {
        return Err(too_many());
    }
    check_sizes(new, true)?;
    room_for_child(mempool, new, parent)
}

fn room_for_child(
    mempool: &Mempool,
    new: &Workspace,
    parent: &Entry,
) -> Result<Option<Txid>, TxReject> {
    let mut below = mempool.with_descendants([parent.txid]);
    below.remove(&parent.txid);
    if below.is_empty() || below.iter().any(|txid| new.conflicts.contains(txid)) {
        return Ok(None);
    }
    let sibling = below.first().and_then(|txid| mempool.get(txid));
    match sibling {
        // Exactly one child that spends nothing else unconfirmed can be told apart and replaced.
        Some(only) if below.len() == 1 && only.parents.len() == 1 => Ok(Some(only.txid)),
        _ => Err(full(parent.txid, parent.wtxid)),
    }
}

fn full(txid: Txid, wtxid: Wtxid) -> TxReject {
    violation(format!(
        "tx {} would exceed descendant count limit",
        name(txid, wtxid)
    ))
}

/// Checks the transaction at `index` of a sorted package whose members passed on their own.
pub(super) fn check_in_package(
    mempool: &Mempool,
    package: &[Workspace],
    index: usize,
) -> Result<(), TxReject> {
    let Some(new) = package.get(index) else {
        return Ok(());
    };
    let spends = |tx: &Transaction, txid: Txid| {
        tx.input
            .iter()
            .any(|input| input.previous_output.txid == txid)
    };
    let parents_here: Vec<&Workspace> = package
        .iter()
        .take(index)
        .filter(|other| spends(&new.tx, other.txid))
        .collect();
    if !is_truc(&new.tx) {
        for parent in &parents_here {
            check_inheritance(new, &parent.tx, &name(parent.txid, parent.wtxid))?;
        }
        return Ok(());
    }
    check_sizes(new, false)?;
    let too_many = |of: &Workspace| {
        violation(format!(
            "tx {} would have too many ancestors",
            name(of.txid, of.wtxid)
        ))
    };
    if new.ancestors.len() + parents_here.len() > 1 {
        return Err(too_many(new));
    }
    let in_pool = new.parents.first().and_then(|txid| mempool.get(txid));
    let (parent, parent_txid, parent_wtxid) = match (in_pool, parents_here.first()) {
        (Some(parent), _) => (&parent.tx, parent.txid, parent.wtxid),
        (None, Some(parent)) => (&parent.tx, parent.txid, parent.wtxid),
        (None, None) => return Ok(()),
    };
    check_sizes(new, true)?;
    check_inheritance(new, parent, &name(parent_txid, parent_wtxid))?;
    for other in package.iter().filter(|other| other.txid != new.txid) {
        if spends(&other.tx, parent_txid) {
            return Err(full(parent_txid, parent_wtxid));
        }
        if spends(&other.tx, new.txid) {
            return Err(too_many(other));
        }
    }
    if in_pool.is_some_and(|parent| !parent.children.is_empty()) {
        return Err(full(parent_txid, parent_wtxid));
    }
    Ok(())
}
