//! `reserveinputs`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::wallet::reserveinputs::{Reserveinputs, ReserveinputsResponse};
use ln_wallet::Utxo;

use super::parse_psbt;
use super::psbt::our_coins;
use super::reservation::reservation;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::save_reservations;

impl Handle for Reserveinputs {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let psbt = parse_psbt(&params.psbt)?;
        let tip = node.chain.height();
        let coins: Vec<Utxo> = our_coins(&node, &psbt)
            .into_iter()
            .map(|(_, coin)| coin)
            .collect();
        for coin in &coins {
            if params.exclusive && coin.is_reserved(tip) {
                let text = format!("{} already reserved", coin.outpoint);
                return Err(RpcError::invalid_params(text));
            }
            if coin.spent_height.is_some() {
                return Err(RpcError::invalid_params(format!(
                    "{} already spent",
                    coin.outpoint
                )));
            }
        }
        node.wallet
            .change_coins(&coins, |coin| coin.reserve(tip, params.reserve));
        let reservations = coins
            .iter()
            .map(|coin| reservation(&node, coin, tip))
            .collect();
        save_reservations(&node, &coins).await.map_err(internal)?;
        Ok(ReserveinputsResponse { reservations })
    }
}
