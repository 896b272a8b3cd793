//! What a transaction that takes an output may cost, and when it is replaced by a dearer one.

use ln_types::{Feerate, Sat};

/// How many blocks a claim without a deadline may take, at first.
const PATIENCE: u32 = 300;
/// By when even a claim without a deadline should be confirmed, counted from the close: two weeks.
const SLOW_SWEEP: u32 = 2016;
/// The least patience of a claim without a deadline.
const LEAST_PATIENCE: u32 = 12;
/// From so many blocks before its deadline a claim's feerate rises with every block, whatever the estimates say.
const URGENT: u32 = 6;
/// From so many blocks before the deadline nearly all of the output may go into fees: else it is lost altogether.
const DESPERATE: u32 = 3;

/// The facts by which a claim's feerate is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stakes {
    /// The output's value.
    pub(super) value: Sat,
    /// What the transaction weighs.
    pub(super) weight: u64,
    /// How many blocks are left until somebody else may take the output; none without hurry.
    pub(super) blocks_left: Option<u32>,
    /// Whether the network refused the last transaction for its fee.
    pub(super) too_cheap: bool,
}

/// Within how many blocks a claim should be confirmed. `depth` is that of the close.
pub(super) fn target_blocks(blocks_left: Option<u32>, depth: u32) -> u32 {
    blocks_left.unwrap_or_else(|| {
        SLOW_SWEEP
            .saturating_sub(depth)
            .clamp(LEAST_PATIENCE, PATIENCE)
    })
}

/// The feerate for a claim whose estimate is `estimate` and whose last transaction, if one was sent, paid `last`.
///
/// It never falls. Near the deadline, and when it was too low, it rises by a quarter each time, up to what the output is worth.
pub(super) fn choose(
    estimate: Feerate,
    floor: Feerate,
    last: Option<Feerate>,
    stakes: Stakes,
) -> Feerate {
    let mut wanted = estimate.max(floor).max(last.unwrap_or_default());
    let urgent = stakes.blocks_left.is_some_and(|left| left <= URGENT);
    if let (true, Some(last)) = (urgent || stakes.too_cheap, last) {
        let last = last.as_perkw();
        wanted = wanted.max(Feerate::from_perkw(last.saturating_add(last / 4)));
    }
    let most = affordable(budget(stakes), stakes.weight).max(floor);
    wanted.min(most).max(last.unwrap_or_default())
}

/// How much of an output may go into fees.
fn budget(stakes: Stakes) -> Sat {
    let value = stakes.value.as_sat();
    let desperate = stakes.blocks_left.is_some_and(|left| left <= DESPERATE);
    Sat::from_sat(if desperate { value / 10 * 9 } else { value / 2 })
}

/// The greatest feerate at which `weight` costs no more than `fee`.
pub(super) fn affordable(fee: Sat, weight: u64) -> Feerate {
    let perkw = fee
        .as_sat()
        .saturating_mul(1000)
        .checked_div(weight)
        .unwrap_or(0);
    Feerate::from_perkw(u32::try_from(perkw).unwrap_or(u32::MAX))
}

/// Whether the network takes a transaction with fee `new` in place of one with fee `old`.
// BIP 125 rule 4: it pays for its own relaying on top.
pub(super) fn may_replace(old: Sat, new: Sat, weight: u64) -> bool {
    new >= old.saturating_add(Feerate::FLOOR.fee(weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Feerate = Feerate::FLOOR;

    fn rate(perkw: u32) -> Feerate {
        Feerate::from_perkw(perkw)
    }

    fn stakes(value: u64, blocks_left: Option<u32>) -> Stakes {
        Stakes {
            value: Sat::from_sat(value),
            weight: 1000,
            blocks_left,
            too_cheap: false,
        }
    }

    #[test]
    fn without_hurry_the_estimate_counts_and_never_falls() {
        let calm = stakes(100_000, None);
        assert_eq!(choose(rate(1000), FLOOR, None, calm), rate(1000));
        assert_eq!(
            choose(rate(1000), FLOOR, Some(rate(2000)), calm),
            rate(2000)
        );
        assert_eq!(choose(rate(100), FLOOR, None, calm), FLOOR);
    }

    #[test]
    fn near_the_deadline_it_rises_whatever_the_estimates_say() {
        let soon = stakes(100_000, Some(5));
        assert_eq!(
            choose(rate(1000), FLOOR, Some(rate(2000)), soon),
            rate(2500)
        );
        let later = stakes(100_000, Some(50));
        assert_eq!(
            choose(rate(1000), FLOOR, Some(rate(2000)), later),
            rate(2000)
        );
    }

    #[test]
    fn no_more_is_spent_than_the_output_is_worth_unless_that_is_less_than_the_floor() {
        assert_eq!(
            choose(rate(90_000), FLOOR, None, stakes(100_000, Some(50))),
            rate(50_000)
        );
        assert_eq!(
            choose(rate(99_000), FLOOR, None, stakes(100_000, Some(2))),
            rate(90_000)
        );
        assert_eq!(
            choose(rate(99_000), FLOOR, None, stakes(400, Some(2))),
            rate(360)
        );
        assert_eq!(
            choose(rate(99_000), FLOOR, None, stakes(100, Some(2))),
            FLOOR
        );
    }

    #[test]
    fn patience_ends_two_weeks_after_the_close() {
        assert_eq!(target_blocks(None, 1), 300);
        assert_eq!(target_blocks(None, 2000), 16);
        assert_eq!(target_blocks(None, 5000), 12);
        assert_eq!(target_blocks(Some(3), 1), 3);
    }
}
