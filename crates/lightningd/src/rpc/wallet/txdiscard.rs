//! `txdiscard`

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::txdiscard::{Txdiscard, TxdiscardResponse};
use ln_rpc::params::Hex;

use super::txprepare::take_unreleased;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::release;

impl Handle for Txdiscard {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let prepared = take_unreleased(&node, params.txid)?;
        release(&node, &prepared.coins).await.map_err(internal)?;
        Ok(TxdiscardResponse {
            unsigned_tx: Hex(serialize(prepared.unsigned())),
            txid: params.txid,
        })
    }
}
