//! Paying for our commitment that waits for a block: a child that spends its anchor and coins of the wallet.

use std::rc::Rc;

use bitcoin::absolute::LockTime;
use bitcoin::psbt::{Input, Psbt};
use bitcoin::transaction::Version;
use bitcoin::{Transaction, TxIn, TxOut, Txid};
use ln_db::HtlcDirection;
use ln_ipc::hsmd::{HsmdSignAnchorspend, WirePsbt};
use ln_onchain::anchor::AnchorBump;
use ln_types::{ChannelState, FeeTarget, Feerate, Sat};
use ln_wallet::weight::{CHANGE_WEIGHT, P2TR_INPUT_WEIGHT, core_weight};
use ln_wallet::{Utxo, extract, finalize, psbt_input};

use super::coins::{self, SetAside, Wanted};
use super::fee::{self, Stakes};
use super::{htlcs, sign};
use crate::channels::Channel;
use crate::channels::closing::local_commitment;
use crate::hsm::hsm_reply;
use crate::node::Node;

/// The least the child's output holds.
const DUST: Sat = Sat::from_sat(330);

/// What was done to get a commitment into a block.
#[derive(Debug, Default)]
pub(super) struct Bump {
    /// Whether it is being looked at.
    busy: bool,
    /// Whether what an earlier run sent was looked for.
    searched: bool,
    child: Option<Child>,
}

/// A child that was sent.
#[derive(Debug, Clone)]
struct Child {
    parent: Txid,
    tx: Transaction,
    fee: Sat,
    /// What parent and child pay together.
    feerate: Feerate,
    coins: Vec<Utxo>,
}

/// Looks at a channel whose commitment waits for a block, in the background.
pub(super) fn consider(node: &Rc<Node>, channel: &Rc<Channel>) {
    if std::mem::replace(&mut channel.ending.bump.borrow_mut().busy, true) {
        return;
    }
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = bump(&node, &channel).await {
            let text = format!("our commitment can't be helped into a block now: {error:#}");
            node.log.broken(&channel.origin(), text);
        }
        channel.ending.bump.borrow_mut().busy = false;
    });
}

/// Another transaction than our commitment is in a block: its child will never be.
pub(super) async fn settled(
    node: &Rc<Node>,
    channel: &Channel,
    confirmed: Txid,
) -> anyhow::Result<()> {
    let child = channel
        .ending
        .bump
        .borrow_mut()
        .child
        .take_if(|child| child.parent != confirmed);
    if let Some(child) = child {
        crate::wallet::forget(node, &child.tx).await?;
        crate::wallet::release(node, &child.coins).await?;
    }
    Ok(())
}

// BOLT 5 §Failing a Channel: with anchors the commitment may have to be helped into a block by spending its anchor.
async fn bump(node: &Rc<Node>, channel: &Rc<Channel>) -> anyhow::Result<()> {
    let Some(closing) = channel.row().last_tx.clone() else {
        return Ok(());
    };
    let commitment = local_commitment(channel)?;
    let parent = closing.compute_txid();
    if commitment.txid() != parent {
        return Ok(());
    }
    let Some(anchor) = AnchorBump::new(&commitment) else {
        return Ok(());
    };
    search(node, channel, &anchor).await?;
    // Mempools forget: the parent goes out again with every block, and the child after it.
    let parent_refusal = node.backend.send(&closing, true).await?.err();
    let last = channel.ending.bump.borrow().child.clone();
    let feerate = wanted(node, channel, &anchor, last.as_ref())?;
    if channel.row().state != ChannelState::AwaitingUnilateral {
        return Ok(());
    }
    let keep = match &last {
        Some(last) => {
            let weight = anchor
                .parent_weight
                .saturating_add(last.tx.weight().to_wu());
            let fee = feerate.fee(weight).saturating_sub(anchor.parent_fee);
            !fee::may_replace(last.fee, fee, last.tx.weight().to_wu())
        }
        None => anchor.is_enough(feerate),
    };
    if keep {
        if let Some(last) = last {
            drop(node.backend.send(&last.tx, true).await?);
            coins::keep(node, &last.coins).await?;
        }
        return Ok(());
    }
    let spare = last
        .as_ref()
        .map_or_else(Vec::new, |last| last.coins.clone());
    let Some(child) = make(node, channel, parent, &anchor, feerate, &spare).await? else {
        let text = format!(
            "We want to bump the fee of our commitment to {}perkw, but no funds!",
            feerate.as_perkw()
        );
        node.log.unusual(&channel.origin(), text);
        return Ok(());
    };
    let text = format!(
        "Creating anchor spend for local commit tx {parent}: we're paying fee {} to get feerate {}perkw{}",
        child.fee,
        feerate.as_perkw(),
        parent_refusal.map_or_else(String::new, |refusal| format!(" ({refusal})")),
    );
    node.log.info(&channel.origin(), text);
    send(node, channel, child, last).await
}

/// Finds the child an earlier run sent.
async fn search(node: &Rc<Node>, channel: &Channel, anchor: &AnchorBump) -> anyhow::Result<()> {
    if std::mem::replace(&mut channel.ending.bump.borrow_mut().searched, true) {
        return Ok(());
    }
    let kept = node.db.read(|txn| txn.unconfirmed_transactions()).await?;
    let outpoint = anchor.anchor.outpoint;
    let mut children: Vec<Child> = kept
        .into_iter()
        .filter_map(|row| {
            let tx = row.tx;
            let (first, others) = tx.input.split_first()?;
            let coins: Option<Vec<Utxo>> = others
                .iter()
                .map(|input| node.wallet.coin(&input.previous_output))
                .collect();
            let coins = coins.filter(|_| first.previous_output == outpoint)?;
            let brought: Sat = coins.iter().map(|coin| coin.value).sum();
            let out: Sat = tx.output.iter().map(|output| output.value.into()).sum();
            let fee = brought
                .saturating_add(anchor.anchor.value)
                .saturating_sub(out);
            let weight = anchor.parent_weight.saturating_add(tx.weight().to_wu());
            let feerate = fee::affordable(fee.saturating_add(anchor.parent_fee), weight);
            Some(Child {
                parent: outpoint.txid,
                tx,
                fee,
                feerate,
                coins,
            })
        })
        .collect();
    children.sort_by_key(|child| child.fee);
    channel.ending.bump.borrow_mut().child = children.pop();
    Ok(())
}

/// What parent and child together should pay.
fn wanted(
    node: &Rc<Node>,
    channel: &Channel,
    anchor: &AnchorBump,
    last: Option<&Child>,
) -> anyhow::Result<Feerate> {
    let blocks_left = blocks_left(node, channel);
    let machine = channel.machine()?;
    let htlcs: ln_types::Msat = channel
        .htlcs
        .borrow()
        .values()
        .map(|htlc| htlc.amount)
        .sum();
    let at_stake = machine.to_us().saturating_add(htlcs).to_sat_floor();
    let fees = node.fees.borrow();
    let mut target = fees
        .target(FeeTarget::UnilateralClose)
        .unwrap_or(fees.floor);
    if let Some(left) = blocks_left {
        target = target.max(
            fees.within(FeeTarget::UnilateralClose, left)
                .unwrap_or(fees.floor),
        );
    }
    let child_weight = child_weight(anchor).saturating_add(P2TR_INPUT_WEIGHT);
    let stakes = Stakes {
        value: at_stake,
        weight: anchor.parent_weight.saturating_add(child_weight),
        blocks_left,
        too_cheap: false,
    };
    let last = last.map(|child| child.feerate);
    Ok(fee::choose(target, fees.floor, last, stakes))
}

/// How many blocks are left until an HTLC of the commitment can be lost; none without such HTLCs.
fn blocks_left(node: &Rc<Node>, channel: &Channel) -> Option<u32> {
    let tip = node.chain.height();
    let delta = u32::from(node.config.cltv_delta.0);
    let htlcs = channel.htlcs.borrow();
    let deadlines = htlcs.values().filter_map(|htlc| match htlc.direction {
        HtlcDirection::Incoming => htlc.preimage.map(|_| htlc.cltv_expiry.0),
        // A payment of our own is in no hurry, but looks as if it were: others shall not know whose it is.
        HtlcDirection::Outgoing => Some(
            htlcs::incoming_expiry(node, htlc)
                .map_or(htlc.cltv_expiry.0.saturating_add(delta), |expiry| expiry.0),
        ),
    });
    deadlines
        .min()
        .map(|deadline| deadline.saturating_sub(tip.0).max(1))
}

/// What the child weighs without coins.
fn child_weight(anchor: &AnchorBump) -> u64 {
    core_weight(1, 1)
        .saturating_add(anchor.anchor.input_weight())
        .saturating_add(CHANGE_WEIGHT)
}

/// Makes the child; nothing when the wallet has not enough.
async fn make(
    node: &Rc<Node>,
    channel: &Channel,
    parent: Txid,
    anchor: &AnchorBump,
    feerate: Feerate,
    spare: &[Utxo],
) -> anyhow::Result<Option<Child>> {
    let request = Wanted {
        amount: anchor.missing_fee(feerate).saturating_add(DUST),
        feerate,
        weight: child_weight(anchor),
        change: false,
    };
    let Some(set) = coins::set_aside(node, &request, spare) else {
        return Ok(None);
    };
    match sign_child(node, channel, anchor, &set).await {
        Ok(tx) => {
            let brought: Sat = set.coins.iter().map(|coin| coin.value).sum();
            let out: Sat = tx.output.iter().map(|output| output.value.into()).sum();
            let fee = brought
                .saturating_add(anchor.anchor.value)
                .saturating_sub(out);
            Ok(Some(Child {
                parent,
                tx,
                fee,
                feerate,
                coins: set.coins,
            }))
        }
        Err(error) => {
            coins::let_go(node, &set, spare).await?;
            Err(error)
        }
    }
}

async fn sign_child(
    node: &Rc<Node>,
    channel: &Channel,
    anchor: &AnchorBump,
    set: &SetAside,
) -> anyhow::Result<Transaction> {
    let coins = set.coins.iter().map(|coin| TxIn {
        previous_output: coin.outpoint,
        sequence: coin.sequence(),
        ..TxIn::default()
    });
    let output = TxOut {
        value: DUST.saturating_add(set.excess).into(),
        script_pubkey: sign::sweep_script(node, channel).await?,
    };
    let mut psbt = Psbt::from_unsigned_tx(Transaction {
        version: Version::TWO,
        lock_time: LockTime::from_height(node.chain.height().0).unwrap_or(LockTime::ZERO),
        input: std::iter::once(anchor.anchor.input())
            .chain(coins)
            .collect(),
        output: vec![output],
    })?;
    let previous = crate::wallet::previous_transactions(node, &set.coins)
        .await
        .map_err(anyhow::Error::from)?;
    let find = |txid: &Txid| {
        previous
            .iter()
            .find(|tx| tx.compute_txid() == *txid)
            .cloned()
    };
    let mut places = psbt.inputs.iter_mut();
    if let Some(place) = places.next() {
        *place = anchor_input(channel, anchor)?;
    }
    for (place, coin) in places.zip(&set.coins) {
        *place = psbt_input(coin, find, |index| node.wallet.public_key(index));
    }
    let request = HsmdSignAnchorspend {
        peer_id: channel.peer,
        channel_dbid: channel.dbid,
        inputs: set.coins.iter().map(crate::wallet::hsm_utxo).collect(),
        psbt: WirePsbt(psbt),
    };
    let reply = hsm_reply!(node.hsm.request(request).await, SignAnchorspendReply)?;
    let mut psbt = reply.psbt.0;
    finalize(&mut psbt)?;
    Ok(extract(&psbt)?)
}

/// The anchor as hsmd knows it: by the funding key.
fn anchor_input(channel: &Channel, anchor: &AnchorBump) -> anyhow::Result<Input> {
    let key = channel.machine()?.params.sides.local.basepoints.funding;
    let script = anchor.anchor.path.witness_script().cloned();
    let mut input = Input {
        witness_utxo: script.as_ref().map(|script| TxOut {
            value: anchor.anchor.value.into(),
            script_pubkey: script.to_p2wsh(),
        }),
        witness_script: script,
        ..Input::default()
    };
    // hsmd looks for the key and for nothing else here.
    input.bip32_derivation.insert(key, Default::default());
    Ok(input)
}

/// Sends the child in place of the one before.
async fn send(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    child: Child,
    last: Option<Child>,
) -> anyhow::Result<()> {
    let sent = crate::chain::broadcast(node, child.tx.clone(), true).await?;
    coins::hold(node, &child.coins).await?;
    if let Err(refusal) = sent {
        let text = format!(
            "anchor spend {} was not taken: {refusal}",
            child.tx.compute_txid()
        );
        node.log.unusual(&channel.origin(), text);
    }
    if let Some(last) = last {
        crate::wallet::forget(node, &last.tx).await?;
        let unused = coins::without(last.coins, &child.coins);
        if !unused.is_empty() {
            crate::wallet::release(node, &unused).await?;
        }
    }
    channel.ending.bump.borrow_mut().child = Some(child);
    Ok(())
}
