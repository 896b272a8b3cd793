//! What both sides of an opening check.

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf};
use ln_tx::CommitmentFormat;
use ln_tx::fee::{commitment_fee, opener_cost};
use ln_types::{FeatureBit, Features, Feerate, Msat, Sat, Side};

use super::{OpeningEnv, first_balances};
use crate::{ChannelType, OpenError, SideParams};

/// All bitcoin there can be.
const MAX_MONEY: Sat = Sat::from_sat(2_100_000_000_000_000);
/// The first amount that needs `option_support_large_channel`.
const LARGE: Sat = Sat::from_sat(1 << 24);
/// BOLT 3 §Dust Limits: below it not even an output to an unknown segwit version is relayed.
const MIN_DUST_LIMIT: Sat = Sat::from_sat(354);
/// Twice the dust limit of the dearest standard output (546): more only serves to burn HTLCs as fees.
const MAX_DUST_LIMIT: Sat = Sat::from_sat(1092);
/// More HTLCs would not fit a standard transaction.
const MAX_HTLCS: u16 = 483;

/// The funding amount and what is pushed.
// BOLT 2 §The `open_channel` Message: 2^24 satoshi and more only with option_support_large_channel; push at most all of it.
pub(super) fn funding(env: &OpeningEnv<'_>, funding: Sat, push: Msat) -> Result<(), OpenError> {
    let min = Sat::from_sat(1);
    let max = if env.negotiated(FeatureBit::Wumbo) {
        MAX_MONEY
    } else {
        Sat::from_sat(LARGE.as_sat().saturating_sub(1))
    };
    if funding < min || funding > max {
        return Err(OpenError::FundingOutOfRange { funding, min, max });
    }
    if push > funding.to_msat_saturating() {
        return Err(OpenError::PushTooLarge { push, funding });
    }
    Ok(())
}

/// The commitment feerate.
pub(super) fn feerate(env: &OpeningEnv<'_>, feerate: Feerate) -> Result<(), OpenError> {
    let (min, max) = (env.policy.min_feerate, env.policy.max_feerate);
    if feerate < min || feerate > max {
        return Err(OpenError::FeerateOutOfRange { feerate, min, max });
    }
    Ok(())
}

/// A channel type the peer proposes.
// BOLT 2 §The `open_channel` Message: one we can run, of negotiated features, no scid_alias for a channel to be announced.
pub(super) fn channel_type(
    env: &OpeningEnv<'_>,
    wanted: Option<&Features>,
    announce: bool,
) -> Result<ChannelType, OpenError> {
    let features = wanted.ok_or(OpenError::NoChannelType)?;
    let bad = || OpenError::BadChannelType {
        channel_type: features.to_string(),
    };
    let channel_type = ChannelType::from_features(features).ok_or_else(bad)?;
    let supported = [FeatureBit::Anchors, FeatureBit::ScidAlias]
        .into_iter()
        .all(|feature| !channel_type.has(feature) || env.our_features.supports(feature));
    let anchors = channel_type.format() == CommitmentFormat::Anchors;
    let public_alias = announce && channel_type.has(FeatureBit::ScidAlias);
    if !supported || !anchors || public_alias {
        return Err(bad());
    }
    Ok(channel_type)
}

/// The script of `upfront_shutdown_script`: empty means none.
pub(super) fn upfront_script(
    env: &OpeningEnv<'_>,
    script: Option<&ScriptBuf>,
) -> Result<Option<ScriptBuf>, OpenError> {
    match script {
        None => Ok(None),
        Some(script) if script.is_empty() => Ok(None),
        Some(script) if env.shutdown_scripts().allows(script) => Ok(Some(script.clone())),
        Some(_) => Err(OpenError::BadShutdownScript),
    }
}

/// What the peer's side demands, by itself.
// BOLT 2 §The `open_channel` Message: what the receiver must, and what it may, refuse.
pub(super) fn their_params(env: &OpeningEnv<'_>, theirs: &SideParams) -> Result<(), OpenError> {
    let delay = theirs.to_self_delay;
    if delay > env.policy.max_to_self_delay {
        let max = env.policy.max_to_self_delay;
        return Err(OpenError::DelayTooLong { delay, max });
    }
    let count = theirs.max_accepted_htlcs;
    if count == 0 || count > MAX_HTLCS {
        return Err(OpenError::HtlcCountOutOfRange { count });
    }
    let dust_limit = theirs.dust_limit;
    if dust_limit < MIN_DUST_LIMIT || dust_limit > MAX_DUST_LIMIT {
        return Err(OpenError::DustLimitOutOfRange {
            dust_limit,
            min: MIN_DUST_LIMIT,
            max: MAX_DUST_LIMIT,
        });
    }
    Ok(())
}

/// A reserve against a dust limit: below it, a side could end up with nothing to lose.
pub(super) fn reserve_above_dust(
    env: &OpeningEnv<'_>,
    reserve: Sat,
    dust_limit: Sat,
) -> Result<(), OpenError> {
    if reserve < dust_limit && !env.policy.allow_dust_reserve {
        return Err(OpenError::ReserveBelowDust {
            reserve,
            dust_limit,
        });
    }
    Ok(())
}

/// Whether a channel of this size is of any use once both reserves, anchors and a fee are set aside.
pub(super) fn capacity(
    env: &OpeningEnv<'_>,
    funding: Sat,
    feerate: Feerate,
    ours: &SideParams,
    theirs: &SideParams,
) -> Result<(), OpenError> {
    let format = CommitmentFormat::Anchors;
    let (one, other) = (theirs.channel_reserve, ours.channel_reserve);
    let reserves = one.saturating_add(other);
    if reserves > funding {
        return Err(OpenError::ReserveTooLarge {
            reserve: one,
            max: funding.saturating_sub(other),
        });
    }
    let left = funding
        .saturating_sub(reserves)
        .saturating_sub(opener_cost(format, feerate, 0));
    let capacity = left
        .to_msat_saturating()
        .min(theirs.max_htlc_value_in_flight);
    let minimum = theirs.htlc_minimum;
    if minimum > capacity {
        return Err(OpenError::HtlcMinimumTooLarge { minimum });
    }
    let min = env.policy.min_capacity;
    if capacity < min.to_msat_saturating() {
        return Err(OpenError::TooSmall { capacity, min });
    }
    Ok(())
}

/// Whether the opener can pay for the first commitment and somebody has more than the reserve.
// BOLT 2 §The `open_channel` Message: the opener's amount covers the fee; not both outputs at or below channel_reserve_satoshis.
pub(super) fn first_commitment(
    opener: Side,
    amount: Sat,
    push: Msat,
    feerate: Feerate,
    reserve: Sat,
) -> Result<(), OpenError> {
    let format = CommitmentFormat::Anchors;
    let balances = first_balances(opener, amount, push).ok_or(OpenError::PushTooLarge {
        push,
        funding: amount,
    })?;
    let anchors = ln_tx::fee::anchors_cost(format);
    let needed = commitment_fee(format, feerate, 0)
        .saturating_add(anchors)
        .to_msat_saturating();
    let balance = balances[opener];
    let Some(left) = balance.checked_sub(needed) else {
        return Err(OpenError::CannotPayFee { balance, needed });
    };
    let limit = reserve.to_msat_saturating();
    if left <= limit && balances[!opener] <= limit {
        return Err(OpenError::BothBelowReserve { reserve });
    }
    Ok(())
}

/// A funding outpoint that can be one.
pub(super) fn outpoint(outpoint: OutPoint) -> Result<(), OpenError> {
    if outpoint.txid == bitcoin::Txid::all_zeros() {
        let why = "its transaction id is zero";
        return Err(OpenError::BadFundingOutput { why });
    }
    if outpoint.vout > u32::from(u16::MAX) {
        let why = "its index does not fit 16 bits";
        return Err(OpenError::BadFundingOutput { why });
    }
    Ok(())
}
