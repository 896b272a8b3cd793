//! Whether a part may be sent, seeing what was done for its payment before.

use ln_db::{PaymentRow, PaymentStatus};
use ln_types::{Msat, NodeId, PaymentHash};

use super::claims::PartFacts;

/// Why a part must not be sent: what was done for its payment before forbids it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Conflict {
    /// The same part is there with another amount.
    #[error("Already {} with amount {old} (not {new})", word(*complete))]
    Amount {
        complete: bool,
        old: Msat,
        new: Msat,
    },
    /// The same part is there, and goes to somebody else.
    #[error("Already {} to {destination}", word(*complete))]
    Destination { complete: bool, destination: NodeId },
    /// Another attempt is not over.
    #[error(
        "Payment with groupid={groupid} still in progress, cannot retry before that completes."
    )]
    OtherGroup { groupid: u64 },
    /// A payment is sent whole or in parts, not both.
    #[error("Already have {} payment in progress", if *parallel { "parallel" } else { "non-parallel" })]
    Mixed { parallel: bool },
    /// Every part's onion tells the same total.
    #[error("msatoshi was previously {old}, now {new}")]
    Total { old: Msat, new: Msat },
    /// This part of this attempt is over.
    #[error(
        "There already is a payment with payment_hash={hash}, groupid={groupid}, partid={partid}. \
         Either change the partid, or wait for the payment to complete and start a new group."
    )]
    Used {
        hash: PaymentHash,
        groupid: u64,
        partid: u64,
    },
    /// The proof of payment is there already.
    #[error("Already succeeded other parts")]
    OtherPartsSucceeded,
    /// The parts on their way are the whole.
    #[error("Already have {pending} of {total} payments in progress")]
    Enough { pending: Msat, total: Msat },
}

fn word(complete: bool) -> &'static str {
    if complete { "succeeded" } else { "pending" }
}

impl Conflict {
    fn same_part(old: &PartFacts, new: &PartFacts, complete: bool) -> Result<(), Self> {
        if old.amount != new.amount {
            return Err(Self::Amount {
                complete,
                old: old.amount,
                new: new.amount,
            });
        }
        match (old.destination, new.destination) {
            (Some(old), Some(new)) if old != new => Err(Self::Destination {
                complete,
                destination: old,
            }),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Whether `old`, which is under way and another part, lets `new` be sent.
    fn beside(old: &PartFacts, new: &PartFacts) -> Result<(), Self> {
        if old.groupid != new.groupid {
            return Err(Self::OtherGroup {
                groupid: old.groupid,
            });
        }
        if (old.partid == 0) != (new.partid == 0) {
            return Err(Self::Mixed {
                parallel: old.partid != 0,
            });
        }
        if old.partid != new.partid && old.total != new.total {
            return Err(Self::Total {
                old: old.total,
                new: new.total,
            });
        }
        Ok(())
    }
}

fn facts(row: &PaymentRow) -> PartFacts {
    PartFacts {
        partid: row.partid,
        groupid: row.groupid,
        amount: row.amount.unwrap_or(Msat::ZERO),
        total: row.total.unwrap_or(Msat::ZERO),
        destination: row.destination,
    }
}

/// Checks a new part against what is kept of its payment and against what is just being sent. Returns the same part if it is pending or
/// complete: asking for it again is harmless.
pub(super) fn check<'a>(
    rows: &'a [PaymentRow],
    starting: &[PartFacts],
    hash: PaymentHash,
    new: &PartFacts,
) -> Result<Option<&'a PaymentRow>, Conflict> {
    let mut rows: Vec<&PaymentRow> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| row.created_index);
    let mut any_complete = false;
    let mut pending = Msat::ZERO;
    for row in rows.iter().copied() {
        let old = facts(row);
        match row.status {
            PaymentStatus::Complete if old.partid == new.partid => {
                return Conflict::same_part(&old, new, true).map(|()| Some(row));
            }
            PaymentStatus::Complete => any_complete = true,
            PaymentStatus::Pending => {
                Conflict::beside(&old, new)?;
                if old.partid == new.partid {
                    return Conflict::same_part(&old, new, false).map(|()| Some(row));
                }
                pending = pending.saturating_add(old.amount);
            }
            PaymentStatus::Failed => {}
        }
        if (old.partid, old.groupid) == (new.partid, new.groupid) {
            return Err(Conflict::Used {
                hash,
                groupid: new.groupid,
                partid: new.partid,
            });
        }
    }
    for old in starting {
        // One that is durable by now was counted above, or is over.
        let kept = |row: &&PaymentRow| (row.partid, row.groupid) == (old.partid, old.groupid);
        if !rows.iter().any(kept) {
            Conflict::beside(old, new)?;
            pending = pending.saturating_add(old.amount);
        }
    }
    if any_complete {
        return Err(Conflict::OtherPartsSucceeded);
    }
    // BOLT 4 §Basic Multi-Part Payments: no HTLC more once the parts on their way bring the total.
    if new.total > Msat::ZERO && pending >= new.total {
        return Err(Conflict::Enough {
            pending,
            total: new.total,
        });
    }
    Ok(None)
}
