//! The transactions by which channels end: what spends a funding output, and what spends its outputs in turn.

use bitcoin::Txid;
use bitcoin::consensus::encode::deserialize;
use ln_types::BlockHeight;

use crate::columns::{get_opt_u32, get_u32, get_u64, to_i64, wire};
use crate::{DbError, TransactionRow, Txn};

const TABLE: &str = "channeltxs";

/// The number of onchaind's message that brings the spend of the funding output.
const SPENDS_FUNDING: u16 = 5001;
/// The number of onchaind's message that brings later transactions.
const FOLLOWS: u16 = 5003;

/// A confirmed transaction of a closed channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTxRow {
    /// The channel's number.
    pub channel: u64,
    /// Whether it spends the funding output; else it spends outputs that came of that.
    pub spends_funding: bool,
    /// The transaction and its block.
    pub transaction: TransactionRow,
    /// Its block.
    pub height: BlockHeight,
}

impl Txn<'_> {
    /// Notes that a transaction, which is kept already, belongs to the end of a channel. Doing it twice changes nothing.
    pub fn add_channel_tx(
        &mut self,
        channel: u64,
        txid: &Txid,
        spends_funding: bool,
        height: BlockHeight,
    ) -> Result<(), DbError> {
        let kind = if spends_funding {
            SPENDS_FUNDING
        } else {
            FOLLOWS
        };
        self.execute(
            "INSERT INTO channeltxs (channel_id, type, transaction_id, input_num, blockheight) VALUES (?1, ?2, ?3, 0, ?4) \
             ON CONFLICT(channel_id, transaction_id) DO UPDATE SET blockheight = excluded.blockheight",
            (to_i64(channel), kind, wire(txid), height.0),
        )?;
        Ok(())
    }

    /// The transactions by which the channels that are not over end, as far as they are in a block now, in the chain's order.
    pub fn channel_txs(&self) -> Result<Vec<ChannelTxRow>, DbError> {
        self.all(
            "SELECT ct.channel_id, ct.type, t.rawtx, t.blockheight, t.txindex FROM channeltxs ct \
             JOIN transactions t ON t.id = ct.transaction_id JOIN channels c ON c.id = ct.channel_id \
             WHERE t.blockheight IS NOT NULL AND c.state <> 10 ORDER BY t.blockheight, t.txindex",
            [],
            |row| {
                let raw: Vec<u8> = row.get(2)?;
                let tx = deserialize(&raw).map_err(|_| DbError::Corrupt {
                    table: "transactions",
                    column: "rawtx",
                })?;
                let height = BlockHeight(get_u32(row, "transactions", "blockheight", 3)?);
                Ok(ChannelTxRow {
                    channel: get_u64(row, TABLE, "channel_id", 0)?,
                    spends_funding: get_u64(row, TABLE, "type", 1)? == u64::from(SPENDS_FUNDING),
                    transaction: TransactionRow {
                        tx,
                        height: Some(height),
                        index: get_u32(row, "transactions", "txindex", 4)?,
                    },
                    height,
                })
            },
        )
    }

    /// The wallet key a channel's outputs are swept to, once it was chosen.
    pub fn sweep_key(&self, channel: u64) -> Result<Option<u32>, DbError> {
        let found = self.first(
            "SELECT shutdown_keyidx_local FROM channels WHERE id = ?1",
            [to_i64(channel)],
            |row| get_opt_u32(row, "channels", "shutdown_keyidx_local", 0),
        )?;
        Ok(found.flatten())
    }

    /// Chooses the wallet key a channel's outputs are swept to.
    pub fn set_sweep_key(&mut self, channel: u64, key_index: u32) -> Result<(), DbError> {
        self.execute(
            "UPDATE channels SET shutdown_keyidx_local = ?2 WHERE id = ?1",
            (to_i64(channel), key_index),
        )?;
        Ok(())
    }

    /// Ends a channel: none of its HTLCs is in a commitment any more.
    pub fn set_all_htlcs_removed(&mut self, channel: u64) -> Result<(), DbError> {
        self.execute(
            "UPDATE channel_htlcs SET removed = 1, routing_onion = NULL WHERE channel_id = ?1 AND removed = 0",
            [to_i64(channel)],
        )?;
        Ok(())
    }
}
