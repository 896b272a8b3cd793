//! `unreserveinputs`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::wallet::reserveinputs::ReserveinputsResponse;
use ln_rpc::methods::wallet::unreserveinputs::Unreserveinputs;
use ln_wallet::Utxo;

use super::parse_psbt;
use super::psbt::our_coins;
use super::reservation::reservation;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::save_reservations;

impl Handle for Unreserveinputs {
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
            .filter(|coin| coin.reserved_until.is_some() && coin.spent_height.is_none())
            .collect();
        node.wallet
            .change_coins(&coins, |coin| coin.unreserve(tip, params.reserve));
        let reservations = coins
            .iter()
            .map(|coin| reservation(&node, coin, tip))
            .collect();
        save_reservations(&node, &coins).await.map_err(internal)?;
        Ok(ReserveinputsResponse { reservations })
    }
}
