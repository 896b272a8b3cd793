//! Transactions that spend the wallet's coins.

use std::rc::Rc;

use bitcoin::psbt::Psbt;
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut, Txid};
use ln_ipc::hsmd::{CloseInfo as HsmClose, HsmUtxo};
use ln_types::{BlockHeight, Feerate, Sat};
use ln_wallet::weight::{core_weight, output_weight};
use ln_wallet::{
    Amount, DEFAULT_RESERVATION, Origin, Utxo, anti_fee_sniping_locktime, build_psbt, extract,
    finalize,
};

use super::draw::{DrawRequest, Drawn, SpendError, draw, release};
use crate::chain::NotSent;
use crate::node::Node;

/// The least that the rest of the wallet must come to as an output.
const REST_DUST: Sat = Sat::from_sat(546);

/// Payments out of the wallet.
#[derive(Debug, Clone)]
pub(crate) struct SpendRequest {
    /// Where it goes and how much; [`Amount::All`] at most once.
    pub(crate) outputs: Vec<(ScriptBuf, Amount)>,
    /// What to pay for it.
    pub(crate) feerate: Feerate,
    /// The least confirmations of coins.
    pub(crate) min_confirmations: u32,
    /// Use exactly these coins.
    pub(crate) coins: Option<Vec<OutPoint>>,
    /// It is made and sent at once; else others may have it before it is sent.
    pub(crate) for_now: bool,
    /// A channel is being opened: keep the emergency reserve even if it is the first.
    pub(crate) opening: bool,
}

/// A transaction whose coins are reserved, not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct PreparedTx {
    /// Unsigned.
    pub(crate) psbt: Psbt,
    /// Its coins, as they were before.
    pub(crate) coins: Vec<Utxo>,
    /// Until when they are reserved.
    until: BlockHeight,
}

impl PreparedTx {
    /// A coin that is not kept for this transaction any more: the reservation is over, or was taken back.
    pub(crate) fn lost_coin(&self, node: &Node) -> Option<OutPoint> {
        let tip = node.chain.height();
        let lost = |outpoint: &OutPoint| {
            let coin = node.wallet.coin(outpoint);
            tip >= self.until || !coin.is_some_and(|coin| coin.is_reserved(tip))
        };
        self.coins.iter().map(|coin| coin.outpoint).find(lost)
    }

    /// The transaction as it is now. A wrapped coin's signature still changes its txid.
    pub(crate) fn unsigned(&self) -> &Transaction {
        &self.psbt.unsigned_tx
    }

    /// What goes to a script.
    pub(crate) fn paid_to(&self, script: &ScriptBuf) -> Option<Sat> {
        let outputs = &self.psbt.unsigned_tx.output;
        let output = outputs
            .iter()
            .find(|output| output.script_pubkey == *script)?;
        Some(output.value.into())
    }

    /// Pays another script, of the same length, instead.
    pub(crate) fn redirect(&mut self, from: &ScriptBuf, to: &ScriptBuf) {
        for output in &mut self.psbt.unsigned_tx.output {
            if output.script_pubkey == *from {
                output.script_pubkey.clone_from(to);
            }
        }
    }
}

/// Chooses coins, reserves them (durably) and builds the transaction. The change, if any, goes to a new address of ours.
pub(crate) async fn prepare(
    node: &Rc<Node>,
    request: &SpendRequest,
) -> Result<PreparedTx, SpendError> {
    let all = request
        .outputs
        .iter()
        .any(|(_, amount)| *amount == Amount::All);
    let exact: Sat = request
        .outputs
        .iter()
        .filter_map(|(_, amount)| exact(*amount))
        .sum();
    let weights: u64 = request
        .outputs
        .iter()
        .map(|(script, _)| output_weight(script))
        .sum();
    let count = u64::try_from(request.outputs.len()).unwrap_or(u64::MAX);
    let drawn = draw(
        node,
        &DrawRequest {
            amount: if all {
                Amount::All
            } else {
                Amount::Exact(exact)
            },
            feerate: request.feerate,
            start_weight: core_weight(1, count) + weights,
            min_confirmations: request.min_confirmations,
            min_witness_weight: 0,
            no_wrapped: false,
            excess_as_change: true,
            coins: request.coins.clone(),
            reserved_ok: false,
            reserve: DEFAULT_RESERVATION,
            for_now: request.for_now,
            opening: request.opening,
        },
    )
    .await?;
    let coins = drawn.funding.inputs.clone();
    let result = build(node, request, drawn, exact).await;
    if result.is_err() {
        drop(release(node, &coins).await);
    }
    result
}

fn exact(amount: Amount) -> Option<Sat> {
    match amount {
        Amount::Exact(amount) => Some(amount),
        Amount::All => None,
    }
}

async fn build(
    node: &Rc<Node>,
    request: &SpendRequest,
    drawn: Drawn,
    others: Sat,
) -> Result<PreparedTx, SpendError> {
    let rest = drawn.funding.excess.checked_sub(others);
    let mut outputs = Vec::new();
    for (index, (script, amount)) in request.outputs.iter().enumerate() {
        let value = match amount {
            Amount::Exact(amount) => *amount,
            Amount::All => rest.ok_or(SpendError::OutputTooLarge(index))?,
        };
        if *amount == Amount::All && value < REST_DUST {
            return Err(SpendError::RestTooSmall(value));
        }
        outputs.push(TxOut {
            value: value.into(),
            script_pubkey: script.clone(),
        });
    }
    let dice = random_u32();
    if let Some((value, script_pubkey)) = drawn.funding.change.zip(drawn.change) {
        // Where the payment stands must not tell which output is the change.
        let places = u32::try_from(outputs.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let place = usize::try_from(dice % places).unwrap_or_default();
        outputs.insert(
            place,
            TxOut {
                value: value.into(),
                script_pubkey,
            },
        );
    }
    let locktime = anti_fee_sniping_locktime(node.chain.height(), random_u32());
    let psbt = psbt_of(node, &drawn.funding.inputs, outputs, locktime).await?;
    Ok(PreparedTx {
        psbt,
        coins: drawn.funding.inputs,
        until: node.chain.height().plus(DEFAULT_RESERVATION),
    })
}

/// The PSBT that spends coins, with all that signers may want to know of them.
pub(crate) async fn psbt_of(
    node: &Rc<Node>,
    coins: &[Utxo],
    outputs: Vec<TxOut>,
    locktime: BlockHeight,
) -> Result<Psbt, SpendError> {
    let previous = previous_transactions(node, coins).await?;
    let find = |txid: &Txid| {
        previous
            .iter()
            .find(|tx| tx.compute_txid() == *txid)
            .cloned()
    };
    Ok(build_psbt(coins, outputs, locktime, find, |index| {
        node.wallet.public_key(index)
    }))
}

/// The whole transactions of the coins, as far as we have them.
pub(crate) async fn previous_transactions(
    node: &Rc<Node>,
    coins: &[Utxo],
) -> Result<Vec<Transaction>, SpendError> {
    let txids: Vec<_> = coins.iter().map(|coin| coin.outpoint.txid).collect();
    let rows = node
        .db
        .read(move |txn| {
            txids
                .iter()
                .map(|txid| txn.transaction(txid))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(rows.into_iter().flatten().map(|row| row.tx).collect())
}

/// A random number; its quality decides nothing but privacy.
pub(crate) fn random_u32() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// A coin as hsmd wants it described.
pub(crate) fn hsm_utxo(coin: &Utxo) -> HsmUtxo {
    let (key_index, close_info) = match &coin.origin {
        Origin::Wallet { key_index, .. } => (*key_index, None),
        Origin::Close(close) => (
            0,
            Some(HsmClose {
                channel_dbid: close.channel_dbid,
                peer_id: close.peer_id,
                commitment_point: close.commitment_point,
                option_anchors: close.has_anchors,
                csv: close.csv,
            }),
        ),
    };
    HsmUtxo {
        outpoint: coin.outpoint,
        amount: coin.value,
        key_index,
        script_pubkey: coin.script_pubkey.clone(),
        close_info,
    }
}

/// Has the coins of a prepared transaction signed. The result is final.
pub(crate) async fn sign(
    node: &Rc<Node>,
    prepared: &PreparedTx,
) -> Result<(Psbt, Transaction), SpendError> {
    let inputs = prepared.coins.iter().map(hsm_utxo).collect();
    let mut psbt = node
        .hsm
        .sign_withdrawal(inputs, prepared.psbt.clone())
        .await?;
    finalize(&mut psbt).map_err(anyhow::Error::from)?;
    let tx = extract(&psbt).map_err(anyhow::Error::from)?;
    Ok((psbt, tx))
}

/// Sends a signed transaction that spends `coins`; its change can be used at once.
///
/// When the network refuses it nothing of it is kept, so that it never goes out later, and its coins are free again. When nobody could be
/// asked it is kept, its coins stay reserved, and it goes out as soon as somebody can.
pub(crate) async fn send(
    node: &Rc<Node>,
    coins: &[Utxo],
    tx: &Transaction,
) -> anyhow::Result<Result<(), NotSent>> {
    node.wallet.add_unconfirmed(node, tx).await?;
    let sent = crate::chain::broadcast(node, tx.clone(), false).await?;
    if let Err(NotSent::Refused(_)) = &sent {
        forget(node, tx).await?;
        release(node, coins).await?;
    }
    Ok(sent)
}

/// Forgets a transaction that nobody has but us.
pub(crate) async fn forget(node: &Rc<Node>, tx: &Transaction) -> Result<(), ln_db::DbError> {
    let txid = tx.compute_txid();
    node.db
        .write(move |txn| txn.forget_transaction(&txid))
        .await?;
    node.chain.interest.borrow_mut().txids.remove(&txid);
    node.wallet.forget(tx);
    Ok(())
}
