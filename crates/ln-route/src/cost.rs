//! What a way costs beside its fees: money that is locked, and doubt.

use ln_types::Msat;

use crate::edge::Edge;

/// Blocks in a year, times the hundred of a percentage.
const BLOCKS_PER_YEAR_PERCENT: f64 = 5_259_600.0;
/// [`Risk`]'s unit: millionths of millionths.
const UNIT: u128 = 1_000_000_000_000;
/// What a channel of which half may be gone costs, in millisatoshi and in parts of the amount.
const DOUBT_BASE: u64 = 500;
const DOUBT_PART: u64 = 2000;

/// What a block of delay costs: so many millionths of millionths of the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk(u64);

impl Risk {
    /// From Core Lightning's `riskfactor`: percent of the amount for a year of delay.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast to the nearest number there is"
    )]
    pub fn percent_per_year(percent: f64) -> Self {
        Self((percent / BLOCKS_PER_YEAR_PERCENT * 1e12) as u64)
    }

    /// The same, a thousand times as heavy.
    pub(crate) fn heavy(self) -> Self {
        Self(self.0.max(1).saturating_mul(1000))
    }

    fn of(self, amount: Msat, blocks: u16) -> u64 {
        let product = u128::from(amount.as_msat())
            .saturating_mul(u128::from(blocks))
            .saturating_mul(u128::from(self.0));
        u64::try_from(product / UNIT).unwrap_or(u64::MAX)
    }
}

/// How much it speaks against an edge that `amount` takes it, in millisatoshi.
pub(crate) fn cost(edge: &Edge, amount: Msat, risk: Risk) -> u64 {
    let doubt = edge.uncertain.map_or(0, |held| doubt(amount, held));
    let Some(terms) = edge.terms else {
        return doubt;
    };
    let fee = terms.fee(amount).as_msat();
    let risk = risk.of(amount, terms.cltv_expiry_delta.0);
    fee.saturating_add(risk).saturating_add(doubt)
}

/// The more of a channel an amount would take, the less likely it is there.
fn doubt(amount: Msat, held: Msat) -> u64 {
    let amount = amount.as_msat();
    let left = held.as_msat().saturating_sub(amount).saturating_add(1);
    let weight = DOUBT_BASE.saturating_add(amount / DOUBT_PART);
    let product = u128::from(weight).saturating_mul(u128::from(amount));
    let doubt = product.checked_div(u128::from(left));
    doubt
        .and_then(|doubt| u64::try_from(doubt).ok())
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_is_a_percentage_per_year() {
        let bitcoin = Msat::from_msat(100_000_000_000);
        assert_eq!(Risk::percent_per_year(10.0).of(bitcoin, 144), 27_378_504);
        assert_eq!(Risk::percent_per_year(0.0).of(bitcoin, 144), 0);
        assert_eq!(Risk::percent_per_year(-1.0), Risk(0));
        assert_eq!(Risk::percent_per_year(f64::NAN), Risk(0));
        let most = Risk::percent_per_year(f64::INFINITY);
        assert_eq!(most.of(Msat::MAX, u16::MAX), u64::MAX);
    }

    #[test]
    fn a_channel_that_would_be_emptied_is_doubtful() {
        let amount = Msat::from_msat(1_000_000);
        let of = |held| doubt(amount, Msat::from_msat(held));
        assert_eq!(of(1_999_999), 1000);
        assert_eq!(of(1_000_000_000), 1);
        assert_eq!(of(1_000_000), 1_000_000_000);
        assert_eq!(doubt(Msat::MAX, Msat::MAX), u64::MAX);
    }
}
