//! What plugins and users keep with us.

use rusqlite::Row;

use crate::columns::{get_u64, to_i64};
use crate::{DbError, Txn};

/// Whether a key must be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatastoreMode {
    /// It must not exist.
    MustCreate,
    /// It must exist.
    MustReplace,
    /// Either.
    CreateOrReplace,
    /// It must exist and is extended.
    MustAppend,
    /// It is extended, or made.
    CreateOrAppend,
}

/// A key and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatastoreRow {
    /// The key's parts.
    pub key: Vec<String>,
    /// The data.
    pub data: Vec<u8>,
    /// Counts changes.
    pub generation: u64,
}

/// Parts joined by a zero byte, so that the children of a key follow it in order.
fn join(key: &[String]) -> Vec<u8> {
    key.join("\0").into_bytes()
}

fn entry(row: &Row<'_>) -> Result<DatastoreRow, DbError> {
    let key: Vec<u8> = row.get(0)?;
    let key = String::from_utf8(key).map_err(|_| DbError::Corrupt {
        table: "datastore",
        column: "key",
    })?;
    Ok(DatastoreRow {
        key: key.split('\0').map(str::to_owned).collect(),
        data: row.get(1)?,
        generation: get_u64(row, "datastore", "generation", 2)?,
    })
}

const COLUMNS: &str = "SELECT key, data, generation FROM datastore";

impl Txn<'_> {
    /// The entry with exactly this key.
    pub fn datastore_entry(&self, key: &[String]) -> Result<Option<DatastoreRow>, DbError> {
        self.first(&format!("{COLUMNS} WHERE key = ?1"), [join(key)], entry)
    }

    /// The entry with this key and everything below it; an empty key means all.
    pub fn datastore_below(&self, key: &[String]) -> Result<Vec<DatastoreRow>, DbError> {
        if key.is_empty() {
            return self.all(&format!("{COLUMNS} ORDER BY key"), [], entry);
        }
        let exact = join(key);
        let mut first_child = exact.clone();
        first_child.push(0);
        let mut past_children = exact.clone();
        past_children.push(1);
        self.all(
            &format!("{COLUMNS} WHERE key = ?1 OR (key >= ?2 AND key < ?3) ORDER BY key"),
            (exact, first_child, past_children),
            entry,
        )
    }

    /// Writes an entry.
    pub fn put_datastore(&mut self, row: &DatastoreRow) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO datastore (key, data, generation) VALUES (?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET \
             data = excluded.data, generation = excluded.generation",
            (join(&row.key), &row.data, to_i64(row.generation)),
        )?;
        Ok(())
    }

    /// Deletes an entry.
    pub fn delete_datastore(&mut self, key: &[String]) -> Result<(), DbError> {
        self.execute("DELETE FROM datastore WHERE key = ?1", [join(key)])?;
        Ok(())
    }
}
