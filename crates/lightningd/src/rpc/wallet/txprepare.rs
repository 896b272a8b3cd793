//! `txprepare`

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::txprepare::{OutputDesc, Txprepare, TxprepareResponse};
use ln_rpc::params::Hex;
use ln_types::FeeTarget;
use ln_wallet::Amount;

use super::withdraw::amount;
use super::{feerate, parse_address, spend_error};
use crate::node::Node;
use crate::rpc::{Context, Handle};
use crate::wallet::{SpendRequest, prepare};

impl Handle for Txprepare {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut outputs = Vec::new();
        for OutputDesc {
            address,
            amount: wanted,
        } in &params.outputs
        {
            let script = parse_address(node.config.network, "address field", address)?;
            outputs.push((script, amount(*wanted)));
        }
        if outputs
            .iter()
            .filter(|(_, amount)| *amount == Amount::All)
            .count()
            > 1
        {
            return Err(RpcError::invalid_params("Cannot use 'all' in two outputs"));
        }
        if outputs.is_empty() {
            return Err(RpcError::invalid_params(
                "There must be at least one output",
            ));
        }
        let request = SpendRequest {
            outputs,
            feerate: feerate(&node, params.feerate, FeeTarget::Opening)?,
            min_confirmations: params.minconf.unwrap_or(1),
            coins: params.utxos,
            for_now: false,
            opening: false,
        };
        let prepared = prepare(&node, &request)
            .await
            .map_err(|error| spend_error(&node, error))?;
        let response = TxprepareResponse {
            psbt: prepared.psbt.to_string(),
            unsigned_tx: Hex(serialize(prepared.unsigned())),
            txid: prepared.unsigned().compute_txid(),
        };
        node.rpc
            .unreleased
            .borrow_mut()
            .insert(response.txid, prepared);
        Ok(response)
    }
}

/// Takes a transaction that `txprepare` made, so that nobody else sends or discards it too.
pub(super) fn take_unreleased(
    node: &Node,
    txid: bitcoin::Txid,
) -> Result<crate::wallet::PreparedTx, RpcError> {
    let taken = node.rpc.unreleased.borrow_mut().remove(&txid);
    taken.ok_or_else(|| RpcError::invalid_params(format!("not an unreleased txid '{txid}'")))
}
