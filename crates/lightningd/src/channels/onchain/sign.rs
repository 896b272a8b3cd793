//! Having hsmd sign what takes an output of a closed channel.

use std::rc::Rc;

use anyhow::Context as _;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{ScriptBuf, Transaction, TxOut};
use ln_ipc::hsmd::{
    BitcoinSignature, BitcoinTx, HsmdSignAnyDelayedPaymentToUs, HsmdSignAnyLocalHtlcTx,
    HsmdSignAnyPenaltyToUs, HsmdSignAnyRemoteHtlcToUs, ToHsmd,
};
use ln_onchain::{Claim, ClaimKey, HtlcClaim};
use ln_tx::{SpendPath, SpendTx, witness_signature};

use crate::channels::Channel;
use crate::hsm::hsm_reply;
use crate::node::Node;

/// A transaction with the one output it spends, as hsmd wants it.
fn described(tx: &Transaction, claim: &Claim, script: &ScriptBuf) -> BitcoinTx {
    let spent = TxOut {
        value: claim.value.into(),
        script_pubkey: script.to_p2wsh(),
    };
    BitcoinTx::new(tx.clone(), [spent]).with_input_scripts([Some(script.clone())])
}

async fn ask(node: &Node, request: impl Into<ToHsmd>) -> anyhow::Result<BitcoinSignature> {
    Ok(hsm_reply!(node.hsm.request(request).await, SignTxReply)?.sig)
}

/// Whether a way of taking an HTLC output is that of a commitment with anchors.
fn has_anchors(path: &SpendPath) -> bool {
    match path {
        SpendPath::HtlcPreimage { format, .. } | SpendPath::HtlcTimeout { format, .. } => {
            format.has_anchors()
        }
        SpendPath::ToRemoteP2wpkh { .. }
        | SpendPath::ToLocalDelayed { .. }
        | SpendPath::ToRemote { .. }
        | SpendPath::Anchor { .. }
        | SpendPath::RevokedToLocal { .. }
        | SpendPath::RevokedHtlc { .. } => false,
    }
}

/// Signs a transaction of our own making that takes one output.
pub(super) async fn sweep(
    node: &Node,
    channel: &Channel,
    claim: &Claim,
    spend: &SpendTx,
    path: &SpendPath,
    key: &ClaimKey,
) -> anyhow::Result<Transaction> {
    let wscript = path
        .witness_script()
        .context("an output without a script belongs to the wallet")?
        .clone();
    let tx = described(spend.unsigned(), claim, &wscript);
    let (peer_id, channel_dbid, input) = (channel.peer, channel.dbid, 0);
    let signature = match key {
        ClaimKey::Delayed { number } => {
            let commit_num = *number;
            let request = HsmdSignAnyDelayedPaymentToUs {
                commit_num,
                tx,
                wscript,
                input,
                peer_id,
                channel_dbid,
            };
            ask(node, request).await?
        }
        ClaimKey::RemoteHtlc {
            per_commitment_point,
        } => {
            let request = HsmdSignAnyRemoteHtlcToUs {
                remote_per_commitment_point: *per_commitment_point,
                tx,
                wscript,
                option_anchor_outputs: has_anchors(path),
                input,
                peer_id,
                channel_dbid,
            };
            ask(node, request).await?
        }
        ClaimKey::Penalty {
            per_commitment_secret,
        } => {
            let revocation_secret: SecretKey = per_commitment_secret
                .secret_key()
                .context("the revocation secret is no key")?;
            let request = HsmdSignAnyPenaltyToUs {
                revocation_secret,
                tx,
                wscript,
                input,
                peer_id,
                channel_dbid,
            };
            ask(node, request).await?
        }
    };
    Ok(with_witness(spend.unsigned(), path, &signature))
}

/// Puts the input's witness in. What the signature covers is hsmd's choice.
fn with_witness(tx: &Transaction, path: &SpendPath, signature: &BitcoinSignature) -> Transaction {
    let mut items = path.witness(&signature.signature).to_vec();
    if let Some(first) = items.first_mut() {
        *first = witness_signature(&signature.signature, signature.sighash);
    }
    let mut tx = tx.clone();
    if let Some(input) = tx.input.first_mut() {
        input.witness = bitcoin::Witness::from_slice(&items);
    }
    tx
}

/// Signs an HTLC transaction of our own commitment. With anchors the result pays no fee: inputs may be added to it.
pub(super) async fn htlc_tx(
    node: &Node,
    channel: &Channel,
    claim: &Claim,
    htlc: &HtlcClaim,
) -> anyhow::Result<Transaction> {
    let request = HsmdSignAnyLocalHtlcTx {
        commit_num: htlc.number,
        tx: described(&htlc.tx, claim, &htlc.witness_script),
        wscript: htlc.witness_script.clone(),
        option_anchor_outputs: htlc.format.has_anchors(),
        input: 0,
        peer_id: channel.peer,
        channel_dbid: channel.dbid,
    };
    let signature = ask(node, request).await?;
    let mut tx = htlc.tx.clone();
    htlc.finish(&mut tx, &signature.signature);
    // BOLT 3 §HTLC-Timeout and HTLC-Success Transactions: our signature is the third item of the witness.
    if let Some(input) = tx.input.first_mut() {
        let mut items = input.witness.to_vec();
        if let Some(ours) = items.get_mut(2) {
            *ours = witness_signature(&signature.signature, signature.sighash);
        }
        input.witness = bitcoin::Witness::from_slice(&items);
    }
    Ok(tx)
}

/// The wallet's script for everything this channel's outputs are swept to: one for each channel, chosen durably the first time.
pub(super) async fn sweep_script(node: &Rc<Node>, channel: &Channel) -> anyhow::Result<ScriptBuf> {
    let dbid = channel.dbid;
    let index = match node.db.read(move |txn| txn.sweep_key(dbid)).await? {
        Some(index) => index,
        None => {
            let index = node.wallet.new_index(node, 4).await?;
            node.db
                .write(move |txn| txn.set_sweep_key(dbid, index))
                .await?;
            index
        }
    };
    node.wallet.script(ln_wallet::AddressKind::P2tr, index)
}
