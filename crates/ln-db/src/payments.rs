//! Our payments, one row per part.

use ln_types::{Msat, NodeId, PaymentHash, PaymentPreimage, ShortChannelId};
use rusqlite::{Row, params};

use crate::columns::{
    get_opt_u32, get_opt_u64, get_opt_wire, get_u64, get_wire, opt_i64, opt_wire, to_i64, wire,
};
use crate::txn::{Page, PageIndex};
use crate::{DbError, Txn};

const TABLE: &str = "payments";

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Its outcome is not known yet.
    Pending,
    /// It is paid.
    Complete,
    /// It failed.
    Failed,
}

/// One part of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Counts parts by creation; 0 before it is kept.
    pub created_index: u64,
    /// Counts changes of parts.
    pub updated_index: Option<u64>,
    /// When it was started, in seconds since 1970.
    pub created_at: u64,
    /// When its outcome was known.
    pub completed_at: Option<u64>,
    /// Where it is in its life.
    pub status: PaymentStatus,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// Which part; 0 when it is the only one.
    pub partid: u64,
    /// Which attempt at paying this hash.
    pub groupid: u64,
    /// Who gets it.
    pub destination: Option<NodeId>,
    /// What arrives, if known.
    pub amount: Option<Msat>,
    /// What we send, fees included.
    pub sent: Msat,
    /// What all parts add up to.
    pub total: Option<Msat>,
    /// The proof, once paid.
    pub preimage: Option<PaymentPreimage>,
    /// The secrets shared with each hop, to read a failure.
    pub path_secrets: Vec<[u8; 32]>,
    /// The nodes on the route, in order.
    pub route_nodes: Vec<NodeId>,
    /// The channels on the route, in order.
    pub route_channels: Vec<ShortChannelId>,
    /// The user's name for it.
    pub label: Option<String>,
    /// The invoice.
    pub bolt11: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How it failed.
    pub failure: Option<PaymentFailure>,
}

/// How a part failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFailure {
    /// The error as it came, when it could not be read.
    pub onion_reply: Option<Vec<u8>>,
    /// Whether the destination will never take it.
    pub destination_permanent: bool,
    /// Which hop failed it, 0 being us.
    pub erring_index: Option<u32>,
    /// The BOLT 4 failure code.
    pub code: Option<u16>,
    /// The node that failed it.
    pub erring_node: Option<NodeId>,
    /// The channel it failed at.
    pub erring_channel: Option<ShortChannelId>,
    /// That channel's direction.
    pub erring_direction: Option<u8>,
    /// What the node that failed it wrote, decrypted.
    pub message: Option<Vec<u8>>,
    /// For people.
    pub detail: String,
}

const COLUMNS: &str = "SELECT id, updated_index, timestamp, completed_at, status, payment_hash, partid, groupid, destination, msatoshi, \
    msatoshi_sent, total_msat, payment_preimage, path_secrets, route_nodes, route_channels, payment_description, bolt11, description, \
    failonionreply, faildestperm, failindex, failcode, failnode, failscid, faildirection, faildetail, failmsg FROM payments";

fn status_number(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Pending => 0,
        PaymentStatus::Complete => 1,
        PaymentStatus::Failed => 2,
    }
}

fn failure(row: &Row<'_>) -> Result<Option<PaymentFailure>, DbError> {
    let Some(detail) = row.get::<_, Option<String>>(26)? else {
        return Ok(None);
    };
    Ok(Some(PaymentFailure {
        onion_reply: row.get(19)?,
        destination_permanent: get_u64(row, TABLE, "faildestperm", 20)? != 0,
        erring_index: get_opt_u32(row, TABLE, "failindex", 21)?,
        code: row.get(22)?,
        erring_node: get_opt_wire(row, TABLE, "failnode", 23)?,
        erring_channel: get_opt_u64(row, TABLE, "failscid", 24)?.map(ShortChannelId::from_u64),
        erring_direction: row.get(25)?,
        message: row.get(27)?,
        detail,
    }))
}

fn payment(row: &Row<'_>) -> Result<PaymentRow, DbError> {
    Ok(PaymentRow {
        created_index: get_u64(row, TABLE, "id", 0)?,
        updated_index: get_opt_u64(row, TABLE, "updated_index", 1)?,
        created_at: get_u64(row, TABLE, "timestamp", 2)?,
        completed_at: get_opt_u64(row, TABLE, "completed_at", 3)?,
        status: match get_u64(row, TABLE, "status", 4)? {
            0 => PaymentStatus::Pending,
            1 => PaymentStatus::Complete,
            2 => PaymentStatus::Failed,
            _ => {
                return Err(DbError::Corrupt {
                    table: TABLE,
                    column: "status",
                });
            }
        },
        payment_hash: get_wire(row, TABLE, "payment_hash", 5)?,
        partid: get_u64(row, TABLE, "partid", 6)?,
        groupid: get_u64(row, TABLE, "groupid", 7)?,
        destination: get_opt_wire(row, TABLE, "destination", 8)?,
        amount: get_opt_u64(row, TABLE, "msatoshi", 9)?.map(Msat::from_msat),
        sent: Msat::from_msat(get_u64(row, TABLE, "msatoshi_sent", 10)?),
        total: get_opt_u64(row, TABLE, "total_msat", 11)?.map(Msat::from_msat),
        preimage: get_opt_wire(row, TABLE, "payment_preimage", 12)?,
        path_secrets: get_opt_wire(row, TABLE, "path_secrets", 13)?.unwrap_or_default(),
        route_nodes: get_opt_wire(row, TABLE, "route_nodes", 14)?.unwrap_or_default(),
        route_channels: get_opt_wire(row, TABLE, "route_channels", 15)?.unwrap_or_default(),
        label: row.get(16)?,
        bolt11: row.get(17)?,
        description: row.get(18)?,
        failure: failure(row)?,
    })
}

impl Txn<'_> {
    /// Keeps a new part and returns its `created_index`.
    pub fn add_payment(&mut self, row: &PaymentRow) -> Result<u64, DbError> {
        let index = self.next_var("last_sendpays_created_index")?;
        self.insert(
            "INSERT INTO payments (id, timestamp, status, payment_hash, partid, groupid, destination, msatoshi, msatoshi_sent, \
             total_msat, path_secrets, route_nodes, route_channels, payment_description, bolt11, description) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params![
                to_i64(index),
                to_i64(row.created_at),
                status_number(row.status),
                wire(&row.payment_hash),
                to_i64(row.partid),
                to_i64(row.groupid),
                opt_wire(row.destination.as_ref()),
                opt_i64(row.amount.map(Msat::as_msat)),
                to_i64(row.sent.as_msat()),
                opt_i64(row.total.map(Msat::as_msat)),
                wire(&row.path_secrets),
                wire(&row.route_nodes),
                wire(&row.route_channels),
                row.label,
                row.bolt11,
                row.description,
            ],
        )?;
        Ok(index)
    }

    /// Notes that a pending part is paid. A part that is not pending stays as it is. Returns how it stands, if there is one.
    pub fn complete_payment(
        &mut self,
        hash: &PaymentHash,
        part: (u64, u64),
        preimage: &PaymentPreimage,
        now: u64,
    ) -> Result<Option<PaymentRow>, DbError> {
        let updated = self.next_var("last_sendpays_updated_index")?;
        self.execute(
            "UPDATE payments SET status = 1, payment_preimage = ?4, completed_at = ?5, updated_index = ?6, path_secrets = NULL \
             WHERE payment_hash = ?1 AND partid = ?2 AND groupid = ?3 AND status = 0",
            (wire(hash), to_i64(part.0), to_i64(part.1), wire(preimage), to_i64(now), to_i64(updated)),
        )?;
        self.payment(hash, part)
    }

    /// Notes that a pending part failed. A part that is not pending stays as it is. Returns how it stands, if there is one.
    pub fn fail_payment(
        &mut self,
        hash: &PaymentHash,
        part: (u64, u64),
        failure: &PaymentFailure,
        now: u64,
    ) -> Result<Option<PaymentRow>, DbError> {
        let updated = self.next_var("last_sendpays_updated_index")?;
        self.execute(
            "UPDATE payments SET status = 2, completed_at = ?4, updated_index = ?5, failonionreply = ?6, faildestperm = ?7, \
             failindex = ?8, failcode = ?9, failnode = ?10, failscid = ?11, faildirection = ?12, faildetail = ?13, failmsg = ?14 \
             WHERE payment_hash = ?1 AND partid = ?2 AND groupid = ?3 AND status = 0",
            params![
                wire(hash),
                to_i64(part.0),
                to_i64(part.1),
                to_i64(now),
                to_i64(updated),
                failure.onion_reply,
                failure.destination_permanent,
                failure.erring_index,
                failure.code,
                opt_wire(failure.erring_node.as_ref()),
                opt_i64(failure.erring_channel.map(ShortChannelId::as_u64)),
                failure.erring_direction,
                failure.detail,
                failure.message,
            ],
        )?;
        self.payment(hash, part)
    }

    /// All parts for a hash, by group and part.
    pub fn payments_by_hash(&self, hash: &PaymentHash) -> Result<Vec<PaymentRow>, DbError> {
        self.all(
            &format!("{COLUMNS} WHERE payment_hash = ?1 ORDER BY groupid, partid"),
            [wire(hash)],
            payment,
        )
    }

    /// One part.
    pub fn payment(
        &self,
        hash: &PaymentHash,
        part: (u64, u64),
    ) -> Result<Option<PaymentRow>, DbError> {
        self.first(
            &format!("{COLUMNS} WHERE payment_hash = ?1 AND partid = ?2 AND groupid = ?3"),
            (wire(hash), to_i64(part.0), to_i64(part.1)),
            payment,
        )
    }

    /// A part of all payments.
    pub fn payments(&self, page: Page) -> Result<Vec<PaymentRow>, DbError> {
        let column = match page.index {
            PageIndex::Created => "id",
            PageIndex::Updated => "updated_index",
        };
        self.all(
            &format!("{COLUMNS} WHERE {column} >= ?1 ORDER BY {column} LIMIT ?2"),
            (to_i64(page.start), page.limit),
            payment,
        )
    }

    /// A part of all payments that stand like this.
    pub fn payments_with_status(
        &self,
        status: PaymentStatus,
        page: Page,
    ) -> Result<Vec<PaymentRow>, DbError> {
        let column = match page.index {
            PageIndex::Created => "id",
            PageIndex::Updated => "updated_index",
        };
        self.all(
            &format!("{COLUMNS} WHERE status = ?1 AND {column} >= ?2 ORDER BY {column} LIMIT ?3"),
            (status_number(status), to_i64(page.start), page.limit),
            payment,
        )
    }

    /// The greatest `groupid` of a hash; 0 if nobody tried to pay it.
    pub fn last_payment_group(&self, hash: &PaymentHash) -> Result<u64, DbError> {
        let last = self.first(
            "SELECT MAX(groupid) FROM payments WHERE payment_hash = ?1",
            [wire(hash)],
            |row| get_opt_u64(row, TABLE, "groupid", 0),
        )?;
        Ok(last.flatten().unwrap_or(0))
    }

    /// The parts whose outcome is not known yet.
    pub fn pending_payments(&self) -> Result<Vec<PaymentRow>, DbError> {
        self.all(
            &format!("{COLUMNS} WHERE status = 0 ORDER BY id"),
            [],
            payment,
        )
    }

    /// Deletes one part.
    pub fn delete_payment(&mut self, created_index: u64) -> Result<(), DbError> {
        self.next_var("last_sendpays_deleted_index")?;
        self.execute(
            "DELETE FROM payments WHERE id = ?1",
            [to_i64(created_index)],
        )?;
        Ok(())
    }
}
