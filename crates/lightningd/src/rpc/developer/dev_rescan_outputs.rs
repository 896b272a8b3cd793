//! `dev-rescan-outputs`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_rescan_outputs::{
    DevRescanOutputs, DevRescanOutputsResponse, RescannedOutput,
};
use ln_types::BlockHeight;
use ln_wallet::Utxo;

use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for DevRescanOutputs {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut outputs = Vec::new();
        for coin in node.wallet.coins() {
            let there = node.backend.utxo(coin.outpoint).await;
            let there = there.map_err(internal)?.is_some();
            // A block may have come while the backend was asked.
            let tip = node.chain.height();
            let Some(mut coin) = node.wallet.coin(&coin.outpoint) else {
                continue;
            };
            let oldstate = number(&coin, tip);
            let known = coin.spent_height;
            coin.spent_height = match (there, coin.height) {
                (true, _) => None,
                // Its transaction may still come, or come back: then a coin thought spent would be lost.
                (false, None) => known,
                (false, Some(_)) => known.or(Some(tip)),
            };
            outputs.push(RescannedOutput {
                txid: coin.outpoint.txid,
                output: coin.outpoint.vout,
                oldstate,
                newstate: number(&coin, tip),
            });
            if coin.spent_height != known {
                let saved = node.wallet.put_right(&node, coin);
                saved.await.map_err(internal)?;
            }
        }
        Ok(DevRescanOutputsResponse { outputs })
    }
}

/// How Core Lightning's database numbers what a coin is.
fn number(coin: &Utxo, tip: BlockHeight) -> u32 {
    match (coin.spent_height, coin.is_reserved(tip)) {
        (Some(_), _) => 2,
        (None, true) => 1,
        (None, false) => 0,
    }
}
