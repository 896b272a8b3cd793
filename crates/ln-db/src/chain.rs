//! Blocks followed and transactions that concern us.

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{BlockHash, Transaction, Txid};
use ln_types::BlockHeight;
use rusqlite::Row;

use crate::columns::{get_opt_u32, get_u32, get_wire, wire};
use crate::{DbError, Txn};

/// A block of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRow {
    /// Its height.
    pub height: BlockHeight,
    /// Its hash.
    pub hash: BlockHash,
}

/// A transaction that concerns us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    /// The transaction.
    pub tx: Transaction,
    /// Its block's height, once confirmed.
    pub height: Option<BlockHeight>,
    /// Its index in the block.
    pub index: u32,
}

fn transaction(row: &Row<'_>) -> Result<TransactionRow, DbError> {
    let raw: Vec<u8> = row.get(0)?;
    Ok(TransactionRow {
        tx: deserialize(&raw).map_err(|_| DbError::Corrupt {
            table: "transactions",
            column: "rawtx",
        })?,
        height: get_opt_u32(row, "transactions", "blockheight", 1)?.map(BlockHeight),
        index: get_opt_u32(row, "transactions", "txindex", 2)?.unwrap_or(0),
    })
}

const TRANSACTION: &str = "SELECT rawtx, blockheight, txindex FROM transactions";

impl Txn<'_> {
    /// Adds the next block.
    pub fn add_block(&mut self, block: BlockRow) -> Result<(), DbError> {
        self.execute(
            "INSERT OR REPLACE INTO blocks (height, hash) VALUES (?1, ?2)",
            (block.height.0, wire(&block.hash)),
        )?;
        // A reorg deeper than this is no reorg of a chain we follow.
        self.execute(
            "DELETE FROM blocks WHERE height < ?1",
            [block.height.0.saturating_sub(1000)],
        )?;
        Ok(())
    }

    /// Forgets blocks from `height` up, and what happened in them: outputs and transactions there are unconfirmed again.
    pub fn undo_blocks_from(&mut self, height: BlockHeight) -> Result<(), DbError> {
        self.execute("DELETE FROM blocks WHERE height >= ?1", [height.0])?;
        self.execute(
            "UPDATE transactions SET blockheight = NULL, txindex = NULL WHERE blockheight >= ?1",
            [height.0],
        )?;
        self.execute(
            "UPDATE outputs SET confirmation_height = NULL WHERE confirmation_height >= ?1",
            [height.0],
        )?;
        self.execute(
            "UPDATE outputs SET spend_height = NULL WHERE spend_height >= ?1",
            [height.0],
        )?;
        Ok(())
    }

    /// The blocks kept, ascending.
    pub fn blocks(&self) -> Result<Vec<BlockRow>, DbError> {
        self.all(
            "SELECT height, hash FROM blocks ORDER BY height",
            [],
            |row| {
                Ok(BlockRow {
                    height: BlockHeight(get_u32(row, "blocks", "height", 0)?),
                    hash: get_wire(row, "blocks", "hash", 1)?,
                })
            },
        )
    }

    /// Keeps a transaction, or notes that it is confirmed.
    pub fn put_transaction(&mut self, row: &TransactionRow) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO transactions (id, blockheight, txindex, rawtx) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(id) DO UPDATE SET \
             blockheight = coalesce(excluded.blockheight, blockheight), txindex = coalesce(excluded.txindex, txindex), \
             rawtx = excluded.rawtx",
            (
                wire(&row.tx.compute_txid()),
                row.height.map(|height| height.0),
                row.height.map(|_| row.index),
                serialize(&row.tx),
            ),
        )?;
        Ok(())
    }

    /// Forgets a transaction that is in no block and will not be sent, and its outputs.
    pub fn forget_transaction(&mut self, txid: &Txid) -> Result<(), DbError> {
        self.execute(
            "DELETE FROM outputs WHERE prev_out_tx = ?1 AND confirmation_height IS NULL",
            [wire(txid)],
        )?;
        self.execute(
            "DELETE FROM transactions WHERE id = ?1 AND blockheight IS NULL",
            [wire(txid)],
        )?;
        self.remove_outside_payments(txid)?;
        Ok(())
    }

    /// One transaction.
    pub fn transaction(&self, txid: &Txid) -> Result<Option<TransactionRow>, DbError> {
        self.first(
            &format!("{TRANSACTION} WHERE id = ?1"),
            [wire(txid)],
            transaction,
        )
    }

    /// All transactions, unconfirmed ones first.
    pub fn transactions(&self) -> Result<Vec<TransactionRow>, DbError> {
        self.all(
            &format!("{TRANSACTION} ORDER BY blockheight, txindex"),
            [],
            transaction,
        )
    }

    /// Transactions in no block yet.
    pub fn unconfirmed_transactions(&self) -> Result<Vec<TransactionRow>, DbError> {
        self.all(
            &format!("{TRANSACTION} WHERE blockheight IS NULL"),
            [],
            transaction,
        )
    }
}
