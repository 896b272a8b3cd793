//! Which coins to take.

use ln_types::{Feerate, Sat};

/// How many steps the search for a match without change may take.
const MAX_TRIES: u32 = 100_000;

/// A coin to choose from: its place in the caller's list, its value and the weight of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) place: usize,
    pub(crate) value: Sat,
    pub(crate) weight: u64,
}

/// Thousandths of a satoshi, so that fees add up without rounding.
fn milli(value: Sat) -> i128 {
    i128::from(value.as_sat()).saturating_mul(1000)
}

/// What a weight costs, in thousandths of a satoshi.
fn cost(feerate: Feerate, weight: u64) -> i128 {
    i128::from(feerate.as_perkw()).saturating_mul(i128::from(weight))
}

/// What a coin is worth once its own input is paid for, in thousandths of a satoshi.
fn effective(candidate: &Candidate, feerate: Feerate) -> i128 {
    milli(candidate.value).saturating_sub(cost(feerate, candidate.weight))
}

/// Picks coins whose values pay `target`, `start_weight` and their own weight; `None` when all together cannot.
///
/// A set that needs no change (leaves at most `tolerance` over) is preferred, the one with the least left over; else the largest
/// coins are taken, which makes the fewest inputs. Coins not worth their own input are never taken.
pub(crate) fn select(
    candidates: &[Candidate],
    target: Sat,
    start_weight: u64,
    feerate: Feerate,
    tolerance: Sat,
) -> Option<Vec<usize>> {
    let mut pool: Vec<(usize, i128)> = candidates
        .iter()
        .map(|candidate| (candidate.place, effective(candidate, feerate)))
        .filter(|(_, worth)| *worth > 0)
        .collect();
    pool.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let needed = milli(target).saturating_add(cost(feerate, start_weight));
    if needed <= 0 {
        return Some(Vec::new());
    }
    branch_and_bound(&pool, needed, milli(tolerance)).or_else(|| largest_first(&pool, needed))
}

fn largest_first(pool: &[(usize, i128)], needed: i128) -> Option<Vec<usize>> {
    let mut chosen = Vec::new();
    let mut sum = 0_i128;
    for (place, worth) in pool {
        chosen.push(*place);
        sum = sum.saturating_add(*worth);
        if sum >= needed {
            return Some(chosen);
        }
    }
    None
}

/// Depth-first search, largest coins first: take each, then leave it, and give up a branch that is past the limit or can no longer
/// reach the target.
fn branch_and_bound(pool: &[(usize, i128)], needed: i128, tolerance: i128) -> Option<Vec<usize>> {
    let limit = needed.saturating_add(tolerance);
    // What all coins from each place on are worth together.
    let mut remaining: Vec<i128> = pool
        .iter()
        .rev()
        .scan(0_i128, |sum, (_, worth)| {
            *sum = sum.saturating_add(*worth);
            Some(*sum)
        })
        .collect();
    remaining.reverse();
    let mut best: Option<(i128, Vec<usize>)> = None;
    let mut taken: Vec<usize> = Vec::new();
    let mut sum = 0_i128;
    let mut next = 0_usize;
    for _ in 0..MAX_TRIES {
        let rest = remaining.get(next).copied().unwrap_or(0);
        let dead = sum > limit || sum.saturating_add(rest) < needed;
        if !dead && sum >= needed {
            if best.as_ref().is_none_or(|(least, _)| sum < *least) {
                best = Some((sum, taken.clone()));
            }
            if sum == needed {
                break;
            }
        } else if !dead && let Some((_, worth)) = pool.get(next) {
            sum = sum.saturating_add(*worth);
            taken.push(next);
            next = next.saturating_add(1);
            continue;
        }
        // Go back: leave out the last coin taken.
        let Some(last) = taken.pop() else { break };
        let worth = pool.get(last).map_or(0, |(_, worth)| *worth);
        sum = sum.saturating_sub(worth);
        next = last.saturating_add(1);
    }
    best.map(|(_, taken)| {
        taken
            .into_iter()
            .filter_map(|index| pool.get(index).map(|(place, _)| *place))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(values: &[u64], target: u64, tolerance: u64) -> Option<Vec<usize>> {
        let candidates: Vec<Candidate> = values
            .iter()
            .enumerate()
            .map(|(place, value)| Candidate {
                place,
                value: Sat::from_sat(*value),
                weight: 272,
            })
            .collect();
        let feerate = Feerate::from_perkw(1000);
        select(
            &candidates,
            Sat::from_sat(target),
            1000,
            feerate,
            Sat::from_sat(tolerance),
        )
    }

    #[test]
    fn an_exact_match_beats_larger_coins() {
        // 5000 + 7000 less two inputs of 272, less 1000 for the rest.
        assert_eq!(
            pick(&[100_000, 5000, 7000, 9000], 10_456, 300),
            Some(vec![2, 1])
        );
    }

    #[test]
    fn without_a_match_the_largest_coins_are_taken() {
        assert_eq!(
            pick(&[1000, 50_000, 100_000], 120_000, 10),
            Some(vec![2, 1])
        );
        assert_eq!(pick(&[1000, 2000], 120_000, 10), None);
    }

    #[test]
    fn a_coin_that_costs_more_than_it_brings_is_left() {
        assert_eq!(pick(&[272, 200, 10_000], 8000, 0), Some(vec![2]));
        assert_eq!(pick(&[272, 200, 9271], 8000, 0), None);
    }

    #[test]
    fn many_equal_coins_end_in_bounded_time() {
        let values = vec![10_001; 500];
        assert!(pick(&values, 1_000_000, 1).is_some());
    }
}
