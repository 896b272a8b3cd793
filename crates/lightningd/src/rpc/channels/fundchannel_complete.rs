//! `fundchannel_complete`

use std::rc::Rc;

use bitcoin::psbt::Psbt;
use bitcoin::{OutPoint, ScriptBuf};
use ln_rpc::methods::channels::fundchannel_complete::{
    FundchannelComplete, FundchannelCompleteResponse,
};
use ln_rpc::params::Flag;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::Sat;

use super::fundchannel_start::check_connected;
use super::terms::open_error;
use crate::node::Node;
use crate::rpc::wallet::parse_psbt;
use crate::rpc::{Context, Handle};

impl Handle for FundchannelComplete {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let psbt = parse_psbt(&params.psbt)?;
        if params.withhold == Some(true) {
            let text = "withhold: this node does not open channels whose transaction is held back";
            return Err(RpcError::invalid_params(text));
        }
        check_connected(&node, params.id)?;
        let Some((slot, opened)) = node.openings.take_waiting(params.id).await else {
            return Err(RpcError::lightningd("No channel funding in progress."));
        };
        let funding = match funding_outpoint(&psbt, &opened.script, opened.request().funding) {
            Ok(funding) => funding,
            Err(error) => {
                // The transaction can be mended: the opening goes on waiting for it.
                slot.park(opened);
                return Err(error);
            }
        };
        slot.funding();
        let channel = opened
            .fund(&node, funding, None)
            .await
            .map_err(open_error)?;
        let channel_id = channel.row().channel_id;
        Ok(FundchannelCompleteResponse {
            channel_id,
            commitments_secured: Flag,
        })
    }
}

/// The output of the transaction that pays to the channel, exactly what was agreed on.
fn funding_outpoint(psbt: &Psbt, script: &ScriptBuf, amount: Sat) -> Result<OutPoint, RpcError> {
    let invalid = |text: String| RpcError::new(RpcErrorCode::FundingPsbtInvalid, text);
    let tx = &psbt.unsigned_tx;
    let mut paying = (0_u32..)
        .zip(&tx.output)
        .filter(|(_, output)| output.script_pubkey == *script);
    let Some((vout, output)) = paying.next() else {
        return Err(invalid("No output to open channel".to_owned()));
    };
    if paying.next().is_some() {
        return Err(invalid("Two outputs to open channel".to_owned()));
    }
    let value = Sat::from(output.value);
    if value != amount {
        return Err(invalid(format!(
            "Output to open channel is {value}, should be {amount}"
        )));
    }
    // A signature in the script of an input would change the txid: the channel would wait for a transaction that never comes.
    for (index, input) in psbt.inputs.iter().enumerate() {
        if input.witness_utxo.is_none() && input.final_script_sig.is_none() {
            return Err(invalid(format!(
                "Input {index} is non-segwit and unsigned: txid is unknown until signed"
            )));
        }
    }
    if vout > u32::from(u16::MAX) {
        let text = format!("Invalid parameter: funding tx vout too large {vout}");
        return Err(RpcError::invalid_params(text));
    }
    let mut tx = tx.clone();
    for (input, signed) in tx.input.iter_mut().zip(&psbt.inputs) {
        input.script_sig = signed.final_script_sig.clone().unwrap_or_default();
    }
    Ok(OutPoint {
        txid: tx.compute_txid(),
        vout,
    })
}
