//! Choosing coins for a transaction and setting them aside.

use std::collections::HashSet;
use std::rc::Rc;

use bitcoin::{OutPoint, ScriptBuf};
use ln_db::{DbError, OutputStatus, Pending, Txn};
use ln_types::{BlockHeight, Feerate, Sat};
use ln_wallet::{Amount, FundError, FundRequest, Funding, Utxo, fund, fund_with};

use crate::node::Node;

/// What coins are wanted for.
#[derive(Debug, Clone)]
pub(crate) struct DrawRequest {
    /// What they must bring beside the fee.
    pub(crate) amount: Amount,
    /// What to pay for the transaction.
    pub(crate) feerate: Feerate,
    /// What it weighs without these inputs and the change.
    pub(crate) start_weight: u64,
    /// The least confirmations of coins.
    pub(crate) min_confirmations: u32,
    /// The least weight to count for each input's witness.
    pub(crate) min_witness_weight: u64,
    /// Leave wrapped coins alone.
    pub(crate) no_wrapped: bool,
    /// Put what is left over into a change output.
    pub(crate) excess_as_change: bool,
    /// Use exactly these coins.
    pub(crate) coins: Option<Vec<OutPoint>>,
    /// Of `coins`, take also those that are set aside.
    pub(crate) reserved_ok: bool,
    /// For how many blocks to set them aside; 0 is not at all.
    pub(crate) reserve: u32,
    /// The transaction is made and sent at once, and nobody sees it before that.
    pub(crate) for_now: bool,
    /// A channel is being opened: keep the emergency reserve even if it is the first.
    pub(crate) opening: bool,
}

/// Coins that were set aside.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    /// The coins as they were before, and the sums.
    pub(crate) funding: Funding,
    /// Where the change goes, if there is some.
    pub(crate) change: Option<ScriptBuf>,
}

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpendError {
    /// Not enough money.
    #[error(transparent)]
    Fund(#[from] FundError),
    /// Not enough money in the coins that were named.
    #[error(
        "Could not afford {wanted} using UTXOs totalling {total} with weight {weight} at feerate {}",
        feerate.as_perkw()
    )]
    NamedCoins {
        /// What was wanted, in words.
        wanted: String,
        /// What the coins hold.
        total: Sat,
        /// What the transaction would weigh.
        weight: u64,
        /// The feerate.
        feerate: Feerate,
    },
    /// One of several outputs takes more than `all` is.
    #[error("Could not afford output {0}")]
    OutputTooLarge(usize),
    /// Too little is left for the output that gets the rest.
    #[error("Could not afford 'all' output: only {0} left")]
    RestTooSmall(Sat),
    /// A coin that is not ours.
    #[error("Unknown UTXO {0}")]
    UnknownCoin(OutPoint),
    /// A coin that is gone.
    #[error("Already spent UTXO {0}")]
    SpentCoin(OutPoint),
    /// A coin that another transaction has.
    #[error("UTXO {0} already reserved")]
    ReservedCoin(OutPoint),
    /// A coin that has to wait.
    #[error("UTXO {0} can't be spent yet: it has to wait for more confirmations")]
    ImmatureCoin(OutPoint),
    /// Something inside failed.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

impl From<DbError> for SpendError {
    fn from(error: DbError) -> Self {
        Self::Internal(error.into())
    }
}

/// Chooses coins and sets them aside, durably; a change address is made if one is needed.
///
/// Nothing is awaited between the choice and the reservation in memory, so no two callers ever get the same coin.
pub(crate) async fn draw(node: &Rc<Node>, request: &DrawRequest) -> Result<Drawn, SpendError> {
    let tip = node.chain.height();
    let funding = choose(node, request, tip)?;
    let saved = if request.reserve == 0 {
        None
    } else {
        node.wallet
            .change_coins(&funding.inputs, |coin| coin.reserve(tip, request.reserve));
        Some(save(node, &funding.inputs, request.for_now))
    };
    let change = async {
        let change = match funding.change {
            Some(_) => Some(node.wallet.new_script(node).await?),
            None => None,
        };
        if let Some(saved) = saved {
            saved.await?;
        }
        Ok(change)
    };
    match change.await {
        Ok(change) => Ok(Drawn { funding, change }),
        Err(error) => {
            if request.reserve != 0 {
                drop(release(node, &funding.inputs).await);
            }
            Err(error)
        }
    }
}

/// What must stay in the wallet: nothing without channels that may need it.
fn emergency_reserve(node: &Node, opening: bool) -> Sat {
    if opening || node.channels.any_with_anchors() {
        node.config.emergency_reserve.to_sat_ceil()
    } else {
        Sat::ZERO
    }
}

fn choose(node: &Node, request: &DrawRequest, tip: BlockHeight) -> Result<Funding, SpendError> {
    let fund_request = FundRequest {
        amount: request.amount,
        feerate: request.feerate,
        start_weight: request.start_weight,
        min_confirmations: request.min_confirmations,
        min_witness_weight: request.min_witness_weight,
        no_wrapped: request.no_wrapped,
        excess_as_change: request.excess_as_change,
        emergency_reserve: emergency_reserve(node, request.opening),
        height: tip,
    };
    let all = node.wallet.coins();
    let Some(wanted) = &request.coins else {
        return Ok(fund(&all, &fund_request)?);
    };
    let mut coins = Vec::new();
    for outpoint in wanted {
        let coin = node
            .wallet
            .coin(outpoint)
            .ok_or(SpendError::UnknownCoin(*outpoint))?;
        if coin.spent_height.is_some() {
            return Err(SpendError::SpentCoin(*outpoint));
        }
        if !request.reserved_ok && coin.is_reserved(tip) {
            return Err(SpendError::ReservedCoin(*outpoint));
        }
        if !coin.is_mature(tip) {
            return Err(SpendError::ImmatureCoin(*outpoint));
        }
        coins.push(coin);
    }
    let total = coins.iter().map(|coin| coin.value).sum();
    let weight = coins.iter().fold(request.start_weight, |weight, coin| {
        weight + ln_wallet::weight::input_weight(coin, request.min_witness_weight)
    });
    let named = |wanted: String| SpendError::NamedCoins {
        wanted,
        total,
        weight,
        feerate: request.feerate,
    };
    match fund_with(&all, coins, &fund_request) {
        Err(FundError::CannotAfford { amount, .. }) => Err(named(amount.to_string())),
        Err(FundError::CannotAffordFees { .. }) => Err(named("anything".to_owned())),
        result => Ok(result?),
    }
}

/// Makes durable until when coins are set aside, as they are in memory now.
pub(crate) fn save_reservations(node: &Node, coins: &[Utxo]) -> Pending<()> {
    save(node, coins, false)
}

fn save(node: &Node, coins: &[Utxo], for_now: bool) -> Pending<()> {
    let states: Vec<(OutPoint, Option<BlockHeight>)> = coins
        .iter()
        .filter_map(|coin| node.wallet.coin(&coin.outpoint))
        .filter(|coin| coin.spent_height.is_none())
        .map(|coin| (coin.outpoint, coin.reserved_until))
        .collect();
    node.db.write(move |txn| {
        states.iter().try_for_each(|(outpoint, until)| {
            let status = if until.is_some() {
                OutputStatus::Reserved
            } else {
                OutputStatus::Available
            };
            txn.set_output_status(*outpoint, status, *until)?;
            if for_now && until.is_some() {
                txn.set_output_reserved_for_now(*outpoint)?;
            }
            Ok(())
        })
    })
}

/// At the start: coins set aside for a transaction that a crash kept from being made are free again; how many.
///
/// A transaction of ours is in the database before anybody sees it, so what no transaction there spends was never spent.
pub(crate) fn free_interrupted(txn: &mut Txn<'_>) -> Result<usize, DbError> {
    let mut coins = txn.outputs_reserved_for_now()?;
    if coins.is_empty() {
        return Ok(0);
    }
    let kept = txn.unconfirmed_transactions()?;
    let inputs = kept.iter().flat_map(|row| &row.tx.input);
    let spent: HashSet<OutPoint> = inputs.map(|input| input.previous_output).collect();
    coins.retain(|coin| !spent.contains(coin));
    for coin in &coins {
        txn.set_output_status(*coin, OutputStatus::Available, None)?;
    }
    Ok(coins.len())
}

/// Lets go of coins drawn for a transaction that will not be sent: they are set aside as far as they were before.
pub(crate) async fn release(node: &Rc<Node>, drawn: &[Utxo]) -> Result<(), DbError> {
    node.wallet.change_coins(drawn, |coin| {
        let before = drawn.iter().find(|old| old.outpoint == coin.outpoint);
        coin.reserved_until = before.and_then(|old| old.reserved_until);
    });
    save_reservations(node, drawn).await
}
