//! `utxopsbt`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::wallet::utxopsbt::Utxopsbt;
use ln_types::{BlockHeight, FeeTarget};

use super::feerate;
use super::fundpsbt::fund;
use super::withdraw::amount;
use crate::node::Node;
use crate::rpc::{Context, Handle};
use crate::wallet::DrawRequest;

impl Handle for Utxopsbt {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if params.utxos.is_empty() {
            let text = "Please specify an array of 'txid:output_index', not \"[]\"";
            return Err(RpcError::invalid_params(text));
        }
        let request = DrawRequest {
            amount: amount(params.satoshi),
            feerate: feerate(&node, Some(params.feerate), FeeTarget::Opening)?,
            start_weight: params.startweight.into(),
            min_confirmations: 0,
            min_witness_weight: params.min_witness_weight.unwrap_or(0).into(),
            no_wrapped: false,
            excess_as_change: params.excess_as_change,
            coins: Some(params.utxos),
            reserved_ok: params.reservedok,
            reserve: params.reserve,
            for_now: false,
            opening: params.opening_anchor_channel,
        };
        fund(&node, &request, params.locktime.map(BlockHeight)).await
    }
}
