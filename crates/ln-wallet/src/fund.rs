//! Funding a transaction: `fundpsbt` and `utxopsbt`.

use ln_types::{BlockHeight, Feerate, Sat};

use crate::Utxo;
use crate::select::{Candidate, select};
use crate::weight::{CHANGE_WEIGHT, P2TR_INPUT_WEIGHT, input_weight};

/// The least a change output carries: the network's limit for a taproot output.
pub const CHANGE_DUST: Sat = Sat::from_sat(330);
/// The least `all` must come to after fees.
const OUTPUT_DUST: Sat = Sat::from_sat(546);
/// The heaviest transaction the network relays.
const MAX_STANDARD_WEIGHT: u64 = 400_000;

/// How much is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So much, beside the fee.
    Exact(Sat),
    /// Whatever there is, less the fee.
    All,
}

/// What a transaction needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundRequest {
    /// What its outputs need.
    pub amount: Amount,
    /// The feerate to pay for the whole of it.
    pub feerate: Feerate,
    /// What it weighs without our inputs and change.
    pub start_weight: u64,
    /// The least confirmations a coin must have.
    pub min_confirmations: u32,
    /// Count each input's witness as at least so heavy.
    pub min_witness_weight: u64,
    /// Whether to leave P2SH-wrapped coins alone.
    pub no_wrapped: bool,
    /// Whether what is left over goes into a change output.
    pub excess_as_change: bool,
    /// What must stay in the wallet to bump fees of anchor channels; zero without such channels.
    pub emergency_reserve: Sat,
    /// The tip of the chain.
    pub height: BlockHeight,
}

/// The coins for a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funding {
    /// The coins, in the order of the inputs.
    pub inputs: Vec<Utxo>,
    /// What goes into a new change output.
    pub change: Option<Sat>,
    /// What the transaction will weigh when signed, inputs and change included.
    pub weight: u64,
    /// The fee for that weight.
    pub fee: Sat,
    /// What the coins bring beyond the amount, the fee and the change; the caller decides where it goes.
    pub excess: Sat,
}

/// Why a transaction cannot be funded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FundError {
    /// Too little money.
    #[error("could not afford {amount} using all {coins} available UTXOs: {short} short")]
    CannotAfford {
        /// What was wanted.
        amount: Sat,
        /// How many coins may be used.
        coins: usize,
        /// What is missing, fee included.
        short: Sat,
    },
    /// Not even the fee.
    #[error("all {coins} inputs could not afford fees")]
    CannotAffordFees {
        /// How many coins there are.
        coins: usize,
    },
    /// The emergency reserve would be touched.
    #[error("we would not have enough left for min-emergency-msat {reserve}")]
    CannotAffordWithEmergency {
        /// What has to stay.
        reserve: Sat,
    },
    /// It takes more inputs than the network relays in one transaction.
    #[error(
        "{inputs} inputs make a transaction of weight {weight}, more than the network relays: gather coins with withdraw first"
    )]
    TooHeavy {
        /// How many inputs.
        inputs: usize,
        /// What it would weigh.
        weight: u64,
    },
    /// A coin named twice.
    #[error("{0} is given twice")]
    GivenTwice(bitcoin::OutPoint),
}

/// Chooses coins of the wallet.
pub fn fund(coins: &[Utxo], request: &FundRequest) -> Result<Funding, FundError> {
    let available: Vec<&Utxo> = coins
        .iter()
        .filter(|coin| {
            coin.is_spendable(request.height)
                && coin.has_confirmations(request.height, request.min_confirmations)
                && !(request.no_wrapped && coin.is_wrapped())
        })
        .collect();
    let chosen = match request.amount {
        Amount::All => choose_all(&available, request),
        Amount::Exact(amount) => choose(&available, request, amount)?,
    };
    match complete(coins, chosen, request) {
        Err(FundError::CannotAffordWithEmergency { reserve }) => {
            // Coins that match the amount exactly may leave too little behind: look again for coins that make the reserve as change.
            let Amount::Exact(amount) = request.amount else {
                return Err(FundError::CannotAffordWithEmergency { reserve });
            };
            let with_reserve = amount
                .saturating_add(reserve)
                .saturating_add(change_fee(request.feerate, request.start_weight))
                .saturating_add(Sat::from_sat(1));
            let chosen = choose(&available, request, with_reserve)
                .map_err(|_| FundError::CannotAffordWithEmergency { reserve })?;
            complete(coins, chosen, request)
        }
        result => result,
    }
}

/// Uses exactly these coins; the rest of the wallet counts for the emergency reserve only.
pub fn fund_with(
    wallet: &[Utxo],
    inputs: Vec<Utxo>,
    request: &FundRequest,
) -> Result<Funding, FundError> {
    let mut outpoints: Vec<_> = inputs.iter().map(|coin| coin.outpoint).collect();
    outpoints.sort_unstable();
    if let Some(pair) = outpoints
        .windows(2)
        .find(|pair| pair.first() == pair.last())
    {
        return Err(FundError::GivenTwice(
            pair.first().copied().unwrap_or_default(),
        ));
    }
    complete(wallet, inputs, request)
}

fn candidates(available: &[&Utxo], request: &FundRequest) -> Vec<Candidate> {
    available
        .iter()
        .enumerate()
        .map(|(place, coin)| Candidate {
            place,
            value: coin.value,
            weight: input_weight(coin, request.min_witness_weight),
        })
        .collect()
}

fn choose(available: &[&Utxo], request: &FundRequest, amount: Sat) -> Result<Vec<Utxo>, FundError> {
    let candidates = candidates(available, request);
    // Change costs its output now and its input later: leaving less than that over is cheaper.
    let tolerance = request
        .feerate
        .fee(CHANGE_WEIGHT.saturating_add(P2TR_INPUT_WEIGHT));
    let chosen = select(
        &candidates,
        amount,
        request.start_weight,
        request.feerate,
        tolerance,
    );
    let Some(chosen) = chosen else {
        let (value, weight) = candidates
            .iter()
            .filter(|coin| request.feerate.fee(coin.weight) < coin.value)
            .fold(
                (Sat::ZERO, request.start_weight),
                |(value, weight), coin| {
                    (
                        value.saturating_add(coin.value),
                        weight.saturating_add(coin.weight),
                    )
                },
            );
        let needed = amount.saturating_add(request.feerate.fee(weight));
        return Err(FundError::CannotAfford {
            amount,
            coins: available.len(),
            short: needed.saturating_sub(value).max(Sat::from_sat(1)),
        });
    };
    Ok(chosen
        .into_iter()
        .filter_map(|place| available.get(place).map(|coin| (*coin).clone()))
        .collect())
}

/// Every coin worth its input, the largest first as far as one transaction goes.
// Core Lightning takes also the coins that cost more than they bring, so that `all` leaves less in the end.
fn choose_all(available: &[&Utxo], request: &FundRequest) -> Vec<Utxo> {
    let mut pool = candidates(available, request);
    pool.retain(|coin| request.feerate.fee(coin.weight) < coin.value);
    pool.sort_by(|a, b| b.value.cmp(&a.value).then(a.place.cmp(&b.place)));
    let mut weight = request.start_weight.saturating_add(CHANGE_WEIGHT);
    pool.into_iter()
        .take_while(|coin| {
            weight = weight.saturating_add(coin.weight);
            weight <= MAX_STANDARD_WEIGHT
        })
        .filter_map(|coin| available.get(coin.place).map(|coin| (*coin).clone()))
        .collect()
}

/// What a change output adds to the fee of a transaction of this weight.
fn change_fee(feerate: Feerate, weight: u64) -> Sat {
    // As a difference, so that rounding never makes the whole fee one too small.
    feerate
        .fee(weight.saturating_add(CHANGE_WEIGHT))
        .saturating_sub(feerate.fee(weight))
}

/// Reckons fee, change and excess of chosen coins.
fn complete(
    wallet: &[Utxo],
    inputs: Vec<Utxo>,
    request: &FundRequest,
) -> Result<Funding, FundError> {
    let weight = inputs.iter().fold(request.start_weight, |weight, coin| {
        weight.saturating_add(input_weight(coin, request.min_witness_weight))
    });
    if weight > MAX_STANDARD_WEIGHT {
        return Err(FundError::TooHeavy {
            inputs: inputs.len(),
            weight,
        });
    }
    let value: Sat = inputs.iter().map(|coin| coin.value).sum();
    let fee = request.feerate.fee(weight);
    let mut excess = left_over(&inputs, value, fee, request)?;
    let cost = change_fee(request.feerate, weight);
    let mut change = Sat::ZERO;
    if request.excess_as_change && request.amount != Amount::All {
        change = excess.saturating_sub(cost);
        if change < CHANGE_DUST {
            // Too small for an output of its own: it goes to the miners.
            change = Sat::ZERO;
        } else {
            excess = Sat::ZERO;
        }
    }
    let missing = missing_reserve(wallet, &inputs, request);
    if change < missing {
        // A reserve below the dust limit cannot be kept as an output.
        let reserve = missing.max(CHANGE_DUST);
        let affordable = excess
            .checked_sub(cost)
            .and_then(|rest| rest.checked_sub(reserve))
            .filter(|_| change.is_zero());
        excess = affordable.ok_or(FundError::CannotAffordWithEmergency {
            reserve: request.emergency_reserve,
        })?;
        change = reserve;
    }
    let change = (!change.is_zero()).then_some(change);
    let weight = if change.is_some() {
        weight.saturating_add(CHANGE_WEIGHT)
    } else {
        weight
    };
    Ok(Funding {
        inputs,
        change,
        weight,
        fee: request.feerate.fee(weight),
        excess,
    })
}

/// What the coins bring beyond amount and fee.
fn left_over(
    inputs: &[Utxo],
    value: Sat,
    fee: Sat,
    request: &FundRequest,
) -> Result<Sat, FundError> {
    let amount = match request.amount {
        Amount::All => {
            return value
                .checked_sub(fee)
                .filter(|rest| *rest >= OUTPUT_DUST)
                .ok_or(FundError::CannotAffordFees {
                    coins: inputs.len(),
                });
        }
        Amount::Exact(amount) => amount,
    };
    let needed = amount.saturating_add(fee);
    value.checked_sub(needed).ok_or(FundError::CannotAfford {
        amount,
        coins: inputs.len(),
        short: needed.saturating_sub(value),
    })
}

/// How much of the emergency reserve the rest of the wallet does not hold.
fn missing_reserve(wallet: &[Utxo], inputs: &[Utxo], request: &FundRequest) -> Sat {
    if request.emergency_reserve.is_zero() {
        return Sat::ZERO;
    }
    let used: std::collections::HashSet<_> = inputs.iter().map(|coin| coin.outpoint).collect();
    let rest: Sat = wallet
        .iter()
        .filter(|coin| {
            !used.contains(&coin.outpoint)
                && coin.is_spendable(request.height)
                && coin.has_confirmations(request.height, 1)
        })
        .map(|coin| coin.value)
        .sum();
    request.emergency_reserve.saturating_sub(rest)
}

/// A locktime that makes it useless to fork the last block away for the fees of this one: the tip, sometimes a little earlier.
///
/// `dice` is any random number.
pub fn anti_fee_sniping_locktime(tip: BlockHeight, dice: u32) -> BlockHeight {
    if tip.0 > 100 && dice.is_multiple_of(10) {
        return BlockHeight(tip.0.saturating_sub((dice / 10) % 100));
    }
    tip
}
