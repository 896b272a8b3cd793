//! Updates we propose.

use ln_types::{Feerate, HtlcId, Msat, Side};

use crate::updates_received::{check_limits, check_terms};
use crate::{
    BySide, ChannelError, ChannelParams, Commitments, Env, Htlc, HtlcState, Offer, Removal, View,
    Which,
};

/// The feerate we keep ourselves able to pay: twice a low one, a tenth above a high one, as Core Lightning reckons.
///
/// BOLT 2 §Adding an HTLC: `update_add_htlc` recommends room for twice the feerate (the "fee spike buffer").
pub fn marginal_feerate(feerate: Feerate) -> Feerate {
    const LOW: u64 = 253;
    const HIGH: u64 = 45_000;
    let now = u64::from(feerate.as_perkw()).max(LOW);
    let extra = if now > HIGH {
        now / 10
    } else {
        // From all of it at LOW down to a tenth at HIGH.
        const SPAN: u64 = (HIGH - LOW) * 10;
        let cut = now.saturating_sub(LOW).saturating_mul(9);
        now.saturating_mul(SPAN.saturating_sub(cut)) / SPAN
    };
    Feerate::from_perkw(u32::try_from(now.saturating_add(extra)).unwrap_or(u32::MAX))
}

impl Commitments {
    /// We offer an HTLC.
    pub fn send_add(
        &self,
        offer: &Offer,
        params: &ChannelParams,
        env: &Env<'_>,
    ) -> Result<(Self, HtlcId), ChannelError> {
        let BySide { local, remote } = &params.sides;
        check_terms(offer.amount, remote.htlc_minimum, offer.cltv_expiry)?;
        if offer.cltv_expiry.0 <= env.height.0 {
            let (expiry, height) = (offer.cltv_expiry, env.height);
            return Err(ChannelError::Expired { expiry, height });
        }
        let id = self.next_htlc_id.local;
        let mut next = self.clone();
        next.next_htlc_id.local = id.next();
        next.htlcs.push(Htlc {
            id,
            amount: offer.amount,
            payment_hash: offer.payment_hash,
            cltv_expiry: offer.cltv_expiry,
            path_key: offer.path_key,
            state: HtlcState::SentAddHtlc,
            removal: None,
            over_dust_exposure: false,
            onion: Some(offer.onion.clone()),
            extra_tlvs: offer.extra_tlvs.clone(),
        });
        let theirs =
            next.reduce(params, Side::Remote, Which::Next)
                .ok_or(ChannelError::BelowReserve {
                    balance: self.balances.local,
                    needed: offer.amount,
                })?;
        // BOLT 2 §Adding an HTLC: `update_add_htlc`: the receiver's limits. Nor do we risk more HTLCs than we would take ourselves:
        // each of them costs fees when the channel goes on chain.
        let max_count = remote.max_accepted_htlcs.min(local.max_accepted_htlcs);
        check_limits(
            theirs.offered_by(Side::Local),
            (max_count, remote.max_htlc_value_in_flight),
        )?;
        let ours = self
            .reduce(params, Side::Local, Which::Next)
            .ok_or(ChannelError::Overdrawn)?;
        check_room(&theirs, &ours, offer.amount, params)?;
        check_dust(&theirs, &ours, offer.amount, env)?;
        Ok((next, id))
    }

    /// We resolve an HTLC of the peer's.
    pub fn send_removal(&self, id: HtlcId, removal: Removal) -> Result<Self, ChannelError> {
        let htlc = self.removable(Side::Remote, id)?;
        if let Removal::Fulfilled { preimage, .. } = &removal
            && preimage.hash() != htlc.payment_hash
        {
            return Err(ChannelError::WrongPreimage {
                id,
                payment_hash: htlc.payment_hash,
            });
        }
        self.remove(Side::Remote, id, removal)
    }

    /// We set the feerate: to what we want, or as near to it as we can pay while keeping our reserve. Nothing when that changes nothing.
    pub fn send_fee(&self, wanted: Feerate, params: &ChannelParams) -> Option<(Self, Feerate)> {
        if params.opener != Side::Local {
            return None;
        }
        let reserve = params.reserve_of(Side::Local);
        let try_at = |feerate: Feerate| {
            self.with_feerate(Side::Local, feerate, params, reserve)
                .ok()
        };
        let current = self.feerates.latest();
        if let Some(next) = try_at(wanted) {
            return (wanted != current).then_some((next, wanted));
        }
        // The highest feerate we can pay: the cost grows with the feerate, so halve the span.
        let (mut low, mut high) = (current.as_perkw(), wanted.as_perkw());
        while high.saturating_sub(low) > 1 {
            let middle = low.midpoint(high);
            if try_at(Feerate::from_perkw(middle)).is_some() {
                low = middle;
            } else {
                high = middle;
            }
        }
        let best = Feerate::from_perkw(low);
        if best <= current {
            return None;
        }
        try_at(best).map(|next| (next, best))
    }
}

/// Whether reserves, fees and anchors can be paid once `amount` is on `theirs`; `ours` is still without it.
fn check_room(
    theirs: &View<'_>,
    ours: &View<'_>,
    amount: Msat,
    params: &ChannelParams,
) -> Result<(), ChannelError> {
    let on_ours = usize::from(!ours.is_trimmed(Side::Local, amount));
    let fee = theirs
        .fee_at(theirs.feerate, 0)
        .max(ours.fee_at(ours.feerate, on_ours));
    let anchors = ln_tx::fee::anchors_cost(params.format());
    let mut needed = params.reserve_of(Side::Local);
    match params.opener {
        Side::Local => {
            // BOLT 2 §Adding an HTLC: `update_add_htlc`: as opener keep enough for one more HTLC at a higher feerate.
            let spike = ours.fee_at(marginal_feerate(ours.feerate), on_ours.saturating_add(1));
            let cost = fee.max(spike).saturating_add(anchors);
            needed = needed.saturating_add(cost.to_msat_saturating());
        }
        Side::Remote => {
            // BOLT 2 §Adding an HTLC: `update_add_htlc`: do not push the opener below what it must keep.
            let cost = fee.saturating_add(anchors).to_msat_saturating();
            let needed = params.reserve_of(Side::Remote).saturating_add(cost);
            let balance = theirs.balances.remote;
            if balance < needed {
                return Err(ChannelError::OpenerCannotPayFee { balance, needed });
            }
        }
    }
    let balance = theirs.balances.local;
    if balance < needed {
        return Err(ChannelError::BelowReserve { balance, needed });
    }
    Ok(())
}

/// Whether `amount`, on `theirs` already and on `ours` soon, leaves too much in HTLCs without outputs.
// BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`: do not offer such an HTLC.
fn check_dust(
    theirs: &View<'_>,
    ours: &View<'_>,
    amount: Msat,
    env: &Env<'_>,
) -> Result<(), ChannelError> {
    let limit = env.max_dust_exposure;
    let on_theirs = theirs
        .is_trimmed(Side::Local, amount)
        .then(|| theirs.dust());
    let on_ours = ours
        .is_trimmed(Side::Local, amount)
        .then(|| ours.dust().saturating_add(amount));
    match on_theirs.max(on_ours) {
        Some(exposure) if exposure > limit => Err(ChannelError::DustExposure { exposure, limit }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_spike_shrinks_as_feerates_grow() {
        let marginal = |perkw| marginal_feerate(Feerate::from_perkw(perkw)).as_perkw();
        assert_eq!(marginal(253), 506);
        assert_eq!(marginal(0), 506);
        assert_eq!(marginal(45_000), 49_500);
        assert_eq!(marginal(500_000), 550_000);
        assert_eq!(marginal(u32::MAX), u32::MAX);
    }
}
