//! Commitments the peer has revoked and that plugins have not been told of yet.

use bitcoin::Txid;
use ln_types::CommitmentNumber;

use crate::columns::{get_u64, get_wire, to_i64, wire};
use crate::{DbError, Txn};

const TABLE: &str = "penalty_bases";

/// What a penalty is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PenaltyBaseRow {
    /// The channel's number.
    pub channel: u64,
    /// The revoked commitment's number.
    pub number: CommitmentNumber,
    /// Its txid.
    pub txid: Txid,
    /// What we would take of it, as its maker encoded that.
    pub claim: Vec<u8>,
}

impl Txn<'_> {
    /// Keeps what a penalty is made from.
    pub fn add_penalty_base(&mut self, row: &PenaltyBaseRow) -> Result<(), DbError> {
        self.execute(
            "INSERT OR REPLACE INTO penalty_bases (channel_id, commitnum, txid, claim) VALUES (?1, ?2, ?3, ?4)",
            (
                to_i64(row.channel),
                to_i64(row.number.0),
                wire(&row.txid),
                &row.claim,
            ),
        )?;
        Ok(())
    }

    /// Plugins have been told.
    pub fn delete_penalty_base(
        &mut self,
        channel: u64,
        number: CommitmentNumber,
    ) -> Result<(), DbError> {
        self.execute(
            "DELETE FROM penalty_bases WHERE channel_id = ?1 AND commitnum = ?2",
            [to_i64(channel), to_i64(number.0)],
        )?;
        Ok(())
    }

    /// All that plugins have not been told of, in the order of the commitments.
    pub fn penalty_bases(&self) -> Result<Vec<PenaltyBaseRow>, DbError> {
        self.all(
            "SELECT channel_id, commitnum, txid, claim FROM penalty_bases ORDER BY channel_id, commitnum",
            [],
            |row| {
                Ok(PenaltyBaseRow {
                    channel: get_u64(row, TABLE, "channel_id", 0)?,
                    number: CommitmentNumber(get_u64(row, TABLE, "commitnum", 1)?),
                    txid: get_wire(row, TABLE, "txid", 2)?,
                    claim: row.get(3)?,
                })
            },
        )
    }
}
