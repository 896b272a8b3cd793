//! Parts of a payment gathering until they are the whole.

use std::collections::HashMap;

use ln_types::{HtlcId, Msat, PaymentHash, PaymentSecret};

/// The most parts of one payment: as many as a channel can hold.
const MAX_PARTS: usize = 483;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) channel: u64,
    pub(super) id: HtlcId,
    pub(super) amount: Msat,
}

/// The parts of one payment so far.
#[derive(Debug)]
pub(super) struct HtlcSet {
    secret: PaymentSecret,
    total: Msat,
    parts: Vec<Part>,
    /// Numbers the sets, so that a time-out meant for an earlier one does not hit a later one.
    pub(super) number: u64,
}

/// All payments coming in, by hash.
#[derive(Debug, Default)]
pub(super) struct HtlcSets {
    sets: HashMap<PaymentHash, HtlcSet>,
    next: u64,
}

/// What a new part does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// More is to come: the set's number, and whether it is its first part.
    Waiting(u64, bool),
    /// These parts are the whole payment.
    Complete(Vec<Part>),
    /// It does not go with the parts before it.
    Mismatch,
}

impl HtlcSets {
    /// Adds a part.
    // BOLT 4 §Basic Multi-Part Payments: every part names the same total and secret; the set is complete when the parts reach the total.
    pub(super) fn add(
        &mut self,
        hash: PaymentHash,
        secret: PaymentSecret,
        total: Msat,
        part: Part,
    ) -> Added {
        let number = self.next;
        let set = self.sets.entry(hash).or_insert_with(|| HtlcSet {
            secret,
            total,
            parts: Vec::new(),
            number,
        });
        if set.number == number {
            self.next += 1;
        }
        if set.secret != secret || set.total != total || set.parts.len() >= MAX_PARTS {
            return Added::Mismatch;
        }
        if !set
            .parts
            .iter()
            .any(|known| known.channel == part.channel && known.id == part.id)
        {
            set.parts.push(part);
        }
        let sum: Msat = set.parts.iter().map(|part| part.amount).sum();
        if sum < total {
            return Added::Waiting(set.number, set.parts.len() == 1);
        }
        Added::Complete(
            self.sets
                .remove(&hash)
                .map(|set| set.parts)
                .unwrap_or_default(),
        )
    }

    /// Gives a set up, if it is still the one numbered `number`.
    pub(super) fn time_out(&mut self, hash: PaymentHash, number: u64) -> Vec<Part> {
        match self.sets.get(&hash) {
            Some(set) if set.number == number => self
                .sets
                .remove(&hash)
                .map(|set| set.parts)
                .unwrap_or_default(),
            Some(_) | None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_strangers_are_refused() {
        let mut sets = HtlcSets::default();
        let (hash, secret, total) = (
            PaymentHash([1; 32]),
            PaymentSecret([2; 32]),
            Msat::from_msat(100),
        );
        let part = |id, amount| Part {
            channel: 1,
            id: HtlcId(id),
            amount: Msat::from_msat(amount),
        };
        assert_eq!(
            sets.add(hash, secret, total, part(0, 60)),
            Added::Waiting(0, true)
        );
        assert_eq!(
            sets.add(hash, secret, total, part(0, 60)),
            Added::Waiting(0, true)
        );
        assert_eq!(
            sets.add(hash, PaymentSecret([3; 32]), total, part(1, 60)),
            Added::Mismatch
        );
        assert_eq!(
            sets.add(hash, secret, total, part(1, 50)),
            Added::Complete(vec![part(0, 60), part(1, 50)])
        );
        assert_eq!(
            sets.add(hash, secret, total, part(2, 60)),
            Added::Waiting(1, true)
        );
        assert!(sets.time_out(hash, 0).is_empty());
        assert_eq!(sets.time_out(hash, 1), [part(2, 60)]);
    }
}
