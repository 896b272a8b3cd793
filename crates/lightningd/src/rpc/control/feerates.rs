//! `feerates`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::feerates::{
    FeerateEstimate, FeerateStyle, FeerateTable, Feerates, FeeratesResponse, OnchainFeeEstimates,
};
use ln_tx::CommitmentFormat;
use ln_tx::fee::htlc_fee;
use ln_types::{FeeTarget, Feerate};

use crate::chain::FeeEstimates;
use crate::node::Node;
use crate::rpc::{Context, Handle};

/// The weight of a usual transaction that funds a channel: one input, change.
const OPENING_WEIGHT: u64 = 702;
/// The weight of a mutual close with an output for each side.
const MUTUAL_CLOSE_WEIGHT: u64 = 673;
/// The weight of a commitment with anchors and an output for each side.
const ANCHOR_COMMITMENT_WEIGHT: u64 = 1112;
/// The weight of a commitment without anchors.
const PLAIN_COMMITMENT_WEIGHT: u64 = 598;

impl Handle for Feerates {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let fees = node.fees.borrow();
        let missing = fees.rates.is_empty();
        let table = |style| (params.style == style).then(|| table(&node, &fees, style));
        Ok(FeeratesResponse {
            warning_missing_feerates: missing
                .then(|| "Some fee estimates unavailable: bitcoind startup?".to_owned()),
            perkb: table(FeerateStyle::PerKb),
            perkw: table(FeerateStyle::PerKw),
            onchain_fee_estimates: (!missing).then(|| onchain(&node, &fees)),
        })
    }
}

fn in_style(rate: Feerate, style: FeerateStyle) -> u32 {
    match style {
        FeerateStyle::PerKb => rate.as_perkb(),
        FeerateStyle::PerKw => rate.as_perkw(),
    }
}

fn table(node: &Node, fees: &FeeEstimates, style: FeerateStyle) -> FeerateTable {
    let show = |rate: Feerate| in_style(rate, style);
    let target = |target| fees.target(target).map(show);
    let bounds = fees.bounds(node.config.dev.max_fee_multiplier);
    let offset = node.config.commit_feerate_offset;
    let splice = fees.target(FeeTarget::Opening).map(|rate| {
        let raised = Feerate::from_perkw(rate.as_perkw().saturating_add(offset));
        show(raised.min(bounds.max))
    });
    let estimates = fees.rates.iter();
    FeerateTable {
        min_acceptable: show(bounds.min),
        max_acceptable: show(bounds.max),
        floor: show(fees.floor),
        estimates: estimates
            .map(|(blockcount, last, smoothed)| FeerateEstimate {
                blockcount: *blockcount,
                feerate: show(*last),
                smoothed_feerate: show(*smoothed),
            })
            .collect(),
        opening: target(FeeTarget::Opening),
        mutual_close: target(FeeTarget::MutualClose),
        unilateral_close: unilateral(node, fees).map(show),
        unilateral_anchor_close: fees.anchor_close().map(show),
        penalty: target(FeeTarget::Penalty),
        splice,
    }
}

/// The feerate of a commitment without anchors.
fn unilateral(node: &Node, fees: &FeeEstimates) -> Option<Feerate> {
    let rate = fees.target(FeeTarget::UnilateralClose)?;
    let percent = u64::from(node.config.commit_fee_percent);
    let share = u64::from(rate.as_perkw()) * percent / 100;
    Some(Feerate::from_perkw(
        u32::try_from(share).unwrap_or(u32::MAX),
    ))
}

/// What usual transactions would cost.
fn onchain(node: &Node, fees: &FeeEstimates) -> OnchainFeeEstimates {
    let rate = |target| fees.target(target).unwrap_or(fees.floor);
    let anchor = fees.anchor_close().unwrap_or(fees.floor);
    let plain = unilateral(node, fees).unwrap_or(fees.floor);
    let htlc = rate(FeeTarget::HtlcResolution);
    let plain_format = CommitmentFormat::StaticRemotekey;
    OnchainFeeEstimates {
        opening_channel_satoshis: rate(FeeTarget::Opening).fee(OPENING_WEIGHT).as_sat(),
        mutual_close_satoshis: rate(FeeTarget::MutualClose)
            .fee(MUTUAL_CLOSE_WEIGHT)
            .as_sat(),
        unilateral_close_satoshis: anchor.fee(ANCHOR_COMMITMENT_WEIGHT).as_sat(),
        unilateral_close_nonanchor_satoshis: Some(plain.fee(PLAIN_COMMITMENT_WEIGHT).as_sat()),
        htlc_timeout_satoshis: htlc_fee(plain_format, htlc, true).as_sat(),
        htlc_success_satoshis: htlc_fee(plain_format, htlc, false).as_sat(),
    }
}
