//! Updates the peer proposes.

use ln_codec::Encode as _;
use ln_types::{CltvExpiry, Feerate, HtlcId, Msat, Side};
use ln_wire::{
    UpdateAddHtlc, UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc,
};

use crate::{
    ChannelError, ChannelParams, Commitments, Env, Htlc, HtlcState, MAX_EXTRA_TLVS, OnionPacket,
    Removal, Which,
};

/// The bit of a failure code that says the onion could not be read (BOLT 4 §Failure Messages).
const BADONION: u16 = 0x8000;
/// Lock times from here on are times, not heights.
pub(crate) const LOCKTIME_THRESHOLD: CltvExpiry = CltvExpiry(500_000_000);

/// The records of an HTLC, for whoever decides about it.
fn extra_tlvs(add: &UpdateAddHtlc) -> Vec<u8> {
    let records = add.tlvs.to_bytes();
    if records.len() <= MAX_EXTRA_TLVS {
        records
    } else {
        Vec::new()
    }
}

impl Commitments {
    /// The peer offers an HTLC.
    pub fn receive_add(
        &self,
        add: &UpdateAddHtlc,
        params: &ChannelParams,
        env: &Env<'_>,
    ) -> Result<Self, ChannelError> {
        let ours = &params.sides.local;
        // BOLT 2 §Adding an HTLC: `update_add_htlc`: ids start at 0 and count up by one.
        let expected = self.next_htlc_id.remote;
        if add.id != expected {
            let got = add.id;
            return Err(ChannelError::UnexpectedHtlcId { expected, got });
        }
        check_terms(add.amount_msat, ours.htlc_minimum, add.cltv_expiry)?;
        let mut next = self.clone();
        next.next_htlc_id.remote = expected.next();
        next.htlcs.push(Htlc {
            id: add.id,
            amount: add.amount_msat,
            payment_hash: add.payment_hash,
            cltv_expiry: add.cltv_expiry,
            path_key: add.tlvs.blinded_path,
            state: HtlcState::RcvdAddHtlc,
            removal: None,
            over_dust_exposure: false,
            onion: Some(OnionPacket::new(*add.onion_routing_packet.0)),
            extra_tlvs: extra_tlvs(add),
        });
        let reserve = params.reserve_of(Side::Remote);
        let short = |balance: Msat, needed: Msat| ChannelError::BelowReserve { balance, needed };
        let view = next
            .reduce(params, Side::Local, Which::Next)
            .ok_or_else(|| short(Msat::ZERO, add.amount_msat))?;
        // BOLT 2 §Adding an HTLC: `update_add_htlc`: no more than we let the peer have on our commitment.
        let (count, in_flight) = view.offered_by(Side::Remote);
        check_limits(
            (count, in_flight),
            (ours.max_accepted_htlcs, ours.max_htlc_value_in_flight),
        )?;
        // BOLT 2 §Adding an HTLC: `update_add_htlc`: the sender must afford it, keeping its reserve and, as opener, paying for fee and anchors.
        let cost = if params.opener == Side::Remote {
            view.opener_cost()
        } else {
            Msat::ZERO
        };
        let needed = reserve.saturating_add(cost);
        if view.balances.remote < needed {
            return Err(short(view.balances.remote, needed));
        }
        // BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`: such an HTLC is failed once committed.
        let mut over_dust_exposure =
            view.is_trimmed(Side::Remote, add.amount_msat) && view.dust() > env.max_dust_exposure;
        if let Some(theirs) = next.reduce(params, Side::Remote, Which::Next)
            && theirs.is_trimmed(Side::Remote, add.amount_msat)
        {
            let dust = theirs.dust().saturating_add(add.amount_msat);
            over_dust_exposure |= dust > env.max_dust_exposure;
        }
        if let Some(htlc) = next.htlcs.get_mut(Side::Remote, add.id) {
            htlc.over_dust_exposure = over_dust_exposure;
        }
        Ok(next)
    }

    /// The peer claims an HTLC of ours.
    pub fn receive_fulfill(&self, fulfill: &UpdateFulfillHtlc) -> Result<Self, ChannelError> {
        let htlc = self.removable(Side::Local, fulfill.id)?;
        // BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`: the preimage must be the
        // one the HTLC is locked to.
        if fulfill.payment_preimage.hash() != htlc.payment_hash {
            return Err(ChannelError::WrongPreimage {
                id: htlc.id,
                payment_hash: htlc.payment_hash,
            });
        }
        let removal = Removal::Fulfilled {
            preimage: fulfill.payment_preimage,
            attribution_data: fulfill.tlvs.attribution_data.clone(),
        };
        self.remove(Side::Local, fulfill.id, removal)
    }

    /// The peer fails an HTLC of ours.
    pub fn receive_fail(&self, fail: &UpdateFailHtlc) -> Result<Self, ChannelError> {
        let removal = Removal::Failed {
            reason: fail.reason.clone(),
            attribution_data: fail.tlvs.attribution_data.clone(),
        };
        self.remove(Side::Local, fail.id, removal)
    }

    /// The peer fails an HTLC of ours whose onion it could not read.
    pub fn receive_fail_malformed(
        &self,
        fail: &UpdateFailMalformedHtlc,
    ) -> Result<Self, ChannelError> {
        // BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`: the code must have BADONION.
        if fail.failure_code & BADONION == 0 {
            let (id, failure_code) = (fail.id, fail.failure_code);
            return Err(ChannelError::NotBadOnion { id, failure_code });
        }
        let removal = Removal::Malformed {
            sha256_of_onion: fail.sha256_of_onion,
            failure_code: fail.failure_code,
        };
        self.remove(Side::Local, fail.id, removal)
    }

    /// The peer sets the feerate.
    pub fn receive_fee(
        &self,
        fee: &UpdateFee,
        params: &ChannelParams,
        env: &Env<'_>,
    ) -> Result<Self, ChannelError> {
        // BOLT 2 §Updating Fees: `update_fee`: only the side that pays may set it.
        if params.opener != Side::Remote {
            return Err(ChannelError::FeeFromNonOpener);
        }
        env.feerates.check(fee.feerate_per_kw)?;
        self.with_feerate(Side::Remote, fee.feerate_per_kw, params, Msat::ZERO)
    }

    /// The opener proposes a feerate, and must be able to pay for it on the other side's commitment, keeping `reserve`.
    pub(crate) fn with_feerate(
        &self,
        opener: Side,
        feerate: Feerate,
        params: &ChannelParams,
        reserve: Msat,
    ) -> Result<Self, ChannelError> {
        let mut next = self.clone();
        next.feerates = self.feerates.propose(opener, feerate);
        let view = next
            .reduce(params, !opener, Which::Next)
            .ok_or(ChannelError::Overdrawn)?;
        // BOLT 2 §Updating Fees: `update_fee`: the sender must afford it on the receiver's commitment.
        let needed = view.opener_cost().saturating_add(reserve);
        let balance = view.balances[opener];
        if balance < needed {
            return Err(ChannelError::OpenerCannotPayFee { balance, needed });
        }
        Ok(next)
    }

    /// An HTLC that its receiver may resolve.
    pub(crate) fn removable(&self, offerer: Side, id: HtlcId) -> Result<&Htlc, ChannelError> {
        let htlc = self
            .htlcs
            .get(offerer, id)
            .ok_or(ChannelError::UnknownHtlc { id })?;
        // BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`: only once it is
        // irrevocably committed on both sides.
        let state = htlc.state.name();
        if htlc.state.is_removing() {
            Err(ChannelError::HtlcAlreadyResolved { id, state })
        } else if htlc.state == HtlcState::committed_by(offerer) {
            Ok(htlc)
        } else {
            Err(ChannelError::HtlcNotCommitted { id, state })
        }
    }

    /// The receiver of an HTLC resolves it.
    pub(crate) fn remove(
        &self,
        offerer: Side,
        id: HtlcId,
        removal: Removal,
    ) -> Result<Self, ChannelError> {
        self.removable(offerer, id)?;
        let mut next = self.clone();
        if let Some(htlc) = next.htlcs.get_mut(offerer, id) {
            htlc.state = HtlcState::removed_of(offerer);
            htlc.removal = Some(removal);
        }
        Ok(next)
    }
}

/// The rules about an HTLC by itself.
pub(crate) fn check_terms(
    amount: Msat,
    htlc_minimum: Msat,
    cltv_expiry: CltvExpiry,
) -> Result<(), ChannelError> {
    // BOLT 2 §Adding an HTLC: `update_add_htlc`: something, and at least the receiver's minimum.
    let minimum = htlc_minimum.max(Msat::from_msat(1));
    if amount < minimum {
        return Err(ChannelError::BelowMinimum { amount, minimum });
    }
    // BOLT 2 §Adding an HTLC: `update_add_htlc`: an expiry of 500000000 or more would be a time.
    if cltv_expiry >= LOCKTIME_THRESHOLD {
        let expiry = cltv_expiry;
        return Err(ChannelError::ExpiryIsATime { expiry });
    }
    Ok(())
}

/// The receiver's limits on what the other side offers.
pub(crate) fn check_limits(
    (count, in_flight): (usize, Msat),
    (max_count, max_in_flight): (u16, Msat),
) -> Result<(), ChannelError> {
    if count > usize::from(max_count) {
        let limit = max_count;
        return Err(ChannelError::TooManyHtlcs { count, limit });
    }
    if in_flight > max_in_flight {
        let limit = max_in_flight;
        return Err(ChannelError::TooMuchInFlight { in_flight, limit });
    }
    Ok(())
}
