//! `signpsbt`

use std::rc::Rc;

use bitcoin::psbt::Psbt;
use ln_rpc::methods::wallet::signpsbt::{Signpsbt, SignpsbtResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::BlockHeight;
use ln_wallet::{Utxo, psbt_input};

use super::parse_psbt;
use super::psbt::our_coins;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::hsm_utxo;

impl Handle for Signpsbt {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut psbt = parse_psbt(&params.psbt)?;
        let tip = node.chain.height();
        let coins = coins_to_sign(&node, &psbt, params.signonly.as_deref(), tip)?;
        if coins.is_empty() {
            let text = "No wallet inputs to sign. Are you sure you added inputs to this PSBT? \
                        If not, then there is no need to sign it.";
            return Err(RpcError::new(RpcErrorCode::Lightningd, text));
        }
        for (index, coin) in &coins {
            let Some(input) = psbt.inputs.get_mut(*index) else {
                continue;
            };
            let known = psbt_input(coin, |_| None, |index| node.wallet.public_key(index));
            if input.witness_utxo.is_none() && input.non_witness_utxo.is_none() {
                input.witness_utxo = known.witness_utxo;
            }
            if input.redeem_script.is_none() {
                input.redeem_script = known.redeem_script;
            }
        }
        let inputs = coins.iter().map(|(_, coin)| hsm_utxo(coin)).collect();
        let signed = node
            .hsm
            .sign_withdrawal(inputs, psbt.clone())
            .await
            .map_err(internal)?;
        // A signer may leave out what it does not need: nothing the caller gave must be lost.
        psbt.combine(signed).map_err(|error| {
            RpcError::lightningd(format!("Unable to combine signed psbt: {error}"))
        })?;
        Ok(SignpsbtResponse {
            signed_psbt: psbt.to_string(),
        })
    }
}

fn coins_to_sign(
    node: &Node,
    psbt: &Psbt,
    only: Option<&[u32]>,
    tip: BlockHeight,
) -> Result<Vec<(usize, Utxo)>, RpcError> {
    let mut coins = our_coins(node, psbt);
    if let Some(only) = only {
        for (place, index) in only.iter().enumerate() {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let Some(input) = psbt.unsigned_tx.input.get(index) else {
                let text = format!("signonly[{place}]: {index} out of range");
                return Err(RpcError::invalid_params(text));
            };
            if !coins.iter().any(|(known, _)| *known == index) {
                return Err(RpcError::lightningd(format!(
                    "Aborting PSBT signing. UTXO {} is unknown (and specified by signonly)",
                    input.previous_output
                )));
            }
        }
        coins.retain(|(index, _)| {
            only.iter()
                .any(|wanted| usize::try_from(*wanted).is_ok_and(|wanted| wanted == *index))
        });
    }
    // Only what is set aside may be signed: else the same coin could be promised twice.
    match coins.iter().find(|(_, coin)| !coin.is_reserved(tip)) {
        Some((_, coin)) => Err(RpcError::lightningd(format!(
            "Aborting PSBT signing. UTXO {} is not reserved",
            coin.outpoint
        ))),
        None => Ok(coins),
    }
}
