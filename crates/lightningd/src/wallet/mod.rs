//! The on-chain wallet of the running node: coins in memory as the database has them, addresses, and transactions made of them.

mod draw;
mod rows;
mod spend;

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Context as _;
use bitcoin::{OutPoint, Script, ScriptBuf};
use ln_db::{DbError, OutputRow, Txn};
use ln_types::BlockHeight;
use ln_wallet::{AddressKind, Coins, LOOK_AHEAD, Origin, ScriptIndex, Utxo, WalletKeys};

pub(crate) use draw::{
    DrawRequest, SpendError, draw, free_interrupted, release, save_reservations,
};
pub(crate) use rows::{output_row, utxo};
pub(crate) use spend::{
    PreparedTx, SpendRequest, forget, hsm_utxo, prepare, previous_transactions, psbt_of,
    random_u32, send, sign,
};

use crate::accounts;
use crate::hsm::HsmIdentity;
use crate::node::Node;

/// The counter of addresses given out, under the name it has for each kind of secret.
fn index_var(identity: &HsmIdentity) -> &'static str {
    if identity.bip86.is_some() {
        "bip86_max_index"
    } else {
        "bip32_max_index"
    }
}

/// The wallet.
#[derive(Debug)]
pub(crate) struct Wallet {
    coins: RefCell<Coins>,
    scripts: RefCell<ScriptIndex>,
    index_var: &'static str,
}

impl Wallet {
    /// What the database holds.
    pub(crate) fn load(txn: &Txn<'_>, identity: &HsmIdentity) -> anyhow::Result<Self> {
        let keys = match identity.bip86 {
            Some(base) => WalletKeys::Bip86 { base },
            None => WalletKeys::Legacy {
                base: identity.bip32,
            },
        };
        let index_var = index_var(identity);
        let last =
            u32::try_from(txn.var(index_var)?).context("the wallet's key index is damaged")?;
        let scripts = ScriptIndex::new(keys, last)?;
        let coins = txn.outputs()?.into_iter().map(|row| utxo(row, &scripts));
        Ok(Self {
            coins: RefCell::new(Coins::new(coins)),
            scripts: RefCell::new(scripts),
            index_var,
        })
    }

    /// The key index a script of ours belongs to.
    pub(crate) fn key_index_of(&self, script: &Script) -> Option<(AddressKind, u32)> {
        self.scripts.borrow().find(script)
    }

    /// All coins, spent ones included.
    pub(crate) fn coins(&self) -> Vec<Utxo> {
        self.coins.borrow().iter().cloned().collect()
    }

    /// One coin.
    pub(crate) fn coin(&self, outpoint: &OutPoint) -> Option<Utxo> {
        self.coins.borrow().get(outpoint).cloned()
    }

    /// The script of an address given out before.
    pub(crate) fn script(&self, kind: AddressKind, index: u32) -> anyhow::Result<ScriptBuf> {
        Ok(self.scripts.borrow().keys().script_pubkey(kind, index)?)
    }

    /// A new address: durable before it is told. `kinds` notes what was shown (2 is p2wpkh, 4 is p2tr).
    pub(crate) async fn new_index(&self, node: &Node, kinds: u8) -> anyhow::Result<u32> {
        let index = self.scripts.borrow_mut().give_out()?;
        let name = self.index_var;
        node.db
            .write(move |txn| {
                if txn.var(name)? < u64::from(index) {
                    txn.set_var(name, index.into())?;
                }
                txn.add_address(index, kinds)
            })
            .await?;
        Ok(index)
    }

    /// A new taproot address of ours, for change.
    pub(crate) async fn new_script(&self, node: &Node) -> anyhow::Result<ScriptBuf> {
        self.new_script_of(node, AddressKind::P2tr).await
    }

    /// A new address of ours of this kind.
    pub(crate) async fn new_script_of(
        &self,
        node: &Node,
        kind: AddressKind,
    ) -> anyhow::Result<ScriptBuf> {
        let shown = match kind {
            AddressKind::P2tr => 4,
            AddressKind::P2wpkh | AddressKind::P2shP2wpkh => 2,
        };
        let index = self.new_index(node, shown).await?;
        self.script(kind, index)
    }

    /// A block brought and spent coins; the database knows already.
    pub(crate) fn on_block(
        &self,
        node: &Rc<Node>,
        height: BlockHeight,
        received: Vec<OutputRow>,
        spent: &[OutPoint],
    ) {
        let mut seen = None;
        {
            let mut coins = self.coins.borrow_mut();
            let scripts = self.scripts.borrow();
            for row in received {
                let coin = utxo(row, &scripts);
                if let Origin::Wallet { key_index, .. } = coin.origin {
                    seen = seen.max(Some(key_index));
                }
                match coins.get_mut(&coin.outpoint) {
                    Some(known) => known.height = Some(height),
                    None => coins.add(coin),
                }
            }
            for outpoint in spent {
                if let Some(coin) = coins.get_mut(outpoint) {
                    coin.spent_height = Some(height);
                }
            }
        }
        let moved =
            seen.is_some_and(|index| self.scripts.borrow_mut().mark_used(index).unwrap_or(false));
        if let (true, Some(index)) = (moved, seen) {
            node.log.info(
                &node.origin,
                format!("found a coin of key {index}: looking {LOOK_AHEAD} keys further"),
            );
            let name = self.index_var;
            drop(node.db.write(move |txn| txn.set_var(name, index.into())));
        }
    }

    /// Blocks from `height` up were replaced.
    pub(crate) fn undo_from(&self, height: BlockHeight) {
        self.coins.borrow_mut().on_reorg(height);
    }

    /// Adds a coin that no script tells: our balance out of a closed channel. `came` is how it came to the account.
    pub(crate) async fn add_coin(
        &self,
        node: &Node,
        coin: Utxo,
        came: accounts::Entry,
    ) -> Result<(), DbError> {
        let row = output_row(&coin);
        let kept = node.db.write(move |txn| {
            txn.put_output(&row)?;
            accounts::keep(txn, [came])
        });
        let kept = kept.await?;
        self.coins.borrow_mut().add(coin);
        accounts::tell(node, kept);
        Ok(())
    }

    /// A transaction of ours not in a block yet brings coins (change) that may be spent on.
    pub(crate) async fn add_unconfirmed(
        &self,
        node: &Node,
        tx: &bitcoin::Transaction,
    ) -> Result<(), DbError> {
        let changes = {
            let scripts = self.scripts.borrow();
            self.coins.borrow_mut().on_transaction(tx, None, &scripts)
        };
        let rows: Vec<OutputRow> = changes.received.iter().map(output_row).collect();
        node.db
            .write(move |txn| rows.iter().try_for_each(|row| txn.put_output(row)))
            .await
    }

    /// Forgets the outputs of a transaction that will never be in a block.
    pub(crate) fn forget(&self, tx: &bitcoin::Transaction) {
        let txid = tx.compute_txid();
        let mut coins = self.coins.borrow_mut();
        for (vout, _) in (0_u32..).zip(&tx.output) {
            let outpoint = OutPoint::new(txid, vout);
            if coins
                .get(&outpoint)
                .is_some_and(|coin| coin.height.is_none())
            {
                coins.remove(&outpoint);
            }
        }
    }

    /// Changes some coins in memory.
    pub(crate) fn change_coins(&self, changed: &[Utxo], mut change: impl FnMut(&mut Utxo)) {
        let mut coins = self.coins.borrow_mut();
        for coin in changed {
            if let Some(coin) = coins.get_mut(&coin.outpoint) {
                change(coin);
            }
        }
    }

    /// The last index given out or seen used.
    pub(crate) fn last_index(&self) -> u32 {
        self.scripts.borrow().last_used()
    }

    /// A coin is not what the wallet thought: it is as here from now on.
    pub(crate) fn put_right(&self, node: &Node, coin: Utxo) -> ln_db::Pending<()> {
        let row = output_row(&coin);
        self.coins.borrow_mut().add(coin);
        node.db.write(move |txn| txn.put_output(&row))
    }

    /// The public key of an index.
    pub(crate) fn public_key(&self, index: u32) -> Option<bitcoin::secp256k1::PublicKey> {
        self.scripts.borrow().keys().public_key(index).ok()
    }
}

impl crate::chain::WalletView for Wallet {
    fn key_index(&self, script: &Script) -> Option<u32> {
        self.key_index_of(script).map(|(_, index)| index)
    }

    fn has_coin(&self, outpoint: &OutPoint) -> bool {
        self.coins.borrow().get(outpoint).is_some()
    }
}
