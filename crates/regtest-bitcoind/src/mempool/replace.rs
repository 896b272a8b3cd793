//! Replacement by fee: BIP 125's rules as Bitcoin Core 29 applies them (full RBF).

use super::Mempool;
use super::accept::Workspace;
use super::reject::{RejectKind, TxReject};
use crate::chain::check_tx::btc_signed;
use crate::policy::{FeePerKvb, Policy};
use bitcoin::{Amount, Txid};
use std::collections::BTreeSet;

/// Most transactions one replacement may evict.
const MAX_REPLACEMENT_CANDIDATES: usize = 100;

fn refuse(detail: String) -> TxReject {
    TxReject::new(RejectKind::Fee, "insufficient fee", detail)
}

/// All transactions that would leave the mempool for `new`, if the rules allow it.
pub(super) fn check_replacement(
    mempool: &Mempool,
    policy: &Policy,
    new: &Workspace,
) -> Result<BTreeSet<Txid>, TxReject> {
    pays_a_higher_rate(mempool, new)?;
    let evicted = mempool.with_descendants(new.conflicts.iter().copied());
    if evicted.len() > MAX_REPLACEMENT_CANDIDATES {
        let detail = format!(
            "rejecting replacement {}; too many potential replacements ({} > {})\n",
            new.txid,
            evicted.len(),
            MAX_REPLACEMENT_CANDIDATES
        );
        return Err(TxReject::new(
            RejectKind::Rule,
            "too many potential replacements",
            detail,
        ));
    }
    spends_nothing_new_unconfirmed(mempool, new)?;
    let old_fees = mempool.totals(&evicted).modified_fees;
    pays_for_itself(policy, new.txid, old_fees, new.modified_fee, new.vsize).map_err(refuse)?;
    Ok(evicted)
}

/// The new rate must beat that of every transaction directly replaced.
fn pays_a_higher_rate(mempool: &Mempool, new: &Workspace) -> Result<(), TxReject> {
    let rate = |sats: i64, vsize| {
        FeePerKvb::from_fee(Amount::from_sat(u64::try_from(sats).unwrap_or(0)), vsize)
    };
    let new_rate = rate(new.modified_fee, new.vsize);
    for entry in new.conflicts.iter().filter_map(|txid| mempool.get(txid)) {
        let old_rate = rate(mempool.modified_fee(entry), entry.vsize);
        if new_rate <= old_rate {
            return Err(refuse(format!(
                "rejecting replacement {}; new feerate {} <= old feerate {}",
                new.txid,
                btc_per_kvb(new_rate),
                btc_per_kvb(old_rate)
            )));
        }
    }
    Ok(())
}

/// A replacement may not add unconfirmed inputs that what it replaces did not spend from.
fn spends_nothing_new_unconfirmed(mempool: &Mempool, new: &Workspace) -> Result<(), TxReject> {
    let old_parents: BTreeSet<Txid> = new
        .conflicts
        .iter()
        .filter_map(|txid| mempool.get(txid))
        .flat_map(|entry| {
            entry
                .tx
                .input
                .iter()
                .map(|input| input.previous_output.txid)
        })
        .collect();
    for (index, input) in new.tx.input.iter().enumerate() {
        let parent = input.previous_output.txid;
        if !old_parents.contains(&parent) && mempool.get(&parent).is_some() {
            let detail = format!(
                "replacement {} adds unconfirmed input, idx {index}",
                new.txid
            );
            return Err(TxReject::new(
                RejectKind::Rule,
                "replacement-adds-unconfirmed",
                detail,
            ));
        }
    }
    Ok(())
}

/// The replacement pays at least the fees of all it evicts, and its own relay on top.
pub(super) fn pays_for_itself(
    policy: &Policy,
    txid: Txid,
    old_fees: i64,
    new_fees: i64,
    new_vsize: u64,
) -> Result<(), String> {
    if new_fees < old_fees {
        return Err(format!(
            "rejecting replacement {txid}, less fees than conflicting txs; {} < {}",
            btc_signed(new_fees),
            btc_signed(old_fees)
        ));
    }
    let added = new_fees.saturating_sub(old_fees);
    let needed = policy
        .incremental_relay
        .fee(new_vsize)
        .to_sat()
        .cast_signed();
    if added < needed {
        return Err(format!(
            "rejecting replacement {txid}, not enough additional fees to relay; {} < {}",
            btc_signed(added),
            btc_signed(needed)
        ));
    }
    Ok(())
}

/// A rate as Core writes it in messages.
pub(super) fn btc_per_kvb(rate: FeePerKvb) -> String {
    let sats = rate.to_sat_per_kvb();
    format!("{}.{:08} BTC/kvB", sats / 100_000_000, sats % 100_000_000)
}
