//! Money that moved: the node's accounts, line by line. Lines are only ever added.

use bitcoin::{OutPoint, Txid};
use ln_types::{
    BlockHeight, ChainMoveTag, ChannelMoveTag, ExtraMoveTag, Msat, NodeId, PaymentHash, Sat,
};
use rusqlite::{Row, params};

use crate::columns::{
    get_opt_u32, get_opt_u64, get_opt_wire, get_u32, get_u64, get_wire, opt_wire, to_i64, wire,
};
use crate::{DbError, Page, Txn};

const CHAIN: &str = "chain_moves";
const CHANNEL: &str = "channel_moves";

/// What an account gained or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveAmount {
    /// It gained this.
    Credit(Msat),
    /// It lost this.
    Debit(Msat),
}

impl MoveAmount {
    /// What was gained.
    pub fn credit(self) -> Msat {
        match self {
            Self::Credit(amount) => amount,
            Self::Debit(_) => Msat::ZERO,
        }
    }

    /// What was lost.
    pub fn debit(self) -> Msat {
        match self {
            Self::Credit(_) => Msat::ZERO,
            Self::Debit(amount) => amount,
        }
    }

    /// One number: what was lost is negative.
    fn number(self) -> i64 {
        match self {
            Self::Credit(amount) => to_i64(amount.as_msat()),
            Self::Debit(amount) => to_i64(amount.as_msat()).saturating_neg(),
        }
    }

    fn from_number(number: i64) -> Self {
        let amount = Msat::from_msat(number.unsigned_abs());
        if number < 0 {
            Self::Debit(amount)
        } else {
            Self::Credit(amount)
        }
    }
}

/// A coin that moved on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainMoveRow {
    /// Its number; 0 before it is kept.
    pub created_index: u64,
    /// Whose: a channel id, `wallet`, or `external`.
    pub account: String,
    /// What the account gained or lost.
    pub amount: MoveAmount,
    /// When we learned of it, in seconds since 1970.
    pub timestamp: u64,
    /// What for.
    pub tag: ChainMoveTag,
    /// What else there is to say.
    pub extra_tags: Vec<ExtraMoveTag>,
    /// The output.
    pub utxo: OutPoint,
    /// What spends it, if this is about its spending.
    pub spending_txid: Option<Txid>,
    /// The peer, for an opening.
    pub peer: Option<NodeId>,
    /// The hash, for an HTLC.
    pub payment_hash: Option<PaymentHash>,
    /// Its block; 0 for one that is in none yet.
    pub height: BlockHeight,
    /// What the output holds.
    pub output: Sat,
    /// Where it comes from, if that is another account.
    pub originating_account: Option<String>,
    /// How many outputs the spending transaction has, for a closing.
    pub output_count: Option<u32>,
}

/// An amount that moved in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelMoveRow {
    /// Its number; 0 before it is kept.
    pub created_index: u64,
    /// The channel id.
    pub account: String,
    /// What we gained or lost there.
    pub amount: MoveAmount,
    /// When, in seconds since 1970.
    pub timestamp: u64,
    /// What for.
    pub tag: ChannelMoveTag,
    /// The hash, for a payment.
    pub payment_hash: Option<PaymentHash>,
    /// The part and group, for a payment of ours.
    pub payment: Option<(u64, u64)>,
    /// What of it was fees.
    pub fees: Msat,
}

fn bitmap(tag: u8, extra: &[ExtraMoveTag]) -> i64 {
    extra
        .iter()
        .map(|tag| tag.bit())
        .fold(bit(tag), |bits, tag| bits | bit(tag))
}

fn bit(number: u8) -> i64 {
    1_i64.checked_shl(u32::from(number)).unwrap_or(0)
}

fn has(bits: i64, number: u8) -> bool {
    bits & bit(number) != 0
}

const fn damaged(table: &'static str) -> DbError {
    DbError::Corrupt {
        table,
        column: "tag_bitmap",
    }
}

fn chain_move(row: &Row<'_>) -> Result<ChainMoveRow, DbError> {
    let bits: i64 = row.get(2)?;
    let tag = ChainMoveTag::ALL.iter().find(|tag| has(bits, tag.bit()));
    let extra = ExtraMoveTag::ALL.iter().filter(|tag| has(bits, tag.bit()));
    let spending: Vec<u8> = row.get(6)?;
    Ok(ChainMoveRow {
        created_index: get_u64(row, CHAIN, "id", 0)?,
        account: row.get(1)?,
        tag: *tag.ok_or(damaged(CHAIN))?,
        extra_tags: extra.copied().collect(),
        amount: MoveAmount::from_number(row.get(3)?),
        timestamp: get_u64(row, CHAIN, "timestamp", 4)?,
        utxo: get_wire(row, CHAIN, "utxo", 5)?,
        spending_txid: if spending.is_empty() {
            None
        } else {
            Some(get_wire(row, CHAIN, "spending_txid", 6)?)
        },
        peer: get_opt_wire(row, CHAIN, "peer_id", 7)?,
        payment_hash: get_opt_wire(row, CHAIN, "payment_hash", 8)?,
        height: BlockHeight(get_u32(row, CHAIN, "block_height", 9)?),
        output: Sat::from_sat(get_u64(row, CHAIN, "output_sat", 10)?),
        originating_account: row.get(11)?,
        output_count: get_opt_u32(row, CHAIN, "output_count", 12)?,
    })
}

fn channel_move(row: &Row<'_>) -> Result<ChannelMoveRow, DbError> {
    let bits: i64 = row.get(2)?;
    let tag = ChannelMoveTag::ALL.iter().find(|tag| has(bits, tag.bit()));
    Ok(ChannelMoveRow {
        created_index: get_u64(row, CHANNEL, "id", 0)?,
        account: row.get(1)?,
        tag: *tag.ok_or(damaged(CHANNEL))?,
        amount: MoveAmount::from_number(row.get(3)?),
        timestamp: get_u64(row, CHANNEL, "timestamp", 4)?,
        payment_hash: get_opt_wire(row, CHANNEL, "payment_hash", 5)?,
        payment: get_opt_u64(row, CHANNEL, "payment_part_id", 6)?.zip(get_opt_u64(
            row,
            CHANNEL,
            "payment_group_id",
            7,
        )?),
        fees: Msat::from_msat(get_u64(row, CHANNEL, "fees", 8)?),
    })
}

impl Txn<'_> {
    /// Keeps a coin that moved and sets its `created_index`. Returns whether it was news: what is known already is left alone.
    pub fn add_chain_move(&mut self, row: &mut ChainMoveRow) -> Result<bool, DbError> {
        let spending = row.spending_txid.as_ref().map(wire).unwrap_or_default();
        let added = self.execute(
            "INSERT INTO chain_moves (account, tag_bitmap, credit_or_debit, timestamp, utxo, spending_txid, peer_id, payment_hash, \
             block_height, output_sat, originating_account, output_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT DO NOTHING",
            params![
                row.account,
                bitmap(row.tag.bit(), &row.extra_tags),
                row.amount.number(),
                to_i64(row.timestamp),
                wire(&row.utxo),
                spending,
                opt_wire(row.peer.as_ref()),
                opt_wire(row.payment_hash.as_ref()),
                row.height.0,
                to_i64(row.output.as_sat()),
                row.originating_account,
                row.output_count,
            ],
        )?;
        let is_news = added > 0;
        if is_news {
            row.created_index = self.last_rowid();
        }
        Ok(is_news)
    }

    /// Keeps an amount that moved in a channel and sets its `created_index`.
    pub fn add_channel_move(&mut self, row: &mut ChannelMoveRow) -> Result<(), DbError> {
        let (part, group) = row.payment.unzip();
        row.created_index = self.insert(
            "INSERT INTO channel_moves (account, tag_bitmap, credit_or_debit, timestamp, payment_hash, payment_part_id, \
             payment_group_id, fees) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.account,
                bitmap(row.tag.bit(), &[]),
                row.amount.number(),
                to_i64(row.timestamp),
                opt_wire(row.payment_hash.as_ref()),
                part.map(to_i64),
                group.map(to_i64),
                to_i64(row.fees.as_msat()),
            ],
        )?;
        Ok(())
    }

    /// What a part of a payment costs beyond what arrives; nothing if that is not known.
    pub fn payment_fees(&self, hash: &PaymentHash, part: (u64, u64)) -> Result<Msat, DbError> {
        let found = self.first(
            "SELECT max(msatoshi_sent - msatoshi, 0) FROM payments WHERE payment_hash = ?1 AND partid = ?2 AND groupid = ?3",
            (wire(hash), to_i64(part.0), to_i64(part.1)),
            |row| get_u64(row, "payments", "msatoshi_sent", 0),
        )?;
        Ok(Msat::from_msat(found.unwrap_or(0)))
    }

    /// Whether an account was credited with an output.
    pub fn has_chain_credit(&self, account: &str, utxo: OutPoint) -> Result<bool, DbError> {
        let found = self.first(
            "SELECT 1 FROM chain_moves WHERE utxo = ?1 AND account = ?2 AND credit_or_debit > 0",
            (wire(&utxo), account),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Notes what a transaction that is about to be sent pays to somebody else. Doing it twice changes nothing.
    pub fn add_outside_payment(&mut self, utxo: OutPoint, value: Sat) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO outside_payments (txid, vout, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (wire(&utxo.txid), utxo.vout, to_i64(value.as_sat())),
        )?;
        Ok(())
    }

    /// What a transaction pays to others and that is not among the moves yet.
    pub fn outside_payments(&self, txid: &Txid) -> Result<Vec<(OutPoint, Sat)>, DbError> {
        const TABLE: &str = "outside_payments";
        self.all(
            "SELECT vout, value FROM outside_payments WHERE txid = ?1 ORDER BY vout",
            [wire(txid)],
            |row| {
                let vout = get_u32(row, TABLE, "vout", 0)?;
                let value = Sat::from_sat(get_u64(row, TABLE, "value", 1)?);
                Ok((OutPoint { txid: *txid, vout }, value))
            },
        )
    }

    /// Forgets what a transaction pays to others: it is among the moves, or will never be sent.
    pub fn remove_outside_payments(&mut self, txid: &Txid) -> Result<(), DbError> {
        self.execute("DELETE FROM outside_payments WHERE txid = ?1", [wire(txid)])?;
        Ok(())
    }

    /// Coins that moved, by their number; the page's index must be that of creation.
    pub fn chain_moves(&self, page: Page) -> Result<Vec<ChainMoveRow>, DbError> {
        self.all(
            "SELECT id, account, tag_bitmap, credit_or_debit, timestamp, utxo, spending_txid, peer_id, payment_hash, block_height, \
             output_sat, originating_account, output_count FROM chain_moves WHERE id >= ?1 ORDER BY id LIMIT ?2",
            (to_i64(page.start), page.limit),
            chain_move,
        )
    }

    /// Amounts that moved in channels, by their number; the page's index must be that of creation.
    pub fn channel_moves(&self, page: Page) -> Result<Vec<ChannelMoveRow>, DbError> {
        self.all(
            "SELECT id, account, tag_bitmap, credit_or_debit, timestamp, payment_hash, payment_part_id, payment_group_id, fees \
             FROM channel_moves WHERE id >= ?1 ORDER BY id LIMIT ?2",
            (to_i64(page.start), page.limit),
            channel_move,
        )
    }

    /// The number of the last coin that moved.
    pub fn last_chain_move(&self) -> Result<u64, DbError> {
        let found = self.first("SELECT max(id) FROM chain_moves", [], |row| {
            get_u64(row, CHAIN, "id", 0)
        })?;
        Ok(found.unwrap_or(0))
    }

    /// The number of the last amount that moved in a channel.
    pub fn last_channel_move(&self) -> Result<u64, DbError> {
        let found = self.first("SELECT max(id) FROM channel_moves", [], |row| {
            get_u64(row, CHANNEL, "id", 0)
        })?;
        Ok(found.unwrap_or(0))
    }
}
