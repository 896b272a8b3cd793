//! Making the transaction that takes one output.

use std::rc::Rc;

use bitcoin::psbt::Psbt;
use bitcoin::{ScriptBuf, Transaction, TxIn, TxOut};
use ln_ipc::hsmd::{HsmdSignHtlcTxMingle, WirePsbt};
use ln_onchain::{Claim, ClaimMethod, HtlcClaim};
use ln_tx::Spend;
use ln_types::{Feerate, Sat};
use ln_wallet::weight::output_weight;
use ln_wallet::{Utxo, extract, finalize, psbt_input};

use super::claims::Attempt;
use super::coins::{self, Wanted};
use super::{fee, sign};
use crate::channels::Channel;
use crate::hsm::hsm_reply;
use crate::node::Node;

/// The least an output may hold: the network's limit for a taproot output.
const DUST: Sat = Sat::from_sat(330);
/// Version, locktime, counts, marker and flag of a transaction with one input and one output.
const CORE_WEIGHT: u64 = 42;

/// What came of it.
#[derive(Debug)]
pub(super) enum Built {
    /// A transaction.
    Made(Attempt),
    /// None now; perhaps later.
    NotNow,
    /// The output is not worth any fee.
    Worthless,
}

/// What the transaction for a claim weighs, without inputs that only pay for it.
pub(super) fn weight(claim: &Claim, script: &ScriptBuf) -> u64 {
    match &claim.method {
        ClaimMethod::Sweep { path, .. } => {
            let spend = Spend {
                outpoint: claim.outpoint,
                value: claim.value,
                path: path.clone(),
            };
            CORE_WEIGHT
                .saturating_add(spend.input_weight())
                .saturating_add(output_weight(script))
        }
        ClaimMethod::HtlcTx(htlc) => htlc.weight(),
    }
}

/// Makes the transaction for a claim. Before it can be in a block no coins of the wallet are set aside for it; `spare` are those of the
/// transaction it replaces.
pub(super) async fn build(
    node: &Rc<Node>,
    channel: &Channel,
    claim: &Claim,
    script: &ScriptBuf,
    wanted: Feerate,
    ripe: bool,
    spare: &[Utxo],
) -> anyhow::Result<Built> {
    match &claim.method {
        ClaimMethod::Sweep { path, key } => {
            let most = fee::affordable(claim.value.saturating_sub(DUST), weight(claim, script));
            let feerate = wanted.min(most);
            let sweep = (feerate >= Feerate::FLOOR)
                .then(|| claim.sweep(script.clone(), feerate))
                .flatten();
            let Some(Ok(spend)) = sweep else {
                return Ok(Built::Worthless);
            };
            if feerate < wanted {
                let text = format!(
                    "{} is hardly worth taking: {} in fees",
                    claim.value,
                    spend.fee()
                );
                node.log.unusual(&channel.origin(), text);
            }
            let tx = sign::sweep(node, channel, claim, &spend, path, key).await?;
            Ok(Built::Made(Attempt {
                fee: spend.fee(),
                tx,
                feerate,
                coins: Vec::new(),
                sent: false,
            }))
        }
        ClaimMethod::HtlcTx(htlc) => {
            let tx = sign::htlc_tx(node, channel, claim, htlc).await?;
            let fee = claim.value.saturating_sub(outputs_of(&tx));
            if ripe && htlc.format.has_anchors() {
                return with_fee(node, channel, claim, htlc, script, tx, wanted, spare).await;
            }
            // Without anchors both have signed the fee, and nothing can change it.
            let feerate = if fee.is_zero() {
                Feerate::default()
            } else {
                wanted
            };
            Ok(Built::Made(Attempt {
                tx,
                fee,
                feerate,
                coins: Vec::new(),
                sent: false,
            }))
        }
    }
}

/// Adds coins of the wallet to an HTLC transaction, so that it pays `feerate`.
// BOLT 5 §Generation of HTLC Transactions: with anchors the fee comes from inputs of our own.
#[expect(
    clippy::too_many_arguments,
    reason = "all of them describe the one transaction"
)]
async fn with_fee(
    node: &Rc<Node>,
    channel: &Channel,
    claim: &Claim,
    htlc: &HtlcClaim,
    script: &ScriptBuf,
    signed: Transaction,
    feerate: Feerate,
    spare: &[Utxo],
) -> anyhow::Result<Built> {
    let base_fee = claim.value.saturating_sub(outputs_of(&signed));
    let request = Wanted {
        amount: Sat::ZERO,
        feerate,
        weight: htlc.weight(),
        change: true,
    };
    let Some(set) = coins::set_aside(node, &request, spare) else {
        let text = format!(
            "We want to bump HTLC fee of {}, but no funds!",
            claim.outpoint
        );
        node.log.unusual(&channel.origin(), text);
        return Ok(Built::NotNow);
    };
    let change = set.change.map(|value| TxOut {
        value: value.into(),
        script_pubkey: script.clone(),
    });
    let brought: Sat = set.coins.iter().map(|coin| coin.value).sum();
    let kept = change
        .as_ref()
        .map_or(Sat::ZERO, |change| Sat::from(change.value));
    let fee = base_fee.saturating_add(brought.saturating_sub(kept));
    if fee > claim.value {
        coins::let_go(node, &set, spare).await?;
        let text = format!(
            "Not spending {fee} in fees to get an HTLC worth {}!",
            claim.value
        );
        node.log.unusual(&channel.origin(), text);
        // At the lowest feerate of all it might be worth it one day.
        let least = Feerate::FLOOR.fee(set.weight);
        return Ok(if least > claim.value {
            Built::Worthless
        } else {
            Built::NotNow
        });
    }
    match mingle(node, channel, claim, htlc, &signed, &set.coins, change).await {
        Ok(tx) => Ok(Built::Made(Attempt {
            tx,
            fee,
            feerate,
            coins: set.coins,
            sent: false,
        })),
        Err(error) => {
            coins::let_go(node, &set, spare).await?;
            Err(error)
        }
    }
}

/// Has the coins signed that pay for an HTLC transaction.
async fn mingle(
    node: &Rc<Node>,
    channel: &Channel,
    claim: &Claim,
    htlc: &HtlcClaim,
    signed: &Transaction,
    coins: &[Utxo],
    change: Option<TxOut>,
) -> anyhow::Result<Transaction> {
    let inputs = coins
        .iter()
        .map(|coin| TxIn {
            previous_output: coin.outpoint,
            sequence: coin.sequence(),
            ..TxIn::default()
        })
        .collect();
    let mut psbt = Psbt::from_unsigned_tx(htlc.with_fee(inputs, change))?;
    let previous = crate::wallet::previous_transactions(node, coins)
        .await
        .map_err(anyhow::Error::from)?;
    let find = |txid: &bitcoin::Txid| {
        previous
            .iter()
            .find(|tx| tx.compute_txid() == *txid)
            .cloned()
    };
    let mut places = psbt.inputs.iter_mut();
    if let Some(place) = places.next() {
        place.witness_utxo = Some(TxOut {
            value: claim.value.into(),
            script_pubkey: htlc.witness_script.to_p2wsh(),
        });
        place.final_script_witness = signed.input.first().map(|input| input.witness.clone());
    }
    for (place, coin) in places.zip(coins) {
        *place = psbt_input(coin, find, |index| node.wallet.public_key(index));
    }
    let request = HsmdSignHtlcTxMingle {
        peer_id: channel.peer,
        channel_dbid: channel.dbid,
        inputs: coins.iter().map(crate::wallet::hsm_utxo).collect(),
        psbt: WirePsbt(psbt),
    };
    let reply = hsm_reply!(node.hsm.request(request).await, SignHtlcTxMingleReply)?;
    let mut psbt = reply.psbt.0;
    finalize(&mut psbt)?;
    Ok(extract(&psbt)?)
}

fn outputs_of(tx: &Transaction) -> Sat {
    tx.output.iter().map(|output| Sat::from(output.value)).sum()
}

/// The dearest transaction for a claim that an earlier run sent.
pub(super) fn attempt_of(node: &Node, claim: &Claim, kept: &[Transaction]) -> Option<Attempt> {
    let attempts = kept.iter().filter_map(|tx| {
        let first = tx.input.first()?;
        if first.previous_output != claim.outpoint || !fits(claim, tx) {
            return None;
        }
        let others = tx.input.iter().skip(1);
        let coins: Option<Vec<Utxo>> = others
            .map(|input| node.wallet.coin(&input.previous_output))
            .collect();
        let coins = coins?;
        let brought: Sat = coins.iter().map(|coin| coin.value).sum();
        let fee = claim
            .value
            .saturating_add(brought)
            .saturating_sub(outputs_of(tx));
        Some(Attempt {
            feerate: fee::affordable(fee, tx.weight().to_wu()),
            tx: tx.clone(),
            fee,
            coins: coins.into_iter().map(unreserved).collect(),
            sent: true,
        })
    });
    attempts.max_by_key(|attempt| attempt.fee)
}

/// Whether a transaction takes the output in the way the claim says: an HTLC can be timed out or fulfilled.
fn fits(claim: &Claim, tx: &Transaction) -> bool {
    match &claim.method {
        ClaimMethod::Sweep { .. } => tx.input.len() == 1,
        ClaimMethod::HtlcTx(htlc) => {
            tx.output.first() == htlc.tx.output.first() && tx.lock_time == htlc.tx.lock_time
        }
    }
}

/// A coin as it was before it was set aside.
fn unreserved(coin: Utxo) -> Utxo {
    Utxo {
        reserved_until: None,
        ..coin
    }
}
