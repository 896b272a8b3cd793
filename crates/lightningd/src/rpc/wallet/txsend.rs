//! `txsend`

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::txsend::{Txsend, TxsendResponse};
use ln_rpc::params::Hex;

use super::txprepare::take_unreleased;
use super::withdraw::sign_and_send;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Txsend {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let prepared = take_unreleased(&node, params.txid)?;
        if let Some(outpoint) = prepared.lost_coin(&node) {
            // Another transaction may have it by now, and this one would replace that.
            return Err(RpcError::lightningd(format!(
                "UTXO {outpoint} is no longer reserved for this transaction: prepare it again"
            )));
        }
        let (psbt, tx) = sign_and_send(&node, &prepared).await?;
        Ok(TxsendResponse {
            psbt: psbt.to_string(),
            txid: tx.compute_txid(),
            tx: Hex(serialize(&tx)),
        })
    }
}
