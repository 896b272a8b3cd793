//! Transactions that spend the wallet's coins.

use std::rc::Rc;

use bitcoin::psbt::Psbt;
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut};
use ln_db::OutputStatus;
use ln_ipc::hsmd::{CloseInfo as HsmClose, HsmUtxo};
use ln_types::{BlockHeight, Feerate, Sat};
use ln_wallet::weight::{core_weight, output_weight};
use ln_wallet::{
    Amount, DEFAULT_RESERVATION, FundError, FundRequest, Funding, Origin, Utxo,
    anti_fee_sniping_locktime, build_psbt, extract, finalize, fund, fund_with,
};

use crate::node::Node;

/// One payment out of the wallet.
#[derive(Debug, Clone)]
pub(crate) struct SpendRequest {
    /// Where it goes.
    pub(crate) script: ScriptBuf,
    /// How much.
    pub(crate) amount: Amount,
    /// What to pay for it.
    pub(crate) feerate: Feerate,
    /// The least confirmations of coins.
    pub(crate) min_confirmations: u32,
    /// Use exactly these coins.
    pub(crate) coins: Option<Vec<OutPoint>>,
    /// Whether the emergency reserve must stay.
    pub(crate) keep_reserve: bool,
}

/// A transaction whose coins are reserved, not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct PreparedTx {
    /// Unsigned.
    pub(crate) psbt: Psbt,
    /// Its coins.
    pub(crate) coins: Vec<Utxo>,
    /// The index of the output that was asked for.
    pub(crate) output: u32,
    /// What that output carries.
    pub(crate) amount: Sat,
}

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpendError {
    /// Not enough money.
    #[error(transparent)]
    Fund(#[from] FundError),
    /// A coin that is not there or not free.
    #[error("output {0} is not a spendable output of this wallet")]
    UnknownCoin(OutPoint),
    /// Something inside failed.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

impl From<ln_db::DbError> for SpendError {
    fn from(error: ln_db::DbError) -> Self {
        Self::Internal(error.into())
    }
}

/// Chooses coins, reserves them (durably) and builds the transaction. The change, if any, goes to a new address of ours.
pub(crate) async fn prepare(
    node: &Rc<Node>,
    request: &SpendRequest,
) -> Result<PreparedTx, SpendError> {
    let tip = node.chain.height();
    let fund_request = FundRequest {
        amount: request.amount,
        feerate: request.feerate,
        start_weight: core_weight(1, 2) + output_weight(&request.script),
        min_confirmations: request.min_confirmations,
        min_witness_weight: 0,
        no_wrapped: false,
        excess_as_change: true,
        emergency_reserve: emergency_reserve(node, request.keep_reserve),
        height: tip,
    };
    let funding = choose(node, request, &fund_request)?;
    // Reserved in memory before the first await, so that nobody else takes the same coins.
    reserve(node, &funding.inputs, tip);
    let paid = match request.amount {
        Amount::Exact(amount) => amount,
        Amount::All => funding.excess,
    };
    let result = build(node, request, &funding, paid, tip).await;
    if result.is_err() {
        drop(release(node, &funding.inputs).await);
    }
    result
}

/// What must stay in the wallet: nothing without channels that may need it.
fn emergency_reserve(node: &Node, keep: bool) -> Sat {
    let needed = keep && node.channels.any_with_anchors();
    if needed {
        node.config.emergency_reserve.to_sat_ceil()
    } else {
        Sat::ZERO
    }
}

fn choose(
    node: &Node,
    request: &SpendRequest,
    fund_request: &FundRequest,
) -> Result<Funding, SpendError> {
    let all = node.wallet.coins();
    let Some(wanted) = &request.coins else {
        return Ok(fund(&all, fund_request)?);
    };
    let mut coins = Vec::new();
    for outpoint in wanted {
        let coin = node
            .wallet
            .coin(outpoint)
            .filter(|coin| coin.is_spendable(fund_request.height));
        coins.push(coin.ok_or(SpendError::UnknownCoin(*outpoint))?);
    }
    Ok(fund_with(&all, coins, fund_request)?)
}

fn reserve(node: &Node, coins: &[Utxo], tip: BlockHeight) {
    node.wallet
        .change_coins(coins, |coin| coin.reserve(tip, DEFAULT_RESERVATION));
}

/// Lets go of coins reserved for a transaction that will not be sent.
pub(crate) async fn release(node: &Rc<Node>, coins: &[Utxo]) -> Result<(), ln_db::DbError> {
    node.wallet
        .change_coins(coins, |coin| coin.reserved_until = None);
    let outpoints: Vec<OutPoint> = coins.iter().map(|coin| coin.outpoint).collect();
    node.db
        .write(move |txn| {
            outpoints.iter().try_for_each(|outpoint| {
                txn.set_output_status(*outpoint, OutputStatus::Available, None)
            })
        })
        .await
}

async fn build(
    node: &Rc<Node>,
    request: &SpendRequest,
    funding: &Funding,
    paid: Sat,
    tip: BlockHeight,
) -> Result<PreparedTx, SpendError> {
    let outpoints: Vec<OutPoint> = funding.inputs.iter().map(|coin| coin.outpoint).collect();
    let until = tip.plus(DEFAULT_RESERVATION);
    let write = node.db.write(move |txn| {
        outpoints.iter().try_for_each(|outpoint| {
            txn.set_output_status(*outpoint, OutputStatus::Reserved, Some(until))
        })
    });
    let mut outputs = vec![TxOut {
        value: paid.into(),
        script_pubkey: request.script.clone(),
    }];
    if let Some(change) = funding.change {
        outputs.push(TxOut {
            value: change.into(),
            script_pubkey: node.wallet.new_script(node).await?,
        });
    }
    write.await?;
    let dice = random_u32();
    // Where the payment stands must not tell which output is the change.
    if dice & 1 == 1 {
        outputs.reverse();
    }
    let output = outputs
        .iter()
        .zip(0_u32..)
        .find(|(output, _)| output.script_pubkey == request.script);
    let output = output.map_or(0, |(_, index)| index);
    let locktime = anti_fee_sniping_locktime(tip, dice);
    let wrapped_key = |index| node.wallet.public_key(index);
    let previous = previous_transactions(node, &funding.inputs).await?;
    let psbt = build_psbt(
        &funding.inputs,
        outputs,
        locktime,
        |txid| {
            previous
                .iter()
                .find(|tx| tx.compute_txid() == *txid)
                .cloned()
        },
        wrapped_key,
    );
    Ok(PreparedTx {
        psbt,
        coins: funding.inputs.clone(),
        output,
        amount: paid,
    })
}

/// The whole transactions of the coins, as far as we have them.
async fn previous_transactions(
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

fn random_u32() -> u32 {
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

/// Sends a signed transaction of ours; its change can be used at once. If the network refuses it, its coins are free again.
pub(crate) async fn send(
    node: &Rc<Node>,
    coins: &[Utxo],
    tx: &Transaction,
) -> anyhow::Result<Result<(), String>> {
    node.wallet.add_unconfirmed(node, tx).await?;
    let sent = crate::chain::broadcast(node, tx.clone(), true).await?;
    if sent.is_err() {
        release(node, coins).await?;
    }
    Ok(sent)
}
