//! Payments of others that came through us, or did not.

use ln_types::{HtlcId, Msat, PaymentHash, ShortChannelId};
use rusqlite::{Row, params};

use crate::columns::{get_opt_u64, get_u64, get_wire, opt_i64, to_i64, wire};
use crate::txn::{Page, PageIndex};
use crate::{DbError, Txn};

const TABLE: &str = "forwards";
/// What all forwards that were paid left us, in millisatoshi.
const FEES: &str = "forward_fees_collected";

/// How a forward stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardStatus {
    /// The next peer has it.
    Offered,
    /// It is paid.
    Settled,
    /// It failed further on.
    Failed,
    /// It never left us.
    LocalFailed,
}

/// One HTLC that was to be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardRow {
    /// Counts forwards; 0 before it is kept.
    pub created_index: u64,
    /// Counts changes of forwards.
    pub updated_index: Option<u64>,
    /// The number of the channel it came by.
    pub channel: u64,
    /// That channel's short id, or our alias for it.
    pub in_channel: ShortChannelId,
    /// The HTLC's number there.
    pub in_htlc: HtlcId,
    /// What came in.
    pub in_amount: Msat,
    /// The channel it went out by, or was to.
    pub out_channel: Option<ShortChannelId>,
    /// The HTLC's number there, if it went.
    pub out_htlc: Option<HtlcId>,
    /// What went out, if it went.
    pub out_amount: Option<Msat>,
    /// The payment's hash.
    pub payment_hash: PaymentHash,
    /// How it stands.
    pub status: ForwardStatus,
    /// When it came, in nanoseconds since 1970.
    pub received_time: u64,
    /// When it ended, in nanoseconds since 1970.
    pub resolved_time: Option<u64>,
    /// The BOLT 4 failure code, if it was our decision.
    pub failcode: Option<u16>,
}

impl ForwardRow {
    /// What it leaves us, if it went out.
    pub fn fee(&self) -> Option<Msat> {
        self.out_amount
            .map(|amount| self.in_amount.saturating_sub(amount))
    }
}

const COLUMNS: &str = "SELECT id, updated_index, channel_id, in_channel_scid, in_htlc_id, in_msatoshi, out_channel_scid, out_htlc_id, \
                       out_msatoshi, payment_hash, state, received_time, resolved_time, failcode FROM forwards";

fn number(status: ForwardStatus) -> u8 {
    match status {
        ForwardStatus::Offered => 0,
        ForwardStatus::Settled => 1,
        ForwardStatus::Failed => 2,
        ForwardStatus::LocalFailed => 3,
    }
}

fn forward(row: &Row<'_>) -> Result<ForwardRow, DbError> {
    let number = |name, index| get_u64(row, TABLE, name, index);
    let optional = |name, index| get_opt_u64(row, TABLE, name, index);
    Ok(ForwardRow {
        created_index: number("id", 0)?,
        updated_index: optional("updated_index", 1)?,
        channel: number("channel_id", 2)?,
        in_channel: ShortChannelId::from_u64(number("in_channel_scid", 3)?),
        in_htlc: HtlcId(number("in_htlc_id", 4)?),
        in_amount: Msat::from_msat(number("in_msatoshi", 5)?),
        out_channel: optional("out_channel_scid", 6)?.map(ShortChannelId::from_u64),
        out_htlc: optional("out_htlc_id", 7)?.map(HtlcId),
        out_amount: optional("out_msatoshi", 8)?.map(Msat::from_msat),
        payment_hash: get_wire(row, TABLE, "payment_hash", 9)?,
        status: match number("state", 10)? {
            0 => ForwardStatus::Offered,
            1 => ForwardStatus::Settled,
            2 => ForwardStatus::Failed,
            3 => ForwardStatus::LocalFailed,
            _ => {
                return Err(DbError::Corrupt {
                    table: TABLE,
                    column: "state",
                });
            }
        },
        received_time: number("received_time", 11)?,
        resolved_time: optional("resolved_time", 12)?,
        failcode: row.get(13)?,
    })
}

/// Which forwards to list; what is not given is any.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForwardFilter {
    /// How it stands.
    pub status: Option<ForwardStatus>,
    /// The channel it came by.
    pub in_channel: Option<ShortChannelId>,
    /// The channel it went out by, or was to.
    pub out_channel: Option<ShortChannelId>,
}

impl Txn<'_> {
    /// Keeps a new forward and returns it as it stands. One that is known already is left as it is.
    pub fn add_forward(&mut self, row: &ForwardRow) -> Result<Option<ForwardRow>, DbError> {
        if self.forward(row.channel, row.in_htlc)?.is_none() {
            let index = self.next_var("last_forwards_created_index")?;
            self.execute(
                "INSERT INTO forwards (id, channel_id, in_channel_scid, in_htlc_id, in_msatoshi, out_channel_scid, out_htlc_id, out_msatoshi, \
                 payment_hash, state, received_time, resolved_time, failcode) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    to_i64(index),
                    to_i64(row.channel),
                    to_i64(row.in_channel.as_u64()),
                    to_i64(row.in_htlc.0),
                    to_i64(row.in_amount.as_msat()),
                    opt_i64(row.out_channel.map(ShortChannelId::as_u64)),
                    opt_i64(row.out_htlc.map(|id| id.0)),
                    opt_i64(row.out_amount.map(Msat::as_msat)),
                    wire(&row.payment_hash),
                    number(row.status),
                    to_i64(row.received_time),
                    opt_i64(row.resolved_time),
                    row.failcode,
                ],
            )?;
        }
        self.forward(row.channel, row.in_htlc)
    }

    /// Notes how a forward that is under way ended, `time` being in nanoseconds since 1970. Returns how it stands, if there is one.
    pub fn end_forward(
        &mut self,
        channel: u64,
        htlc: HtlcId,
        status: ForwardStatus,
        time: u64,
    ) -> Result<Option<ForwardRow>, DbError> {
        let under_way = self.forward(channel, htlc)?;
        let Some(row) = under_way.filter(|row| row.status == ForwardStatus::Offered) else {
            return Ok(None);
        };
        let updated = self.next_var("last_forwards_updated_index")?;
        self.execute(
            "UPDATE forwards SET state = ?3, resolved_time = ?4, updated_index = ?5 WHERE channel_id = ?1 AND in_htlc_id = ?2",
            (
                to_i64(channel),
                to_i64(htlc.0),
                number(status),
                to_i64(time),
                to_i64(updated),
            ),
        )?;
        if status == ForwardStatus::Settled {
            let fees = self.forward_fees()?;
            let fees = fees.saturating_add(row.fee().unwrap_or(Msat::ZERO));
            self.set_var(FEES, fees.as_msat())?;
        }
        self.forward(channel, htlc)
    }

    /// The forward of an HTLC that came in.
    fn forward(&self, channel: u64, htlc: HtlcId) -> Result<Option<ForwardRow>, DbError> {
        self.first(
            &format!("{COLUMNS} WHERE channel_id = ?1 AND in_htlc_id = ?2"),
            (to_i64(channel), to_i64(htlc.0)),
            forward,
        )
    }

    /// What all forwards that were paid left us, the deleted ones included.
    pub fn forward_fees(&self) -> Result<Msat, DbError> {
        self.var(FEES).map(Msat::from_msat)
    }

    /// The forwards of a page that fit.
    pub fn forwards(&self, filter: ForwardFilter, page: Page) -> Result<Vec<ForwardRow>, DbError> {
        let column = match page.index {
            PageIndex::Created => "id",
            PageIndex::Updated => "updated_index",
        };
        self.all(
            &format!(
                "{COLUMNS} WHERE {column} >= ?1 AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR in_channel_scid = ?4) \
                 AND (?5 IS NULL OR out_channel_scid = ?5) ORDER BY {column} LIMIT ?2"
            ),
            (
                to_i64(page.start),
                page.limit,
                filter.status.map(number),
                opt_i64(filter.in_channel.map(ShortChannelId::as_u64)),
                opt_i64(filter.out_channel.map(ShortChannelId::as_u64)),
            ),
            forward,
        )
    }

    /// Deletes a forward that stands like this: whether there was one.
    pub fn delete_forward(
        &mut self,
        in_channel: ShortChannelId,
        in_htlc: HtlcId,
        status: ForwardStatus,
    ) -> Result<bool, DbError> {
        let deleted = self.execute(
            "DELETE FROM forwards WHERE in_channel_scid = ?1 AND in_htlc_id = ?2 AND state = ?3",
            (
                to_i64(in_channel.as_u64()),
                to_i64(in_htlc.0),
                number(status),
            ),
        )?;
        if deleted > 0 {
            self.next_var("last_forwards_deleted_index")?;
        }
        Ok(deleted > 0)
    }
}
