//! PSBTs in parameters.

use bitcoin::psbt::Psbt;
use ln_rpc::RpcError;
use ln_wallet::Utxo;

use crate::node::Node;

/// Reads a PSBT in base64.
pub(in crate::rpc) fn parse_psbt(text: &str) -> Result<Psbt, RpcError> {
    text.parse().map_err(|_| {
        RpcError::invalid_params(format!("'psbt' Expected a PSBT, not '{}'", shortened(text)))
    })
}

/// Enough of a text to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(1000).collect()
}

/// The coins of ours that a PSBT spends, with the index of the input.
pub(super) fn our_coins(node: &Node, psbt: &Psbt) -> Vec<(usize, Utxo)> {
    let inputs = psbt.unsigned_tx.input.iter().enumerate();
    inputs
        .filter_map(|(index, input)| Some((index, node.wallet.coin(&input.previous_output)?)))
        .collect()
}
