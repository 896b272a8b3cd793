//! `dev-sign-last-tx`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_sign_last_tx::{DevSignLastTx, DevSignLastTxResponse};
use ln_rpc::params::Hex;

use super::peer_channel::live_channel;
use crate::channels::closing_transaction;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for DevSignLastTx {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let channel = live_channel(&node, &context, params.id)?;
        let tx = closing_transaction(&node, &channel).await;
        let tx = tx.map_err(internal)?;
        let outputs = tx.output.len();
        node.log.debug(
            &channel.origin(),
            format!("dev-sign-last-tx: signing tx with {outputs} outputs"),
        );
        let tx = Hex(bitcoin::consensus::serialize(&tx));
        Ok(DevSignLastTxResponse { tx })
    }
}
