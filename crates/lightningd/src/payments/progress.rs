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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::sample::row;

    const HASH: PaymentHash = PaymentHash([7; 32]);

    fn with(status: PaymentStatus, partid: u64, groupid: u64) -> PaymentRow {
        PaymentRow {
            status,
            ..row(partid, partid, groupid)
        }
    }

    #[test]
    fn a_payment_begins_again_only_when_nothing_of_it_is_under_way() {
        let failed = [with(PaymentStatus::Failed, 1, 1)];
        let new = facts(&row(0, 1, 2));
        assert_eq!(check(&failed, &[], HASH, &new), Ok(None));
        let pending = [with(PaymentStatus::Pending, 1, 1)];
        let refused = Conflict::OtherGroup { groupid: 1 };
        assert_eq!(check(&pending, &[], HASH, &new), Err(refused.clone()));
        assert_eq!(check(&[], &[facts(&pending[0])], HASH, &new), Err(refused));
        // What was being sent is durable and over by now.
        assert_eq!(check(&failed, &[facts(&failed[0])], HASH, &new), Ok(None));
        let used = check(&failed, &[], HASH, &facts(&failed[0]));
        assert!(matches!(used, Err(Conflict::Used { .. })));
    }

    #[test]
    fn the_same_part_again_is_harmless_and_another_amount_is_refused() {
        for status in [PaymentStatus::Pending, PaymentStatus::Complete] {
            let rows = [with(status, 1, 1)];
            let same = facts(&rows[0]);
            assert_eq!(check(&rows, &[], HASH, &same), Ok(Some(&rows[0])));
            let less = PartFacts {
                amount: Msat::from_msat(99),
                ..same
            };
            let refused = check(&rows, &[], HASH, &less).unwrap_err().to_string();
            let word = word(status == PaymentStatus::Complete);
            assert_eq!(
                refused,
                format!("Already {word} with amount 100msat (not 99msat)")
            );
            let elsewhere = PartFacts {
                destination: row(0, 0, 0).route_nodes.first().copied(),
                ..same
            };
            let refused = check(&rows, &[], HASH, &elsewhere);
            assert!(matches!(refused, Err(Conflict::Destination { .. })));
        }
    }

    #[test]
    fn no_part_is_sent_beyond_the_total() {
        let one = with(PaymentStatus::Pending, 1, 1);
        let new = facts(&row(0, 3, 1));
        let rows = [one.clone()];
        assert_eq!(check(&rows, &[], HASH, &new), Ok(None));
        let two = facts(&row(0, 2, 1));
        let enough = Conflict::Enough {
            pending: Msat::from_msat(200),
            total: Msat::from_msat(200),
        };
        assert_eq!(check(&rows, &[two], HASH, &new), Err(enough));
        let rows = [one, with(PaymentStatus::Complete, 2, 1)];
        let refused = check(&rows, &[], HASH, &new);
        assert_eq!(refused, Err(Conflict::OtherPartsSucceeded));
    }

    #[test]
    fn parts_agree_with_each_other() {
        let rows = [with(PaymentStatus::Pending, 1, 1)];
        let whole = facts(&row(0, 0, 1));
        let mixed = check(&rows, &[], HASH, &whole);
        assert_eq!(mixed, Err(Conflict::Mixed { parallel: true }));
        let other_total = PartFacts {
            total: Msat::from_msat(300),
            ..facts(&row(0, 2, 1))
        };
        let refused = check(&rows, &[], HASH, &other_total);
        assert!(matches!(refused, Err(Conflict::Total { .. })));
    }
}
