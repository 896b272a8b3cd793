//! Coins of the wallet that pay for transactions of closed channels. The emergency reserve is there for this.

use std::rc::Rc;

use ln_types::{Feerate, Sat};
use ln_wallet::{Amount, DEFAULT_RESERVATION, FundRequest, Utxo, fund};

use crate::node::Node;

/// So many blocks before a reservation ends it is renewed.
const LAPSE_SOON: u32 = 12;

/// What coins are wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// What they must bring beside the fee for their transaction.
    pub(super) amount: Sat,
    /// What the transaction pays.
    pub(super) feerate: Feerate,
    /// What it weighs without them.
    pub(super) weight: u64,
    /// Whether what is left over goes into an output added for it.
    pub(super) change: bool,
}

/// Coins set aside.
#[derive(Debug, Clone)]
pub(super) struct SetAside {
    /// The coins, as they were before.
    pub(super) coins: Vec<Utxo>,
    /// The change output, if there is to be one.
    pub(super) change: Option<Sat>,
    /// What is left over without one.
    pub(super) excess: Sat,
    /// What the transaction weighs with them.
    pub(super) weight: u64,
}

/// Chooses coins and sets them aside; `spare` may be used though they are set aside: for the transaction that is replaced. Nothing when
/// the wallet has not enough.
///
/// Only in memory, until [`hold`]: a crash before there is a transaction must not keep the coins from the one that is made after it, for the
/// output that is to be taken may be the peer's long before a reservation ends.
// BIP 125 rule 2: a replacement brings no new unconfirmed inputs, so only confirmed coins are used.
pub(super) fn set_aside(node: &Rc<Node>, wanted: &Wanted, spare: &[Utxo]) -> Option<SetAside> {
    let tip = node.chain.height();
    let mut all = node.wallet.coins();
    for coin in &mut all {
        if spare.iter().any(|spare| spare.outpoint == coin.outpoint) {
            coin.reserved_until = None;
        }
    }
    let request = FundRequest {
        amount: Amount::Exact(wanted.amount),
        feerate: wanted.feerate,
        start_weight: wanted.weight,
        min_confirmations: 1,
        min_witness_weight: 0,
        no_wrapped: false,
        excess_as_change: wanted.change,
        emergency_reserve: Sat::ZERO,
        height: tip,
    };
    let Ok(funding) = fund(&all, &request) else {
        return None;
    };
    let until = tip.plus(DEFAULT_RESERVATION);
    node.wallet
        .change_coins(&funding.inputs, |coin| coin.reserved_until = Some(until));
    Some(SetAside {
        coins: funding.inputs,
        change: funding.change,
        excess: funding.excess,
        weight: funding.weight,
    })
}

/// Sets coins aside durably, once their transaction is in the database.
pub(super) async fn hold(node: &Rc<Node>, coins: &[Utxo]) -> anyhow::Result<()> {
    if coins.is_empty() {
        return Ok(());
    }
    let until = node.chain.height().plus(DEFAULT_RESERVATION);
    node.wallet.change_coins(coins, |coin| {
        if coin.spent_height.is_none() {
            coin.reserved_until = Some(until);
        }
    });
    Ok(crate::wallet::save_reservations(node, coins).await?)
}

/// Keeps coins set aside whose transaction waits longer than they were set aside for.
pub(super) async fn keep(node: &Rc<Node>, coins: &[Utxo]) -> anyhow::Result<()> {
    let tip = node.chain.height();
    let soon = tip.plus(LAPSE_SOON);
    let lapsing: Vec<Utxo> = coins
        .iter()
        .filter_map(|coin| node.wallet.coin(&coin.outpoint))
        .filter(|coin| coin.spent_height.is_none())
        .filter(|coin| coin.reserved_until.is_none_or(|until| until <= soon))
        .collect();
    if lapsing.is_empty() {
        return Ok(());
    }
    let until = tip.plus(DEFAULT_RESERVATION);
    node.wallet
        .change_coins(&lapsing, |coin| coin.reserved_until = Some(until));
    Ok(crate::wallet::save_reservations(node, &lapsing).await?)
}

/// Those of `coins` that are not among `others`.
pub(super) fn without(coins: Vec<Utxo>, others: &[Utxo]) -> Vec<Utxo> {
    let is_other = |coin: &Utxo| others.iter().any(|other| other.outpoint == coin.outpoint);
    coins.into_iter().filter(|coin| !is_other(coin)).collect()
}

/// Lets go of coins after all, but not of those the transaction before still uses.
pub(super) async fn let_go(node: &Rc<Node>, set: &SetAside, spare: &[Utxo]) -> anyhow::Result<()> {
    let unused = without(set.coins.clone(), spare);
    if !unused.is_empty() {
        crate::wallet::release(node, &unused).await?;
    }
    Ok(())
}
