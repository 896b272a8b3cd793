//! Weights, fees and which HTLCs are too small for an output.

use ln_types::{Feerate, Msat, Sat};

use crate::{CommitmentFormat, HtlcSpec};

/// The value of each anchor.
// BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors): fixed at 330 satoshi.
pub const ANCHOR_VALUE: Sat = Sat::from_sat(330);

/// What each HTLC output adds to the weight of a commitment.
pub const HTLC_OUTPUT_WEIGHT: u64 = 172;

/// The weight of a commitment without HTLCs.
// BOLT 3 §Fee Calculation: 724, or 1124 with anchors.
pub const fn base_commitment_weight(format: CommitmentFormat) -> u64 {
    match format {
        CommitmentFormat::StaticRemotekey => 724,
        CommitmentFormat::Anchors => 1124,
    }
}

/// The weight of a commitment with a number of untrimmed HTLCs.
pub fn commitment_weight(format: CommitmentFormat, untrimmed_htlcs: usize) -> u64 {
    let htlcs = u64::try_from(untrimmed_htlcs).unwrap_or(u64::MAX);
    base_commitment_weight(format).saturating_add(HTLC_OUTPUT_WEIGHT.saturating_mul(htlcs))
}

/// The base fee of a commitment, which its opener pays.
// BOLT 3 §Fee Calculation: the feerate times the expected weight, rounded down.
pub fn commitment_fee(format: CommitmentFormat, feerate: Feerate, untrimmed_htlcs: usize) -> Sat {
    feerate.fee(commitment_weight(format, untrimmed_htlcs))
}

/// What the two anchors cost the opener.
pub const fn anchors_cost(format: CommitmentFormat) -> Sat {
    match format {
        CommitmentFormat::StaticRemotekey => Sat::ZERO,
        CommitmentFormat::Anchors => Sat::from_sat(660),
    }
}

/// All that the opener pays for a commitment: its base fee and both anchors.
pub fn opener_cost(format: CommitmentFormat, feerate: Feerate, untrimmed_htlcs: usize) -> Sat {
    commitment_fee(format, feerate, untrimmed_htlcs).saturating_add(anchors_cost(format))
}

/// The expected weight of the HTLC transaction of an HTLC the holder offered (timeout) or received (success).
pub const fn htlc_weight(format: CommitmentFormat, offered_by_holder: bool) -> u64 {
    match (format, offered_by_holder) {
        (CommitmentFormat::StaticRemotekey, true) => 663,
        (CommitmentFormat::StaticRemotekey, false) => 703,
        (CommitmentFormat::Anchors, true) => 666,
        (CommitmentFormat::Anchors, false) => 706,
    }
}

/// The fee of an HTLC transaction.
// BOLT 3 §Fee Calculation: none with anchors, for the one who broadcasts adds inputs.
pub fn htlc_fee(format: CommitmentFormat, feerate: Feerate, offered_by_holder: bool) -> Sat {
    match format {
        CommitmentFormat::StaticRemotekey => feerate.fee(htlc_weight(format, offered_by_holder)),
        CommitmentFormat::Anchors => Sat::ZERO,
    }
}

/// The least an HTLC must carry to have an output.
// BOLT 3 §Trimmed Outputs: the dust limit of the commitment's holder plus the fee of the HTLC transaction.
pub fn trim_threshold(
    format: CommitmentFormat,
    feerate: Feerate,
    dust_limit: Sat,
    offered_by_holder: bool,
) -> Sat {
    dust_limit.saturating_add(htlc_fee(format, feerate, offered_by_holder))
}

/// Whether an HTLC is too small to have an output.
pub fn is_trimmed(
    format: CommitmentFormat,
    feerate: Feerate,
    dust_limit: Sat,
    offered_by_holder: bool,
    amount: Msat,
) -> bool {
    amount.to_sat_floor() < trim_threshold(format, feerate, dust_limit, offered_by_holder)
}

/// How many of these HTLCs have an output.
pub fn untrimmed_count(
    format: CommitmentFormat,
    feerate: Feerate,
    dust_limit: Sat,
    htlcs: &[HtlcSpec],
) -> usize {
    htlcs
        .iter()
        .filter(|htlc| {
            !is_trimmed(
                format,
                feerate,
                dust_limit,
                htlc.offered_by_holder,
                htlc.amount,
            )
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_bolt_3_comes_out() {
        let format = CommitmentFormat::StaticRemotekey;
        let feerate = Feerate::from_perkw(5000);
        let dust = Sat::from_sat(546);
        assert_eq!(htlc_fee(format, feerate, true), Sat::from_sat(3315));
        assert_eq!(htlc_fee(format, feerate, false), Sat::from_sat(3515));
        let trimmed = |offered, sat: u64| {
            is_trimmed(format, feerate, dust, offered, Msat::from_msat(sat * 1000))
        };
        assert!(!trimmed(true, 5000) && trimmed(true, 1000));
        assert!(!trimmed(false, 7000) && trimmed(false, 800));
        assert_eq!(commitment_fee(format, feerate, 2), Sat::from_sat(5340));
    }

    #[test]
    fn an_htlc_is_trimmed_strictly_below_the_threshold() {
        let format = CommitmentFormat::Anchors;
        let trimmed = |msat| {
            is_trimmed(
                format,
                Feerate::from_perkw(5000),
                Sat::from_sat(546),
                true,
                Msat::from_msat(msat),
            )
        };
        assert!(trimmed(545_999));
        assert!(!trimmed(546_000));
    }
}
