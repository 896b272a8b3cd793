//! Comparing what a miner earns from two sets of transactions at every block size: the feerate
//! diagram. Only for clusters of one or two transactions, which is all that replacement of packages
//! allows.

/// Fee in satoshis and size in virtual bytes of something that is mined as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub fee: i64,
    pub vsize: u64,
}

impl Chunk {
    /// Whether this pays more per virtual byte than `other`.
    pub(super) fn pays_more_than(self, other: Self) -> bool {
        i128::from(self.fee) * i128::from(other.vsize)
            > i128::from(other.fee) * i128::from(self.vsize)
    }

    fn with(self, other: Self) -> Self {
        Self {
            fee: self.fee.saturating_add(other.fee),
            vsize: self.vsize.saturating_add(other.vsize),
        }
    }
}

/// A parent and the child that spends it, as they would be mined.
pub(super) fn chunks_of_pair(parent: Chunk, child: Chunk) -> Vec<Chunk> {
    if child.pays_more_than(parent) {
        vec![parent.with(child)]
    } else {
        vec![parent, child]
    }
}

/// Fee earned from the best `vsize` bytes, times `scale`; parts of a chunk count in proportion.
fn earned(sorted: &[Chunk], vsize: u64, scale: i128) -> i128 {
    let (mut left, mut sum) = (vsize, 0_i128);
    for chunk in sorted {
        let used = left.min(chunk.vsize);
        let part = (i128::from(chunk.fee) * scale).saturating_mul(i128::from(used));
        sum = sum.saturating_add(part.checked_div(i128::from(chunk.vsize)).unwrap_or(0));
        left -= used;
    }
    sum
}

/// Whether `new` is nowhere worse than `old`, and somewhere better.
pub(super) fn improves(mut old: Vec<Chunk>, mut new: Vec<Chunk>) -> bool {
    let by_rate = |a: &Chunk, b: &Chunk| match (a.pays_more_than(*b), b.pays_more_than(*a)) {
        (true, _) => std::cmp::Ordering::Less,
        (_, true) => std::cmp::Ordering::Greater,
        _ => std::cmp::Ordering::Equal,
    };
    old.sort_by(by_rate);
    new.sort_by(by_rate);
    // Diagrams are straight between corners, so it is enough to compare there.
    let corners = |chunks: &[Chunk]| {
        chunks
            .iter()
            .scan(0_u64, |sum, chunk| {
                *sum = sum.saturating_add(chunk.vsize);
                Some(*sum)
            })
            .collect::<Vec<_>>()
    };
    // Enough to keep the divisions from rounding away a satoshi.
    let scale = 1_i128 << 40;
    let mut better = false;
    for corner in corners(&old).into_iter().chain(corners(&new)) {
        let (before, after) = (earned(&old, corner, scale), earned(&new, corner, scale));
        let tolerance = scale / 1_000_000;
        if after.saturating_add(tolerance) < before {
            return false;
        }
        better |= after > before.saturating_add(tolerance);
    }
    better
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(fee: i64, vsize: u64) -> Chunk {
        Chunk { fee, vsize }
    }

    #[test]
    fn a_child_that_pays_more_is_mined_with_its_parent() {
        assert_eq!(
            chunks_of_pair(chunk(0, 100), chunk(300, 100)),
            [chunk(300, 200)]
        );
        assert_eq!(chunks_of_pair(chunk(300, 100), chunk(0, 100)).len(), 2);
    }

    #[test]
    fn better_at_one_size_and_worse_at_another_is_no_improvement() {
        assert!(improves(vec![chunk(100, 100)], vec![chunk(200, 100)]));
        assert!(!improves(vec![chunk(200, 100)], vec![chunk(200, 100)]));
        assert!(
            !improves(vec![chunk(200, 100)], vec![chunk(250, 200)]),
            "worse at first"
        );
        assert!(improves(vec![chunk(100, 100)], vec![chunk(300, 200)]));
    }
}
