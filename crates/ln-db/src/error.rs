//! Why the database could not do something.

use std::path::PathBuf;

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// SQLite refused.
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
    /// The file is no database, or not whole any more.
    #[error(
        "the database is damaged: {path}{reason}: put its last backup in its place, and see what the book says about backups before the node is started with it"
    )]
    Damaged {
        /// The file and a colon, where it is known.
        path: String,
        /// What SQLite says.
        reason: String,
    },
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
    /// The file was written by an earlier version, and is to be left as it is.
    #[error(
        "the database is of version {found}, this program's are of version {known}: without database-upgrade=false it is brought up to date, and earlier programs can't read it any more"
    )]
    TooOld {
        /// Its version.
        found: u32,
        /// Ours.
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

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        if !is_damage(&error) {
            return Self::Sqlite(error);
        }
        Self::Damaged {
            path: String::new(),
            reason: error.to_string(),
        }
    }
}

/// Whether SQLite says that a file is not what it should be.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}
