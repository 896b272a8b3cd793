//! `withdraw`

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use bitcoin::psbt::Psbt;
use bitcoin::{OutPoint, ScriptBuf, Transaction};
use ln_db::DbError;
use ln_rpc::methods::wallet::withdraw::{Withdraw, WithdrawResponse};
use ln_rpc::params::{Hex, SatOrAll};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeeTarget, Sat};
use ln_wallet::Amount;

use super::{feerate, parse_address, spend_error};
use crate::accounts;
use crate::chain::NotSent;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};
use crate::wallet::{PreparedTx, SpendRequest, prepare, release, send, sign};

impl Handle for Withdraw {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let script = parse_address(node.config.network, "destination", &params.destination)?;
        let amount = amount(params.satoshi);
        check_dust(&script, amount)?;
        let request = SpendRequest {
            outputs: vec![(script, amount)],
            feerate: feerate(&node, params.feerate, FeeTarget::Opening)?,
            min_confirmations: params.minconf.map_or(1, u32::from),
            coins: params.utxos,
            for_now: true,
            opening: false,
        };
        let prepared = prepare(&node, &request)
            .await
            .map_err(|error| spend_error(&node, error))?;
        let (psbt, tx) = sign_and_send(&node, &prepared).await?;
        Ok(WithdrawResponse {
            txid: tx.compute_txid(),
            tx: Hex(serialize(&tx)),
            psbt: psbt.to_string(),
        })
    }
}

/// An amount for the wallet.
pub(super) fn amount(wanted: SatOrAll) -> Amount {
    match wanted {
        SatOrAll::All => Amount::All,
        SatOrAll::Sat(amount) => Amount::Exact(amount),
    }
}

/// An output that the network does not relay fails before any coin is touched.
pub(super) fn check_dust(script: &ScriptBuf, amount: Amount) -> Result<(), RpcError> {
    let least = Sat::from(script.minimal_non_dust());
    match amount {
        Amount::Exact(amount) if amount < least => {
            let text = format!("{amount} is below the dust limit of {least}: send more");
            Err(RpcError::new(RpcErrorCode::FundOutputIsDust, text))
        }
        Amount::Exact(_) | Amount::All => Ok(()),
    }
}

/// Signs and sends; whatever fails before the transaction is out releases its coins.
pub(super) async fn sign_and_send(
    node: &Rc<Node>,
    prepared: &PreparedTx,
) -> Result<(Psbt, Transaction), RpcError> {
    let (psbt, tx) = match sign(node, prepared).await {
        Ok(signed) => signed,
        Err(error) => {
            release(node, &prepared.coins).await.map_err(internal)?;
            return Err(spend_error(node, error));
        }
    };
    // Before it is sent, so that it is in the accounts whatever happens then.
    note_payments(node, &tx).await.map_err(internal)?;
    match send(node, &prepared.coins, &tx).await.map_err(internal)? {
        Ok(()) => {
            let txid = tx.compute_txid();
            let kept = node.db.write(move |txn| accounts::paid_outside(txn, &txid));
            accounts::tell(node, kept.await.map_err(internal)?);
            Ok((psbt, tx))
        }
        Err(not_sent) => Err(not_sent_error(&not_sent, &tx)),
    }
}

/// Notes what a transaction pays to others.
async fn note_payments(node: &Rc<Node>, tx: &Transaction) -> Result<(), DbError> {
    let txid = tx.compute_txid();
    let outputs = (0_u32..).zip(&tx.output);
    let outside: Vec<(OutPoint, Sat)> = outputs
        .filter(|(_, output)| node.wallet.key_index_of(&output.script_pubkey).is_none())
        .map(|(vout, output)| (OutPoint { txid, vout }, Sat::from(output.value)))
        .collect();
    let noted = node.db.write(move |txn| {
        let mut outside = outside.into_iter();
        outside.try_for_each(|(utxo, value)| txn.add_outside_payment(utxo, value))
    });
    noted.await
}

/// The error of a transaction of the wallet's that did not go out.
pub(super) fn not_sent_error(not_sent: &NotSent, tx: &Transaction) -> RpcError {
    let text = match not_sent {
        NotSent::Refused(refusal) => {
            let raw = Hex(serialize(tx));
            format!("Error broadcasting transaction: {refusal}. Unsent tx discarded {raw}")
        }
        NotSent::Unavailable(problem) => {
            let txid = tx.compute_txid();
            format!(
                "Error broadcasting transaction: {problem}. Transaction {txid} is kept and will be sent: don't make another"
            )
        }
    };
    RpcError::new(RpcErrorCode::Lightningd, text)
}
