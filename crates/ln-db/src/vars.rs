//! Single values: counters and the like.

use crate::columns::{get_u64, to_i64};
use crate::{DbError, Txn};

impl Txn<'_> {
    /// A counter, 0 when it was never set.
    pub fn var(&self, name: &str) -> Result<u64, DbError> {
        let found = self.first("SELECT intval FROM vars WHERE name = ?1", [name], |row| {
            get_u64(row, "vars", "intval", 0)
        })?;
        Ok(found.unwrap_or(0))
    }

    /// Sets a counter.
    pub fn set_var(&mut self, name: &str, value: u64) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO vars (name, intval) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET intval = excluded.intval",
            (name, to_i64(value)),
        )?;
        Ok(())
    }

    /// Raises a counter by one and returns the new value.
    pub fn next_var(&mut self, name: &str) -> Result<u64, DbError> {
        let value = self.var(name)?.saturating_add(1);
        self.set_var(name, value)?;
        Ok(value)
    }

    /// Some bytes, when they were set.
    pub fn blob_var(&self, name: &str) -> Result<Option<Vec<u8>>, DbError> {
        let found = self.first("SELECT blobval FROM vars WHERE name = ?1", [name], |row| {
            Ok(row.get(0)?)
        })?;
        Ok(found.flatten())
    }

    /// Sets some bytes.
    pub fn set_blob_var(&mut self, name: &str, value: &[u8]) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO vars (name, blobval) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET blobval = excluded.blobval",
            (name, value),
        )?;
        Ok(())
    }
}
