//! The wallet's coins as the chain tells of them.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Transaction};
use ln_types::{BlockHeight, Sat};

use crate::{Origin, ScriptIndex, Utxo};

/// What a transaction did to the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Coins that are new, or newly in a block.
    pub received: Vec<Utxo>,
    /// Coins that are gone.
    pub spent: Vec<Utxo>,
}

/// All coins, spent ones included until they are forgotten.
#[derive(Debug, Clone, Default)]
pub struct Coins {
    by_outpoint: BTreeMap<OutPoint, Utxo>,
}

impl Coins {
    /// The coins a database holds.
    pub fn new(coins: impl IntoIterator<Item = Utxo>) -> Self {
        Self {
            by_outpoint: coins
                .into_iter()
                .map(|coin| (coin.outpoint, coin))
                .collect(),
        }
    }

    /// All of them, by outpoint.
    pub fn iter(&self) -> impl Iterator<Item = &Utxo> {
        self.by_outpoint.values()
    }

    /// One of them.
    pub fn get(&self, outpoint: &OutPoint) -> Option<&Utxo> {
        self.by_outpoint.get(outpoint)
    }

    /// One of them, to reserve it.
    pub fn get_mut(&mut self, outpoint: &OutPoint) -> Option<&mut Utxo> {
        self.by_outpoint.get_mut(outpoint)
    }

    /// A coin that no script tells, such as one of a closed channel.
    pub fn add(&mut self, coin: Utxo) {
        self.by_outpoint.insert(coin.outpoint, coin);
    }

    /// Forgets a coin whose transaction will never be in a block.
    pub fn remove(&mut self, outpoint: &OutPoint) -> Option<Utxo> {
        self.by_outpoint.remove(outpoint)
    }

    /// What can be spent now.
    pub fn spendable(&self, tip: BlockHeight) -> Vec<Utxo> {
        self.iter()
            .filter(|coin| coin.is_spendable(tip))
            .cloned()
            .collect()
    }

    /// A transaction in a block, or one of our own not yet in one (`height` none).
    ///
    /// An unconfirmed transaction marks nothing as spent: the reservation keeps its inputs until a block decides.
    pub fn on_transaction(
        &mut self,
        tx: &Transaction,
        height: Option<BlockHeight>,
        scripts: &ScriptIndex,
    ) -> Changes {
        let mut changes = Changes::default();
        if height.is_some() {
            for input in &tx.input {
                if let Some(coin) = self.by_outpoint.get_mut(&input.previous_output) {
                    coin.spent_height = height;
                    changes.spent.push(coin.clone());
                }
            }
        }
        let txid = tx.compute_txid();
        for (vout, output) in (0_u32..).zip(&tx.output) {
            let Some((kind, key_index)) = scripts.find(&output.script_pubkey) else {
                continue;
            };
            let outpoint = OutPoint::new(txid, vout);
            let coin = self.by_outpoint.entry(outpoint).or_insert_with(|| Utxo {
                outpoint,
                value: Sat::from(output.value),
                script_pubkey: output.script_pubkey.clone(),
                origin: Origin::Wallet { kind, key_index },
                height: None,
                spent_height: None,
                reserved_until: None,
                is_coinbase: tx.is_coinbase(),
            });
            if height.is_some() || coin.height.is_none() {
                coin.height = height;
                changes.received.push(coin.clone());
            }
        }
        changes
    }

    /// The block at `height` and all above it are no longer in the chain.
    pub fn on_reorg(&mut self, height: BlockHeight) {
        for coin in self.by_outpoint.values_mut() {
            if coin.height.is_some_and(|at| at >= height) {
                coin.height = None;
            }
            if coin.spent_height.is_some_and(|at| at >= height) {
                coin.spent_height = None;
            }
        }
    }
}
