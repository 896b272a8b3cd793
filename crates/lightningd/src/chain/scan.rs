//! Finding in a block what concerns the node.

use std::collections::HashSet;

use bitcoin::{Block, OutPoint, Script, Transaction, Txid};

/// What the node looks for besides the wallet's scripts and coins.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    /// Outputs whose spending matters.
    pub(crate) outpoints: HashSet<OutPoint>,
    /// Transactions whose confirmation matters.
    pub(crate) txids: HashSet<Txid>,
}

/// The wallet as far as blocks concern it.
pub(crate) trait WalletView {
    /// The key index of a script of ours.
    fn key_index(&self, script: &Script) -> Option<u32>;
    /// Whether an output is a coin of ours.
    fn has_coin(&self, outpoint: &OutPoint) -> bool;
}

/// A transaction that concerns the node, and why.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The transaction.
    pub(crate) tx: Transaction,
    /// Its txid.
    pub(crate) txid: Txid,
    /// Its index in the block.
    pub(crate) index: u32,
    /// Outputs that pay to the wallet: output index and key index.
    pub(crate) received: Vec<(u32, u32)>,
    /// Watched outputs it spends.
    pub(crate) spent: Vec<OutPoint>,
}

/// The transactions of a block that concern the node, in order. A transaction may spend what an earlier one of the same block made.
pub(crate) fn scan(block: &Block, interest: &Interest, wallet: &impl WalletView) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut new_outpoints = HashSet::new();
    // Outputs of what ends a channel: nobody could say yet that they matter.
    let mut followed = HashSet::new();
    for (tx, index) in block.txdata.iter().zip(0..) {
        let watched = |outpoint: &OutPoint| {
            interest.outpoints.contains(outpoint)
                || wallet.has_coin(outpoint)
                || new_outpoints.contains(outpoint)
                || followed.contains(outpoint)
        };
        let spent: Vec<OutPoint> = tx
            .input
            .iter()
            .map(|input| input.previous_output)
            .filter(watched)
            .collect();
        let received: Vec<(u32, u32)> = tx
            .output
            .iter()
            .zip(0..)
            .filter_map(|(output, vout)| Some((vout, wallet.key_index(&output.script_pubkey)?)))
            .collect();
        let concerned = !received.is_empty() || !spent.is_empty();
        if !concerned && interest.txids.is_empty() {
            continue;
        }
        let txid = tx.compute_txid();
        if !concerned && !interest.txids.contains(&txid) {
            continue;
        }
        let ends_channel = |outpoint: &OutPoint| {
            interest.outpoints.contains(outpoint) || followed.contains(outpoint)
        };
        if spent.iter().any(ends_channel) {
            let outputs = (0_u32..).zip(&tx.output);
            followed.extend(outputs.map(|(vout, _)| OutPoint { txid, vout }));
        }
        new_outpoints.extend(
            received
                .iter()
                .map(|(vout, _)| OutPoint { txid, vout: *vout }),
        );
        found.push(Found {
            tx: tx.clone(),
            txid,
            index,
            received,
            spent,
        });
    }
    found
}
