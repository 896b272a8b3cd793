//! Why the database could not do something.

use std::path::PathBuf;

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// SQLite refused.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file can't be opened.
    #[error("can't open the database {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The file was written by a later version.
    #[error(
        "the database is of version {found}, this program knows up to {known}: run the newer program that wrote it"
    )]
    TooNew {
        /// Its version.
        found: u32,
        /// The newest we know.
        known: u32,
    },
    /// A value that should not be there.
    #[error("database column {column} of {table} holds an invalid value")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// Another process changed the database.
    #[error("another process wrote to this database: two nodes must never share one")]
    SecondWriter,
    /// The database thread is gone, after an error that made going on unsafe.
    #[error("the database is closed")]
    Closed,
    /// The commit failed: nothing of the transaction was kept.
    #[error("the database can't be written: {0}")]
    Commit(String),
}
