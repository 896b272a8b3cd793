//! Invoices.

use ln_types::{Msat, PaymentHash, PaymentPreimage, PaymentSecret};
use rusqlite::Row;

use crate::columns::{
    get_opt_u64, get_opt_wire, get_u64, get_wire, opt_i64, opt_wire, to_i64, wire,
};
use crate::txn::{Page, PageIndex};
use crate::{DbError, Txn};

const TABLE: &str = "invoices";

/// Where an invoice is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// It can be paid.
    Unpaid,
    /// It is paid.
    Paid,
    /// It can't be paid any more.
    Expired,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// Counts invoices by creation; 0 before it is kept.
    pub created_index: u64,
    /// Counts changes of invoices.
    pub updated_index: Option<u64>,
    /// Where it is in its life.
    pub status: InvoiceStatus,
    /// The amount; nothing means any.
    pub amount: Option<Msat>,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// Its preimage.
    pub preimage: PaymentPreimage,
    /// The secret a payer must show.
    pub payment_secret: PaymentSecret,
    /// The user's name for it.
    pub label: String,
    /// When it expires, in seconds since 1970.
    pub expires_at: u64,
    /// Counts paid invoices by payment.
    pub pay_index: Option<u64>,
    /// What came in.
    pub received: Option<Msat>,
    /// When it was paid.
    pub paid_at: Option<u64>,
    /// The invoice itself.
    pub bolt11: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

const COLUMNS: &str = "SELECT id, updated_index, state, msatoshi, payment_hash, payment_key, payment_secret, label, expiry_time, pay_index, \
                       msatoshi_received, paid_timestamp, bolt11, description FROM invoices";

fn status_number(status: InvoiceStatus) -> u8 {
    match status {
        InvoiceStatus::Unpaid => 0,
        InvoiceStatus::Paid => 1,
        InvoiceStatus::Expired => 2,
    }
}

fn invoice(row: &Row<'_>) -> Result<InvoiceRow, DbError> {
    Ok(InvoiceRow {
        created_index: get_u64(row, TABLE, "id", 0)?,
        updated_index: get_opt_u64(row, TABLE, "updated_index", 1)?,
        status: match get_u64(row, TABLE, "state", 2)? {
            0 => InvoiceStatus::Unpaid,
            1 => InvoiceStatus::Paid,
            2 => InvoiceStatus::Expired,
            _ => {
                return Err(DbError::Corrupt {
                    table: TABLE,
                    column: "state",
                });
            }
        },
        amount: get_opt_u64(row, TABLE, "msatoshi", 3)?.map(Msat::from_msat),
        payment_hash: get_wire(row, TABLE, "payment_hash", 4)?,
        preimage: get_wire(row, TABLE, "payment_key", 5)?,
        payment_secret: get_opt_wire(row, TABLE, "payment_secret", 6)?
            .unwrap_or(PaymentSecret([0; 32])),
        label: row.get(7)?,
        expires_at: get_u64(row, TABLE, "expiry_time", 8)?,
        pay_index: get_opt_u64(row, TABLE, "pay_index", 9)?,
        received: get_opt_u64(row, TABLE, "msatoshi_received", 10)?.map(Msat::from_msat),
        paid_at: get_opt_u64(row, TABLE, "paid_timestamp", 11)?,
        bolt11: row.get(12)?,
        description: row.get(13)?,
    })
}

impl Txn<'_> {
    /// Keeps a new invoice and returns its `created_index`. The label and hash must be new.
    pub fn add_invoice(&mut self, row: &InvoiceRow) -> Result<u64, DbError> {
        let index = self.next_var("last_invoices_created_index")?;
        self.insert(
            "INSERT INTO invoices (id, state, msatoshi, payment_hash, payment_key, payment_secret, label, expiry_time, bolt11, description) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            (
                to_i64(index),
                status_number(row.status),
                opt_i64(row.amount.map(Msat::as_msat)),
                wire(&row.payment_hash),
                wire(&row.preimage),
                opt_wire(Some(&row.payment_secret)),
                &row.label,
                to_i64(row.expires_at),
                &row.bolt11,
                &row.description,
            ),
        )?;
        Ok(index)
    }

    /// The invoice with a label.
    pub fn invoice_by_label(&self, label: &str) -> Result<Option<InvoiceRow>, DbError> {
        self.first(&format!("{COLUMNS} WHERE label = ?1"), [label], invoice)
    }

    /// The invoice with a payment hash.
    pub fn invoice_by_hash(&self, hash: &PaymentHash) -> Result<Option<InvoiceRow>, DbError> {
        self.first(
            &format!("{COLUMNS} WHERE payment_hash = ?1"),
            [wire(hash)],
            invoice,
        )
    }

    /// A part of all invoices.
    pub fn invoices(&self, page: Page) -> Result<Vec<InvoiceRow>, DbError> {
        let column = match page.index {
            PageIndex::Created => "id",
            PageIndex::Updated => "updated_index",
        };
        self.all(
            &format!("{COLUMNS} WHERE {column} >= ?1 ORDER BY {column} LIMIT ?2"),
            (to_i64(page.start), page.limit),
            invoice,
        )
    }

    /// The first invoice paid after the one with `pay_index`.
    pub fn next_paid_invoice(&self, pay_index: u64) -> Result<Option<InvoiceRow>, DbError> {
        self.first(
            &format!("{COLUMNS} WHERE pay_index > ?1 ORDER BY pay_index LIMIT 1"),
            [to_i64(pay_index)],
            invoice,
        )
    }

    /// Marks an unpaid invoice paid and returns it as it is now. The caller has checked that it may be paid.
    pub fn set_invoice_paid(
        &mut self,
        hash: &PaymentHash,
        received: Msat,
        now: u64,
    ) -> Result<InvoiceRow, DbError> {
        let pay_index = self.next_var("next_pay_index")?;
        let updated = self.next_var("last_invoices_updated_index")?;
        self.execute(
            "UPDATE invoices SET state = 1, pay_index = ?2, msatoshi_received = ?3, paid_timestamp = ?4, updated_index = ?5 \
             WHERE payment_hash = ?1 AND state = 0",
            (wire(hash), to_i64(pay_index), to_i64(received.as_msat()), to_i64(now), to_i64(updated)),
        )?;
        self.invoice_by_hash(hash)?.ok_or(DbError::Corrupt {
            table: TABLE,
            column: "payment_hash",
        })
    }

    /// Marks what has expired by `now`, and returns when the next one will.
    pub fn expire_invoices(&mut self, now: u64) -> Result<Option<u64>, DbError> {
        let due = self.all(
            "SELECT id FROM invoices WHERE state = 0 AND expiry_time <= ?1 LIMIT 1000",
            [to_i64(now)],
            |row| get_u64(row, TABLE, "id", 0),
        )?;
        for id in due {
            let updated = self.next_var("last_invoices_updated_index")?;
            self.execute(
                "UPDATE invoices SET state = 2, updated_index = ?2 WHERE id = ?1",
                (to_i64(id), to_i64(updated)),
            )?;
        }
        let next = self.first(
            "SELECT min(expiry_time) FROM invoices WHERE state = 0",
            [],
            |row| get_opt_u64(row, TABLE, "expiry_time", 0),
        )?;
        Ok(next.flatten())
    }

    /// Deletes an invoice.
    pub fn delete_invoice(&mut self, label: &str) -> Result<(), DbError> {
        self.next_var("last_invoices_deleted_index")?;
        self.execute("DELETE FROM invoices WHERE label = ?1", [label])?;
        Ok(())
    }

    /// Removes an invoice's description.
    pub fn clear_invoice_description(&mut self, label: &str) -> Result<(), DbError> {
        let updated = self.next_var("last_invoices_updated_index")?;
        self.execute(
            "UPDATE invoices SET description = NULL, updated_index = ?2 WHERE label = ?1",
            (label, to_i64(updated)),
        )?;
        Ok(())
    }
}
