//! Ephemeral dust: a dust output is relayed if its transaction pays no fee and a child in the same
//! package spends it.

use super::Mempool;
use super::accept::Workspace;
use super::reject::{RejectKind, TxReject};
use crate::policy::Policy;
use crate::policy::dust::is_dust;
use bitcoin::{Transaction, Txid};
use std::collections::BTreeSet;

/// Positions of the outputs below the dust threshold.
fn dust_positions(tx: &Transaction, policy: &Policy) -> BTreeSet<u32> {
    let numbered = (0..).zip(&tx.output);
    numbered
        .filter(|(_, out)| is_dust(out, policy.dust_relay))
        .map(|(vout, _)| vout)
        .collect()
}

/// A transaction with dust must pay nothing, so that nobody mines it without the child.
pub(super) fn check_fee(new: &Workspace, policy: &Policy) -> Result<(), TxReject> {
    let pays = new.fee.to_sat() != 0 || new.modified_fee != 0;
    if pays && !dust_positions(&new.tx, policy).is_empty() {
        return Err(TxReject::new(
            RejectKind::Rule,
            "dust",
            "tx with dust output must be 0-fee",
        ));
    }
    Ok(())
}

/// Every transaction must spend all dust of each of its unconfirmed parents, whether those are in
/// the mempool or before it in the package. `Err` has the position of the one that does not.
pub(super) fn check_spends(
    mempool: &Mempool,
    package: &[Workspace],
    policy: &Policy,
) -> Result<(), (usize, TxReject)> {
    for (index, new) in package.iter().enumerate() {
        let spent: BTreeSet<(Txid, u32)> = new
            .tx
            .input
            .iter()
            .map(|input| (input.previous_output.txid, input.previous_output.vout))
            .collect();
        let parents: BTreeSet<Txid> = spent.iter().map(|(txid, _)| *txid).collect();
        for parent in parents {
            let in_package = package
                .iter()
                .take(index)
                .find(|other| other.txid == parent);
            let tx = in_package
                .map(|other| other.tx.as_ref())
                .or_else(|| mempool.get(&parent).map(|entry| entry.tx.as_ref()));
            let Some(tx) = tx else { continue };
            let swept = dust_positions(tx, policy)
                .iter()
                .all(|vout| spent.contains(&(parent, *vout)));
            if !swept {
                let detail = format!(
                    "tx {} (wtxid={}) did not spend parent's ephemeral dust",
                    new.txid, new.wtxid
                );
                return Err((
                    index,
                    TxReject::new(RejectKind::Rule, "missing-ephemeral-spends", detail),
                ));
            }
        }
    }
    Ok(())
}
