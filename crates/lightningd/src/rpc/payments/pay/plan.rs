//! Spreading an amount over channels.

use ln_types::Msat;

/// A channel with the payee, and what it can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capacity {
    /// The channel's number.
    pub(super) channel: u64,
    /// The least that it takes.
    pub(super) least: Msat,
    /// The most that it takes now.
    pub(super) most: Msat,
}

/// Why no channels carry an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Shortage {
    /// All together hold too little.
    #[error(
        "our channels with the payee can send {spendable} now (spendable_msat in listpeerchannels), {needed} are needed"
    )]
    Funds { spendable: Msat, needed: Msat },
    /// They hold enough, but the payee wants it in one part.
    #[error(
        "the invoice does not allow several parts, and no single channel with the payee can send {needed} now (the largest: {largest})"
    )]
    OnePart { largest: Msat, needed: Msat },
    /// The amount is less than a channel takes.
    #[error("our channels with the payee take no less than {least}, but {needed} are to be sent")]
    TooSmall { least: Msat, needed: Msat },
}

/// Spreads an amount: over the smallest channel that carries all of it, else over as few channels as possible.
pub(super) fn spread(
    amount: Msat,
    channels: &[Capacity],
    in_parts: bool,
) -> Result<Vec<(u64, Msat)>, Shortage> {
    let carries_all = |capacity: &&Capacity| (capacity.least..=capacity.most).contains(&amount);
    if let Some(one) = channels
        .iter()
        .filter(carries_all)
        .min_by_key(|capacity| capacity.most)
    {
        return Ok(vec![(one.channel, amount)]);
    }
    let spendable: Msat = channels.iter().map(|capacity| capacity.most).sum();
    let largest = channels.iter().map(|capacity| capacity.most).max();
    let largest = largest.unwrap_or(Msat::ZERO);
    if spendable < amount {
        return Err(Shortage::Funds {
            spendable,
            needed: amount,
        });
    }
    let too_small = || Shortage::TooSmall {
        least: channels
            .iter()
            .map(|capacity| capacity.least)
            .min()
            .unwrap_or(Msat::ZERO),
        needed: amount,
    };
    if largest >= amount {
        return Err(too_small());
    }
    if !in_parts {
        return Err(Shortage::OnePart {
            largest,
            needed: amount,
        });
    }
    in_several(amount, channels).ok_or_else(too_small)
}

/// The largest channels first, each to its brim; the last part borrows from the one before if it is too small for its channel.
fn in_several(amount: Msat, channels: &[Capacity]) -> Option<Vec<(u64, Msat)>> {
    let mut sorted = channels.to_vec();
    sorted.sort_unstable_by_key(|capacity| std::cmp::Reverse(capacity.most));
    let mut parts: Vec<(Capacity, Msat)> = Vec::new();
    let mut missing = amount;
    for capacity in sorted {
        let part = missing.min(capacity.most);
        if part == Msat::ZERO {
            break;
        }
        if part < capacity.least {
            let lacking = capacity.least.saturating_sub(part);
            let lender = parts.last_mut().filter(|(lender, lent)| {
                capacity.least <= capacity.most && lent.saturating_sub(lacking) >= lender.least
            });
            let Some((_, lent)) = lender else { continue };
            *lent = lent.saturating_sub(lacking);
            parts.push((capacity, capacity.least));
        } else {
            parts.push((capacity, part));
        }
        missing = missing.saturating_sub(part);
    }
    (missing == Msat::ZERO).then(|| {
        let part = |(capacity, part): (Capacity, Msat)| (capacity.channel, part);
        parts.into_iter().map(part).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn msat(amount: u64) -> Msat {
        Msat::from_msat(amount)
    }

    fn channel(channel: u64, least: u64, most: u64) -> Capacity {
        Capacity {
            channel,
            least: msat(least),
            most: msat(most),
        }
    }

    #[test]
    fn one_channel_is_enough_if_it_can_and_the_smallest_such_is_taken() {
        let channels = [
            channel(1, 1, 10),
            channel(2, 1, 100),
            channel(3, 1, 50),
            channel(4, 45, 45),
        ];
        assert_eq!(spread(msat(40), &channels, true), Ok(vec![(3, msat(40))]));
    }

    #[test]
    fn several_channels_carry_what_one_can_not() {
        let channels = [channel(1, 1, 10), channel(2, 1, 100), channel(3, 1, 50)];
        let parts = vec![(2, msat(100)), (3, msat(20))];
        assert_eq!(spread(msat(120), &channels, true), Ok(parts));
        let refused = spread(msat(120), &channels, false);
        let largest = msat(100);
        let needed = msat(120);
        assert_eq!(refused, Err(Shortage::OnePart { largest, needed }));
    }

    #[test]
    fn the_last_part_is_not_too_small_for_its_channel() {
        let channels = [channel(1, 5, 10), channel(2, 1, 100)];
        let parts = vec![(2, msat(96)), (1, msat(5))];
        assert_eq!(spread(msat(101), &channels, true), Ok(parts));
    }

    #[test]
    fn what_is_missing_is_told() {
        let channels = [channel(1, 5, 10), channel(2, 1, 100)];
        let spendable = msat(110);
        let needed = msat(111);
        assert_eq!(
            spread(needed, &channels, true),
            Err(Shortage::Funds { spendable, needed })
        );
        let least = msat(5);
        let needed = msat(4);
        assert_eq!(
            spread(needed, &channels[..1], true),
            Err(Shortage::TooSmall { least, needed })
        );
    }

    #[test]
    fn parts_always_add_up_within_their_channels() {
        for seed in 0..2000_u64 {
            let most = |n: u64| (seed.wrapping_mul(7919).wrapping_mul(n + 3) >> 3) % 97;
            let channels: Vec<Capacity> = (0..4)
                .map(|n| channel(n, (seed + n) % 11, most(n)))
                .collect();
            let amount = msat(1 + seed % 250);
            let Ok(parts) = spread(amount, &channels, true) else {
                continue;
            };
            assert_eq!(parts.iter().map(|(_, part)| *part).sum::<Msat>(), amount);
            for (number, part) in parts {
                let channel = channels[usize::try_from(number).unwrap()];
                assert!(part >= channel.least && part <= channel.most, "{seed}");
            }
        }
    }
}
