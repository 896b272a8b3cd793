//! `sendpsbt`

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use ln_rpc::RpcError;
use ln_rpc::methods::wallet::sendpsbt::{Sendpsbt, SendpsbtResponse};
use ln_rpc::params::Hex;
use ln_wallet::{Utxo, extract, finalize};

use super::parse_psbt;
use super::psbt::our_coins;
use super::withdraw::not_sent_error;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::{save_reservations, send};

impl Handle for Sendpsbt {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut psbt = parse_psbt(&params.psbt)?;
        finalize(&mut psbt).map_err(internal)?;
        let tx = extract(&psbt)
            .map_err(|error| RpcError::lightningd(format!("PSBT not finalizeable: {error}")))?;
        let tip = node.chain.height();
        let coins: Vec<Utxo> = our_coins(&node, &psbt)
            .into_iter()
            .map(|(_, coin)| coin)
            .collect();
        if let Some(coin) = coins.iter().find(|coin| !coin.is_reserved(tip)) {
            return Err(RpcError::lightningd(format!(
                "Aborting PSBT signing. UTXO {} is not reserved",
                coin.outpoint
            )));
        }
        node.wallet
            .change_coins(&coins, |coin| coin.reserve(tip, params.reserve));
        save_reservations(&node, &coins).await.map_err(internal)?;
        // A refusal restores the reservations as they were: the caller may still mend the transaction.
        match send(&node, &coins, &tx).await.map_err(internal)? {
            Ok(()) => Ok(SendpsbtResponse {
                txid: tx.compute_txid(),
                tx: Hex(serialize(&tx)),
            }),
            Err(not_sent) => Err(not_sent_error(&not_sent, &tx)),
        }
    }
}
