//! Which outputs of a wallet are unspent, and what they are worth.

use super::Wallet;
use crate::chain::Chain;
use crate::mempool::Mempool;
use crate::params::COINBASE_MATURITY;
use bitcoin::{Amount, OutPoint, TxOut, Txid};

/// An unspent output of a wallet.
#[derive(Debug, Clone)]
pub struct WalletCoin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it is.
    pub output: TxOut,
    /// Confirmations; 0 while it is in the mempool.
    pub confirmations: u32,
    /// Whether it is an immature coinbase.
    pub immature: bool,
    /// Whether it may be spent without waiting: confirmed, or our own change.
    pub trusted: bool,
    /// Whether the operator locked it.
    pub locked: bool,
}

/// What a wallet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// Confirmed, or unconfirmed change of ours.
    pub trusted: Amount,
    /// Unconfirmed payments of others.
    pub untrusted_pending: Amount,
    /// Coinbases that need more confirmations.
    pub immature: Amount,
}

impl Wallet {
    /// All unspent outputs, locked and immature ones included, in order of outpoint.
    pub fn coins(&self, chain: &Chain, mempool: &Mempool) -> Vec<WalletCoin> {
        self.live
            .iter()
            .filter_map(|outpoint| self.coin(chain, mempool, *outpoint))
            .collect()
    }

    fn coin(&self, chain: &Chain, mempool: &Mempool, outpoint: OutPoint) -> Option<WalletCoin> {
        if mempool.spender(&outpoint).is_some() {
            return None;
        }
        let locked = self.locked.contains(&outpoint);
        if let Some(coin) = chain.coin(&outpoint) {
            let confirmations = chain.height().saturating_sub(coin.height).saturating_add(1);
            return Some(WalletCoin {
                outpoint,
                output: coin.output.clone(),
                confirmations,
                immature: coin.coinbase && confirmations <= COINBASE_MATURITY,
                trusted: true,
                locked,
            });
        }
        let coin = mempool.coin(chain, &outpoint)?;
        Some(WalletCoin {
            outpoint,
            output: coin.output,
            confirmations: 0,
            immature: false,
            trusted: self.is_trusted(mempool, outpoint.txid, 0),
            locked,
        })
    }

    /// Whether an unconfirmed transaction spends only our own, in turn trusted, outputs.
    fn is_trusted(&self, mempool: &Mempool, txid: Txid, depth: usize) -> bool {
        let Some(entry) = mempool.get(&txid) else {
            return true;
        };
        depth < 100
            && entry.tx.input.iter().all(|input| {
                self.mine_output(&input.previous_output).is_some()
                    && self.is_trusted(mempool, input.previous_output.txid, depth + 1)
            })
    }

    /// What the wallet holds.
    pub fn balances(&self, chain: &Chain, mempool: &Mempool) -> Balances {
        let mut trusted = Amount::ZERO;
        let mut untrusted_pending = Amount::ZERO;
        let mut immature = Amount::ZERO;
        for coin in self.coins(chain, mempool) {
            let sum = match (coin.immature, coin.trusted) {
                (true, _) => &mut immature,
                (false, true) => &mut trusted,
                (false, false) => &mut untrusted_pending,
            };
            *sum = sum
                .checked_add(coin.output.value)
                .unwrap_or(Amount::MAX_MONEY);
        }
        Balances {
            trusted,
            untrusted_pending,
            immature,
        }
    }
}
