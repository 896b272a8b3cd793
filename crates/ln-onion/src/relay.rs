//! Fees and expiries along a blinded path.

use ln_codec::{Decode, Encode};
use ln_types::{CltvDelta, CltvExpiry, Features, Msat};

use crate::PaymentRelay;

/// What a whole blinded path costs, as a BOLT 12 invoice states it.
///
/// BOLT 12 §Invoices.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlindedPayInfo {
    /// Fee per payment in millisatoshi.
    pub fee_base_msat: u32,
    /// Fee in millionths of the amount.
    pub fee_proportional_millionths: u32,
    /// Blocks to add to the final expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The smallest amount.
    pub htlc_minimum_msat: Msat,
    /// The largest amount.
    pub htlc_maximum_msat: Msat,
    /// Features the path supports.
    pub features: Features,
}

impl PaymentRelay {
    /// The amount and expiry to forward for an incoming HTLC; `None` when it is too small or expires too early.
    ///
    /// BOLT 4 §`payload` format: the division rounds up.
    pub fn forward(&self, amount: Msat, expiry: CltvExpiry) -> Option<(Msat, CltvExpiry)> {
        const MILLION: u128 = 1_000_000;
        let ppm = u128::from(self.fee_proportional_millionths);
        let left = amount.checked_sub(Msat::from_msat(u64::from(self.fee_base_msat)))?;
        let scaled = u128::from(left.as_msat()).checked_mul(MILLION)?;
        let forwarded = scaled.div_ceil(MILLION.checked_add(ppm)?);
        let expiry = expiry.0.checked_sub(u32::from(self.cltv_expiry_delta.0))?;
        let forwarded = Msat::from_msat(u64::try_from(forwarded).ok()?);
        Some((forwarded, CltvExpiry(expiry)))
    }
}

/// The fee and expiry delta of a whole path, from its hops in order (the last node, which takes none, left out) and the last node's
/// `min_final_cltv_expiry_delta`; `None` when a sum does not fit its field.
///
/// BOLT 4 §`payload` format: computed from the end of the path, always rounding up.
pub fn aggregate(hops: &[PaymentRelay], last: CltvDelta) -> Option<(u32, u32, CltvDelta)> {
    const MILLION: u128 = 1_000_000;
    let (mut base, mut ppm, mut delta) = (0_u128, 0_u128, last.0);
    for hop in hops.iter().rev() {
        let hop_ppm = u128::from(hop.fee_proportional_millionths);
        let hop_base = u128::from(hop.fee_base_msat).checked_mul(MILLION)?;
        base = base
            .checked_mul(MILLION.checked_add(hop_ppm)?)?
            .checked_add(hop_base)?
            .div_ceil(MILLION);
        ppm = ppm
            .checked_add(hop_ppm)?
            .checked_mul(MILLION)?
            .checked_add(ppm.checked_mul(hop_ppm)?)?
            .div_ceil(MILLION);
        delta = delta.checked_add(hop.cltv_expiry_delta.0)?;
    }
    let base = u32::try_from(base).ok()?;
    Some((base, u32::try_from(ppm).ok()?, CltvDelta(delta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(base: u32, ppm: u32, delta: u16) -> PaymentRelay {
        PaymentRelay {
            cltv_expiry_delta: CltvDelta(delta),
            fee_proportional_millionths: ppm,
            fee_base_msat: base,
        }
    }

    #[test]
    fn the_blinded_payment_vectors_costs_come_out() {
        let hops = [relay(10_000, 0, 50), relay(100, 150, 75), relay(0, 100, 25)];
        let total = aggregate(&hops, CltvDelta(0)).unwrap();
        assert_eq!(total, (10_100, 251, CltvDelta(150)));
    }

    #[test]
    fn what_is_forwarded_leaves_the_fee() {
        let (amount, expiry) = relay(10_000, 0, 50)
            .forward(Msat::from_msat(110_125), CltvExpiry(749_150))
            .unwrap();
        assert_eq!(
            (amount, expiry),
            (Msat::from_msat(100_125), CltvExpiry(749_100))
        );
        let poor = relay(10_000, 0, 50).forward(Msat::from_msat(9_999), CltvExpiry(749_150));
        assert_eq!(poor, None);
    }
}
