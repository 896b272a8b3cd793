//! For how much, and with how much time, we forward.

use ln_db::ChannelRow;
use ln_types::{BlockHeight, CltvDelta, CltvExpiry, Msat};

/// How many blocks the next peer needs at least.
const SOON: u32 = 3;
/// For how many blocks at most we lock up money: two weeks.
const FAR: u32 = 2016;

/// What we ask for forwarding over a channel: what its `channel_update` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    fee_base: Msat,
    /// In millionths.
    fee_ppm: u32,
    htlc_minimum: Msat,
    htlc_maximum: Msat,
    delta: CltvDelta,
}

/// Why an HTLC does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    BelowMinimum,
    AboveMaximum,
    /// It leaves us too little.
    Fee,
    /// It leaves us too few blocks.
    Delta,
    TooSoon,
    TooFar,
}

impl Terms {
    pub(crate) fn of(row: &ChannelRow, delta: CltvDelta) -> Self {
        Self {
            fee_base: row.fee_base,
            fee_ppm: row.fee_ppm,
            htlc_minimum: row.htlc_minimum,
            htlc_maximum: row.htlc_maximum,
            delta,
        }
    }

    /// What forwarding an amount costs.
    // BOLT 7 §HTLC Fees
    fn fee(&self, amount: Msat) -> Msat {
        self.fee_base
            .saturating_add(amount.millionths(self.fee_ppm))
    }

    /// Whether an HTLC with this amount and expiry may go on with those.
    // BOLT 4 §Failure Messages, BOLT 2 §`cltv_expiry_delta` Selection
    pub(super) fn check(
        &self,
        incoming: (Msat, CltvExpiry),
        outgoing: (Msat, CltvExpiry),
        height: BlockHeight,
    ) -> Result<(), Refusal> {
        let (amount, expiry) = outgoing;
        let refusals = [
            (amount < self.htlc_minimum, Refusal::BelowMinimum),
            (amount > self.htlc_maximum, Refusal::AboveMaximum),
            (
                incoming.0 < amount.saturating_add(self.fee(amount)),
                Refusal::Fee,
            ),
            (incoming.1 < expiry.plus(self.delta), Refusal::Delta),
            (expiry.0 <= height.plus(SOON).0, Refusal::TooSoon),
            (expiry.0 > height.plus(FAR).0, Refusal::TooFar),
        ];
        let found = refusals.into_iter().find(|(applies, _)| *applies);
        found.map_or(Ok(()), |(_, refusal)| Err(refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        fee_base: Msat::from_msat(1000),
        fee_ppm: 10,
        htlc_minimum: Msat::from_msat(1),
        htlc_maximum: Msat::from_msat(1_000_000_000),
        delta: CltvDelta(34),
    };

    #[test]
    fn an_htlc_goes_on_for_exactly_what_is_asked_and_for_nothing_less() {
        let check = |(in_msat, in_expiry), (out_msat, out_expiry)| {
            let side = |msat, expiry| (Msat::from_msat(msat), CltvExpiry(expiry));
            let (incoming, outgoing) = (side(in_msat, in_expiry), side(out_msat, out_expiry));
            TERMS.check(incoming, outgoing, BlockHeight(100))
        };
        // The fee is 1000 + 1 msat.
        assert_eq!(check((101_001, 154), (100_000, 120)), Ok(()));
        for (incoming, outgoing, refusal) in [
            ((101_000, 154), (100_000, 120), Refusal::Fee),
            ((101_001, 153), (100_000, 120), Refusal::Delta),
            ((1_000, 154), (0, 120), Refusal::BelowMinimum),
            (
                (3_000_000_000, 154),
                (1_000_000_001, 120),
                Refusal::AboveMaximum,
            ),
            ((101_001, 1000), (100_000, 103), Refusal::TooSoon),
            ((101_001, 3000), (100_000, 2117), Refusal::TooFar),
            ((u64::MAX, u32::MAX), (u64::MAX, 120), Refusal::AboveMaximum),
        ] {
            assert_eq!(check(incoming, outgoing), Err(refusal), "{outgoing:?}");
        }
        assert_eq!(check((101_001, 1000), (100_000, 104)), Ok(()));
        assert_eq!(check((101_001, 3000), (100_000, 2116)), Ok(()));
    }
}
