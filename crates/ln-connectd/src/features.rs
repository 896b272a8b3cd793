//! What a peer's features must fulfil.

use ln_types::{FeatureBit, Features};

/// Pairs of a feature and what it needs.
// BOLT 9 §Requirements: all transitive dependencies of a feature are set too; these are the pairs of the table.
const DEPENDENCIES: [(FeatureBit, FeatureBit); 3] = [
    (FeatureBit::BasicMpp, FeatureBit::PaymentSecret),
    (FeatureBit::Zeroconf, FeatureBit::ScidAlias),
    (FeatureBit::SimpleClose, FeatureBit::ShutdownAnysegwit),
];

/// Why we can't talk to a peer with such features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FeatureProblem {
    /// It requires something we don't have.
    #[error("Unsupported feature {0}")]
    Unsupported(u16),
    /// It offers something without what that needs.
    #[error("Feature {feature} requires feature {needs}")]
    Dependency {
        /// The odd bit of what is offered.
        feature: u16,
        /// The odd bit of what is missing.
        needs: u16,
    },
}

/// Checks a peer's features against ours.
// BOLT 1 §The `init` Message: an unknown even bit or a missing dependency ends the connection.
pub(crate) fn check(ours: &Features, theirs: &Features) -> Result<(), FeatureProblem> {
    if let Some(bit) = theirs.first_unsupported(ours) {
        return Err(FeatureProblem::Unsupported(bit));
    }
    let missing = |(feature, needs): &&(FeatureBit, FeatureBit)| {
        theirs.supports(*feature) && !theirs.supports(*needs)
    };
    match DEPENDENCIES.iter().find(missing) {
        None => Ok(()),
        Some((feature, needs)) => Err(FeatureProblem::Dependency {
            feature: feature.odd(),
            needs: needs.odd(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(ours: &[u16], theirs: &[u16]) -> Option<FeatureProblem> {
        let set = |bits: &[u16]| bits.iter().copied().collect();
        check(&set(ours), &set(theirs)).err()
    }

    #[test]
    fn unknown_odd_bits_are_fine_and_unknown_even_ones_are_not() {
        assert_eq!(problem(&[1], &[0, 101]), None);
        let unsupported = FeatureProblem::Unsupported(100);
        assert_eq!(problem(&[1], &[0, 100]), Some(unsupported));
        assert_eq!(unsupported.to_string(), "Unsupported feature 100");
    }

    #[test]
    fn each_dependency_is_wanted_as_either_bit() {
        assert_eq!(problem(&[], &[17, 15, 51, 47, 61, 27]), None);
        assert_eq!(problem(&[14], &[17, 14]), None);
        for (feature, needs) in [(17, 15), (51, 47), (61, 27)] {
            let expected = FeatureProblem::Dependency { feature, needs };
            assert_eq!(problem(&[], &[feature]), Some(expected));
        }
    }
}
