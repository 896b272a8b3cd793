//! Funding transactions: choosing coins, paying the fee, adding change.

use super::Wallet;
use super::coins::WalletCoin;
use super::keys::AddressKind;
use super::sign::unlock_weight;
use crate::chain::Chain;
use crate::mempool::Mempool;
use crate::policy::{FeePerKvb, Policy};
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use std::collections::BTreeSet;

/// Weight of an input without scripts: outpoint, empty script, sequence.
const INPUT_WEIGHT: u64 = 41 * 4;
/// Change below this is given to the fee even where it would not be dust.
const MIN_CHANGE: u64 = 1000;

/// How to fund a transaction.
#[derive(Debug, Clone)]
pub struct FundOptions {
    /// Fee rate to pay.
    pub rate: FeePerKvb,
    /// Outputs from which the fee is taken, by position; empty lets the wallet pay.
    pub fee_from: Vec<usize>,
    /// Where to put the change; `None` for a place of our choice.
    pub change_position: Option<usize>,
    /// Where the change goes; `None` for a fresh address.
    pub change_script: Option<ScriptBuf>,
    /// Form of a fresh change address.
    pub change_kind: AddressKind,
    /// Whether unconfirmed coins of others may be spent.
    pub include_unsafe: bool,
    /// Whether coins beyond the given inputs may be added.
    pub add_inputs: bool,
    /// Smallest confirmations of the coins that are added.
    pub min_confirmations: u32,
    /// Whether the inputs signal replaceability.
    pub replaceable: bool,
}

/// A funded transaction, not yet signed.
#[derive(Debug, Clone)]
pub struct Funded {
    /// The transaction.
    pub tx: Transaction,
    /// The fee it pays.
    pub fee: Amount,
    /// Where the change is, if any.
    pub change_position: Option<usize>,
}

/// Why a transaction could not be funded; texts are Core's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FundError {
    /// The coins do not cover outputs and fee.
    #[error("Insufficient funds")]
    InsufficientFunds,
    /// An output is too small to be relayed.
    #[error("Transaction amount too small")]
    AmountTooSmall,
    /// An output cannot pay the fee taken from it.
    #[error("The transaction amount is too small to pay the fee")]
    TooSmallForFee,
    /// The given inputs are not ours or are spent.
    #[error("Not found pre-selected input {0}")]
    UnknownInput(OutPoint),
    /// Where the change should go is beyond the outputs.
    #[error("Transaction change output index out of range")]
    ChangePosition,
}

struct Plan {
    inputs: Vec<WalletCoin>,
    weight: u64,
    value: Amount,
}

impl Plan {
    fn add(&mut self, coin: WalletCoin, kind: AddressKind) {
        self.weight = self
            .weight
            .saturating_add(INPUT_WEIGHT)
            .saturating_add(unlock_weight(kind));
        self.value = self
            .value
            .checked_add(coin.output.value)
            .unwrap_or(Amount::MAX_MONEY);
        self.inputs.push(coin);
    }

    fn fee(&self, rate: FeePerKvb, extra_weight: u64) -> Amount {
        rate.fee(self.weight.saturating_add(extra_weight).div_ceil(4))
    }
}

impl Wallet {
    /// Coins that may be spent: not locked, not immature, trusted unless told otherwise; confirmed
    /// ones first, large before small.
    fn spendable(&self, chain: &Chain, mempool: &Mempool, how: &FundOptions) -> Vec<WalletCoin> {
        let mut coins: Vec<_> = self
            .coins(chain, mempool)
            .into_iter()
            .filter(|coin| !coin.locked && !coin.immature)
            .filter(|coin| coin.trusted || how.include_unsafe)
            .filter(|coin| coin.confirmations >= how.min_confirmations)
            .collect();
        coins.sort_by_key(|coin| {
            let unconfirmed = coin.confirmations == 0;
            (
                unconfirmed,
                std::cmp::Reverse(coin.output.value),
                coin.outpoint,
            )
        });
        coins
    }

    /// Adds inputs and change to `tx` so that it pays its outputs and the fee.
    pub fn fund(
        &mut self,
        chain: &Chain,
        mempool: &Mempool,
        policy: &Policy,
        mut tx: Transaction,
        how: &FundOptions,
    ) -> Result<Funded, FundError> {
        if how
            .change_position
            .is_some_and(|position| position > tx.output.len())
        {
            return Err(FundError::ChangePosition);
        }
        for output in &tx.output {
            if crate::policy::dust::is_dust(output, policy.dust_relay) {
                return Err(FundError::AmountTooSmall);
            }
        }
        let change_script = how
            .change_script
            .clone()
            .unwrap_or_else(|| self.ring().script(self.ring().next(how.change_kind, true)));
        let change = TxOut {
            value: Amount::ZERO,
            script_pubkey: change_script,
        };
        let target = crate::chain::check_tx::total_out(&tx).unwrap_or(Amount::MAX_MONEY);
        let plan = self.choose(chain, mempool, &tx, target, how)?;
        let fee_without = plan.fee(how.rate, 0);
        let fee_with = plan.fee(how.rate, change.weight().to_wu());
        let pays = if how.fee_from.is_empty() {
            fee_without
        } else {
            Amount::ZERO
        };
        let spare = plan
            .value
            .checked_sub(target)
            .and_then(|spare| spare.checked_sub(pays))
            .ok_or(FundError::InsufficientFunds)?;
        let change_cost = fee_with.checked_sub(fee_without).unwrap_or(Amount::ZERO);
        let value = if how.fee_from.is_empty() {
            spare.checked_sub(change_cost).unwrap_or(Amount::ZERO)
        } else {
            spare
        };
        let change = TxOut { value, ..change };
        let worthwhile = value.to_sat() >= MIN_CHANGE
            && !crate::policy::dust::is_dust(&change, policy.dust_relay);
        let fee = if worthwhile { fee_with } else { fee_without };
        take_fee(&mut tx, fee, &how.fee_from, policy)?;
        let change_position = worthwhile.then(|| {
            let somewhere = plan
                .inputs
                .first()
                .map_or(0, |coin| usize::from(coin.outpoint.txid.to_raw_hash()[0]));
            how.change_position
                .unwrap_or(somewhere % (tx.output.len() + 1))
        });
        if let Some(position) = change_position {
            if how.change_script.is_none() {
                self.new_address(how.change_kind, true, None);
            }
            tx.output.insert(position, change);
        }
        add_inputs(&mut tx, &plan.inputs, how.replaceable);
        let paid = crate::chain::check_tx::total_out(&tx)
            .and_then(|out| plan.value.checked_sub(out))
            .unwrap_or(Amount::ZERO);
        Ok(Funded {
            tx,
            fee: paid,
            change_position,
        })
    }

    fn choose(
        &self,
        chain: &Chain,
        mempool: &Mempool,
        tx: &Transaction,
        target: Amount,
        how: &FundOptions,
    ) -> Result<Plan, FundError> {
        let mut plan = Plan {
            inputs: Vec::new(),
            // A witness marker and one byte more for counts beyond 252.
            weight: base_weight(tx),
            value: Amount::ZERO,
        };
        let mut given = BTreeSet::new();
        for input in &tx.input {
            let outpoint = input.previous_output;
            let coin = self.coin_of_ours(chain, mempool, outpoint);
            let (coin, kind) = coin.ok_or(FundError::UnknownInput(outpoint))?;
            plan.add(coin, kind);
            given.insert(outpoint);
        }
        let enough = |plan: &Plan| {
            let fee = if how.fee_from.is_empty() {
                plan.fee(how.rate, 0)
            } else {
                Amount::ZERO
            };
            target
                .checked_add(fee)
                .is_some_and(|needed| plan.value >= needed)
        };
        if !enough(&plan) && how.add_inputs {
            for coin in self.spendable(chain, mempool, how) {
                let Some(path) = self.path(&coin.output.script_pubkey) else {
                    continue;
                };
                if given.contains(&coin.outpoint) || chain_too_long(mempool, &coin) {
                    continue;
                }
                plan.add(coin, path.kind);
                if enough(&plan) {
                    break;
                }
            }
        }
        if enough(&plan) {
            Ok(plan)
        } else {
            Err(FundError::InsufficientFunds)
        }
    }

    fn coin_of_ours(
        &self,
        chain: &Chain,
        mempool: &Mempool,
        outpoint: OutPoint,
    ) -> Option<(WalletCoin, AddressKind)> {
        let output = mempool.coin(chain, &outpoint)?.output;
        let kind = self.path(&output.script_pubkey)?.kind;
        let coin = WalletCoin {
            outpoint,
            output,
            confirmations: 0,
            immature: false,
            trusted: true,
            locked: false,
        };
        Some((coin, kind))
    }
}

/// Whether spending a coin would exceed the mempool's ancestor limit.
fn chain_too_long(mempool: &Mempool, coin: &WalletCoin) -> bool {
    coin.confirmations == 0 && mempool.ancestors_of([coin.outpoint.txid]).len() >= 25
}

/// Weight of a transaction without inputs: the given outputs, counts, and the witness marker.
fn base_weight(tx: &Transaction) -> u64 {
    let outputs: u64 = tx.output.iter().map(|output| output.weight().to_wu()).sum();
    let counts = 4 * if tx.output.len() > 251 { 6 } else { 2 };
    outputs + counts + 4 * 8 + 2
}

fn take_fee(
    tx: &mut Transaction,
    fee: Amount,
    from: &[usize],
    policy: &Policy,
) -> Result<(), FundError> {
    let Some(share) = fee
        .to_sat()
        .checked_div(u64::try_from(from.len()).unwrap_or(0))
    else {
        return Ok(());
    };
    let mut rest = fee
        .to_sat()
        .saturating_sub(share.saturating_mul(u64::try_from(from.len()).unwrap_or(0)));
    for position in from {
        let Some(output) = tx.output.get_mut(*position) else {
            continue;
        };
        let part = Amount::from_sat(share.saturating_add(std::mem::take(&mut rest)));
        output.value = output
            .value
            .checked_sub(part)
            .ok_or(FundError::TooSmallForFee)?;
        if crate::policy::dust::is_dust(output, policy.dust_relay) {
            return Err(FundError::TooSmallForFee);
        }
    }
    Ok(())
}

fn add_inputs(tx: &mut Transaction, coins: &[WalletCoin], replaceable: bool) {
    let sequence = if replaceable {
        Sequence::ENABLE_RBF_NO_LOCKTIME
    } else {
        Sequence::ENABLE_LOCKTIME_NO_RBF
    };
    for coin in coins {
        if tx
            .input
            .iter()
            .any(|input| input.previous_output == coin.outpoint)
        {
            continue;
        }
        tx.input.push(TxIn {
            previous_output: coin.outpoint,
            script_sig: ScriptBuf::new(),
            sequence,
            witness: Witness::new(),
        });
    }
}
