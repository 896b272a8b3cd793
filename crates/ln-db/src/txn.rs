//! A transaction as the repositories see it.

use rusqlite::{Connection, Params, Row};

use crate::DbError;

/// A running transaction, or a view for reading.
#[derive(Debug)]
pub struct Txn<'c> {
    connection: &'c Connection,
    wrote: bool,
}

/// Which index a list is paged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageIndex {
    /// By creation.
    Created,
    /// By last change.
    Updated,
}

/// A part of a list: rows whose index is at least `start`, at most `limit` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The index.
    pub index: PageIndex,
    /// The first value.
    pub start: u64,
    /// How many rows; `u32::MAX` means all.
    pub limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            index: PageIndex::Created,
            start: 0,
            limit: u32::MAX,
        }
    }
}

impl<'c> Txn<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            wrote: false,
        }
    }

    /// Runs a changing statement; returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, params: impl Params) -> Result<usize, DbError> {
        self.wrote = true;
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// Inserts a row and returns its rowid.
    pub(crate) fn insert(&mut self, sql: &str, params: impl Params) -> Result<u64, DbError> {
        self.wrote = true;
        let id = self.connection.prepare_cached(sql)?.insert(params)?;
        Ok(u64::try_from(id).unwrap_or_default())
    }

    /// The rowid of the row inserted last.
    pub(crate) fn last_rowid(&self) -> u64 {
        u64::try_from(self.connection.last_insert_rowid()).unwrap_or_default()
    }

    /// All rows of a query.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// The first row of a query.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// Runs `work` so that its failure undoes only its own changes.
    pub(crate) fn savepoint<T>(
        &mut self,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.connection
            .prepare_cached("SAVEPOINT work")?
            .execute([])?;
        let result = work(self);
        if result.is_err() {
            self.connection
                .prepare_cached("ROLLBACK TO work")?
                .execute([])?;
        }
        self.connection
            .prepare_cached("RELEASE work")?
            .execute([])?;
        result
    }

    pub(crate) fn wrote(&self) -> bool {
        self.wrote
    }

    /// Counts the writing transaction, as `vars.data_version`.
    pub(crate) fn bump_data_version(&mut self) -> Result<(), DbError> {
        self.execute(
            "UPDATE vars SET intval = intval + 1 WHERE name = 'data_version'",
            [],
        )?;
        Ok(())
    }
}
