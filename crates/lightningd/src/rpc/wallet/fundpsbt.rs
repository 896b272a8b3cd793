//! `fundpsbt`

use std::rc::Rc;

use bitcoin::TxOut;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::fundpsbt::{Fundpsbt, FundpsbtResponse};
use ln_types::{BlockHeight, FeeTarget};
use ln_wallet::anti_fee_sniping_locktime;

use super::reservation::reservation;
use super::withdraw::amount;
use super::{feerate, spend_error};
use crate::node::Node;
use crate::rpc::{Context, Handle};
use crate::wallet::{DrawRequest, draw, psbt_of, random_u32, release};

impl Handle for Fundpsbt {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let request = DrawRequest {
            amount: amount(params.satoshi),
            feerate: feerate(&node, Some(params.feerate), FeeTarget::Opening)?,
            start_weight: params.startweight.into(),
            min_confirmations: params.minconf.unwrap_or(1),
            min_witness_weight: params.min_witness_weight.unwrap_or(0).into(),
            no_wrapped: params.nonwrapped,
            excess_as_change: params.excess_as_change,
            coins: None,
            reserved_ok: false,
            reserve: params.reserve,
            for_now: false,
            opening: params.opening_anchor_channel,
        };
        fund(&node, &request, params.locktime.map(BlockHeight)).await
    }
}

/// Draws coins and shows them as a PSBT.
pub(super) async fn fund(
    node: &Rc<Node>,
    request: &DrawRequest,
    locktime: Option<BlockHeight>,
) -> Result<FundpsbtResponse, RpcError> {
    let tip = node.chain.height();
    let drawn = draw(node, request)
        .await
        .map_err(|error| spend_error(node, error))?;
    let coins = &drawn.funding.inputs;
    let change = drawn.funding.change.zip(drawn.change);
    let outputs: Vec<TxOut> = change
        .map(|(value, script_pubkey)| TxOut {
            value: value.into(),
            script_pubkey,
        })
        .into_iter()
        .collect();
    let change_outnum = (!outputs.is_empty()).then_some(0);
    let locktime = locktime.unwrap_or_else(|| anti_fee_sniping_locktime(tip, random_u32()));
    let psbt = match psbt_of(node, coins, outputs, locktime).await {
        Ok(psbt) => psbt,
        Err(error) => {
            if request.reserve != 0 {
                drop(release(node, coins).await);
            }
            return Err(spend_error(node, error));
        }
    };
    let reserved = request.reserve != 0;
    Ok(FundpsbtResponse {
        psbt: psbt.to_string(),
        feerate_per_kw: request.feerate.as_perkw(),
        estimated_final_weight: u32::try_from(drawn.funding.weight).unwrap_or(u32::MAX),
        excess_msat: drawn.funding.excess.to_msat_saturating(),
        change_outnum,
        reservations: reserved.then(|| {
            coins
                .iter()
                .map(|coin| reservation(node, coin, tip))
                .collect()
        }),
    })
}
