//! A transaction as the repositories see it.

use rusqlite::{Connection, Params, Row};

use crate::DbError;
use crate::spell::spell_out;

/// A running transaction, or a view for reading.
#[derive(Debug)]
pub struct Txn<'c> {
    connection: &'c Connection,
    wrote: bool,
    /// What was written, statement by statement, if anybody wants to know.
    written: Option<Vec<String>>,
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
            written: None,
        }
    }

    /// One that keeps what it writes as statements, for [`Self::into_written`].
    pub(crate) fn recording(connection: &'c Connection, wanted: bool) -> Self {
        Self {
            written: wanted.then(Vec::new),
            ..Self::new(connection)
        }
    }

    /// The statements that changed something, with their values, in the order they ran; none unless they were wanted.
    pub(crate) fn into_written(self) -> Vec<String> {
        self.written.unwrap_or_default()
    }

    /// Runs a changing statement; returns how many rows it changed.
    pub(crate) fn execute(
        &mut self,
        sql: &str,
        params: impl Params + Clone,
    ) -> Result<usize, DbError> {
        let text = self.spelled(sql, &params)?;
        let changed = self.connection.prepare_cached(sql)?.execute(params)?;
        self.record(text);
        Ok(changed)
    }

    /// Inserts a row and returns its rowid.
    pub(crate) fn insert(
        &mut self,
        sql: &str,
        params: impl Params + Clone,
    ) -> Result<u64, DbError> {
        let text = self.spelled(sql, &params)?;
        let id = self.connection.prepare_cached(sql)?.insert(params)?;
        self.record(text);
        Ok(u64::try_from(id).unwrap_or_default())
    }

    /// The rowid of the row inserted last.
    pub(crate) fn last_rowid(&self) -> u64 {
        u64::try_from(self.connection.last_insert_rowid()).unwrap_or_default()
    }

    /// The statement as text, if anybody wants to know.
    fn spelled(
        &self,
        sql: &str,
        params: &(impl Params + Clone),
    ) -> Result<Option<String>, DbError> {
        let spell = |_| spell_out(self.connection, sql, params.clone());
        self.written.as_ref().map(spell).transpose()
    }

    fn record(&mut self, text: Option<String>) {
        self.wrote = true;
        if let Some(written) = &mut self.written {
            written.extend(text);
        }
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
        let before = self.written.as_ref().map_or(0, Vec::len);
        let result = work(self);
        if result.is_err() {
            self.connection
                .prepare_cached("ROLLBACK TO work")?
                .execute([])?;
            if let Some(written) = &mut self.written {
                written.truncate(before);
            }
        }
        self.connection
            .prepare_cached("RELEASE work")?
            .execute([])?;
        result
    }

    pub(crate) fn wrote(&self) -> bool {
        self.wrote
    }

    /// Counts the writing transaction, as `vars.data_version`, and returns its number: 32 bits that wrap.
    pub(crate) fn bump_data_version(&mut self) -> Result<u32, DbError> {
        let version = self.var("data_version")? & u64::from(u32::MAX);
        let version = u32::try_from(version).unwrap_or_default();
        let next = version.wrapping_add(1);
        self.set_var("data_version", next.into())?;
        Ok(next)
    }
}
