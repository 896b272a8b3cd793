//! The wallet's outputs and addresses.

use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_types::{BlockHeight, NodeId, Sat};
use rusqlite::Row;

use crate::columns::{
    get_opt_u32, get_opt_u64, get_opt_wire, get_u32, get_u64, get_wire, opt_wire, to_i64, wire,
};
use crate::{DbError, Txn};

/// Whether an output can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStatus {
    /// It can.
    Available,
    /// It is set aside for a transaction.
    Reserved,
    /// It is spent.
    Spent,
}

/// An output of ours on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRow {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it holds.
    pub amount: Sat,
    /// Whether it can be spent.
    pub status: OutputStatus,
    /// The index of the wallet key it pays to.
    pub key_index: u32,
    /// Its script.
    pub script: ScriptBuf,
    /// For an output of a peer's commitment (`to_remote`): the peer, the channel's number and the commitment point if it tweaks the key.
    pub close: Option<(NodeId, u64)>,
    /// Its block, once confirmed.
    pub confirmed: Option<BlockHeight>,
    /// The block that spends it.
    pub spent: Option<BlockHeight>,
    /// Until when it is reserved.
    pub reserved_until: Option<BlockHeight>,
    /// Confirmations before it can be spent.
    pub csv: u16,
    /// Whether a coinbase made it, which delays spending by 100 blocks.
    pub coinbase: bool,
}

const COLUMNS: &str = "SELECT prev_out_tx, prev_out_index, value, status, keyindex, scriptpubkey, peer_id, channel_id, \
                       confirmation_height, spend_height, reserved_til, csv_lock, is_in_coinbase FROM outputs";
const TABLE: &str = "outputs";

fn output(row: &Row<'_>) -> Result<OutputRow, DbError> {
    let peer: Option<NodeId> = get_opt_wire(row, TABLE, "peer_id", 6)?;
    let channel = get_opt_u64(row, TABLE, "channel_id", 7)?;
    let script: Vec<u8> = row.get(5)?;
    let txid: Txid = get_wire(row, TABLE, "prev_out_tx", 0)?;
    Ok(OutputRow {
        outpoint: OutPoint {
            txid,
            vout: get_u32(row, TABLE, "prev_out_index", 1)?,
        },
        amount: Sat::from_sat(get_u64(row, TABLE, "value", 2)?),
        status: match get_u64(row, TABLE, "status", 3)? {
            0 => OutputStatus::Available,
            1 => OutputStatus::Reserved,
            2 => OutputStatus::Spent,
            _ => {
                return Err(DbError::Corrupt {
                    table: TABLE,
                    column: "status",
                });
            }
        },
        key_index: get_u32(row, TABLE, "keyindex", 4)?,
        script: ScriptBuf::from_bytes(script),
        close: peer.zip(channel),
        confirmed: get_opt_u32(row, TABLE, "confirmation_height", 8)?.map(BlockHeight),
        spent: get_opt_u32(row, TABLE, "spend_height", 9)?.map(BlockHeight),
        reserved_until: get_opt_u32(row, TABLE, "reserved_til", 10)?.map(BlockHeight),
        csv: u16::try_from(get_u64(row, TABLE, "csv_lock", 11)?).unwrap_or(u16::MAX),
        coinbase: get_u64(row, TABLE, "is_in_coinbase", 12)? != 0,
    })
}

impl Txn<'_> {
    /// Keeps an output; if it is known already only its confirmation is updated.
    pub fn put_output(&mut self, row: &OutputRow) -> Result<(), DbError> {
        let (peer, channel) = row
            .close
            .as_ref()
            .map(|(peer, channel)| (peer, *channel))
            .unzip();
        self.execute(
            "INSERT INTO outputs (prev_out_tx, prev_out_index, value, type, status, keyindex, scriptpubkey, peer_id, channel_id, \
             confirmation_height, csv_lock, is_in_coinbase) VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT(prev_out_tx, prev_out_index) DO UPDATE SET confirmation_height = excluded.confirmation_height",
            (
                wire(&row.outpoint.txid),
                row.outpoint.vout,
                to_i64(row.amount.as_sat()),
                row.key_index,
                row.script.as_bytes(),
                opt_wire(peer),
                channel.map(to_i64),
                row.confirmed.map(|height| height.0),
                row.csv,
                row.coinbase,
            ),
        )?;
        Ok(())
    }

    /// Sets whether an output can be spent and until when it is reserved.
    pub fn set_output_status(
        &mut self,
        outpoint: OutPoint,
        status: OutputStatus,
        reserved_until: Option<BlockHeight>,
    ) -> Result<(), DbError> {
        let number = match status {
            OutputStatus::Available => 0,
            OutputStatus::Reserved => 1,
            OutputStatus::Spent => 2,
        };
        self.execute(
            "UPDATE outputs SET status = ?3, reserved_til = ?4, reserved_for_now = 0 WHERE prev_out_tx = ?1 AND prev_out_index = ?2",
            (wire(&outpoint.txid), outpoint.vout, number, reserved_until.map(|height| height.0)),
        )?;
        Ok(())
    }

    /// Notes that an output is reserved for a transaction that the node itself makes and sends at once: nobody else can have it.
    pub fn set_output_reserved_for_now(&mut self, outpoint: OutPoint) -> Result<(), DbError> {
        self.execute(
            "UPDATE outputs SET reserved_for_now = 1 WHERE prev_out_tx = ?1 AND prev_out_index = ?2 AND status = 1",
            (wire(&outpoint.txid), outpoint.vout),
        )?;
        Ok(())
    }

    /// The outputs that are reserved for a transaction that was to be made and sent at once.
    pub fn outputs_reserved_for_now(&self) -> Result<Vec<OutPoint>, DbError> {
        self.all(
            "SELECT prev_out_tx, prev_out_index FROM outputs WHERE reserved_for_now = 1 AND status = 1",
            [],
            |row| {
                Ok(OutPoint {
                    txid: get_wire(row, TABLE, "prev_out_tx", 0)?,
                    vout: get_u32(row, TABLE, "prev_out_index", 1)?,
                })
            },
        )
    }

    /// Notes that a block spends an output.
    pub fn set_output_spent(
        &mut self,
        outpoint: OutPoint,
        height: BlockHeight,
    ) -> Result<(), DbError> {
        self.execute(
            "UPDATE outputs SET status = 2, spend_height = ?3 WHERE prev_out_tx = ?1 AND prev_out_index = ?2",
            (wire(&outpoint.txid), outpoint.vout, height.0),
        )?;
        Ok(())
    }

    /// Outputs whose spending was undone by a reorg can be spent again.
    pub fn unspend_undone_outputs(&mut self) -> Result<(), DbError> {
        self.execute("UPDATE outputs SET status = 0 WHERE status = 2 AND spend_height IS NULL AND reserved_til IS NULL", [])?;
        Ok(())
    }

    /// One output.
    pub fn output(&self, outpoint: OutPoint) -> Result<Option<OutputRow>, DbError> {
        self.first(
            &format!("{COLUMNS} WHERE prev_out_tx = ?1 AND prev_out_index = ?2"),
            (wire(&outpoint.txid), outpoint.vout),
            output,
        )
    }

    /// All outputs.
    pub fn outputs(&self) -> Result<Vec<OutputRow>, DbError> {
        self.all(
            &format!("{COLUMNS} ORDER BY confirmation_height, prev_out_tx, prev_out_index"),
            [],
            output,
        )
    }

    /// Notes that an address was given out: 2 is p2wpkh, 4 is p2tr, 6 is both.
    pub fn add_address(&mut self, key_index: u32, kinds: u8) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO addresses (keyidx, addrtype) VALUES (?1, ?2) ON CONFLICT(keyidx) DO UPDATE SET addrtype = addrtype | ?2",
            (key_index, kinds),
        )?;
        Ok(())
    }

    /// The addresses given out: key index and kinds.
    pub fn addresses(&self) -> Result<Vec<(u32, u8)>, DbError> {
        self.all(
            "SELECT keyidx, addrtype FROM addresses ORDER BY keyidx",
            [],
            |row| Ok((get_u32(row, "addresses", "keyidx", 0)?, row.get(1)?)),
        )
    }
}
