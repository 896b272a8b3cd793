//! A second file that holds the same as the database after each commit (`wallet=sqlite3://MAIN:BACKUP`).
//!
//! Each transaction is committed to it first, and to the database then. So it is equal, or after a crash one transaction ahead, of
//! which nobody has heard; then it is made equal again. It is never behind what the node has acted on.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::CommitWatch;
use crate::thread::make;

/// How many pages are copied at once.
const PAGES: i32 = 4096;

/// Keeps the second file, and asks another who keeps a copy, too.
pub struct Replica {
    database: PathBuf,
    path: PathBuf,
    /// Open once the first transaction was kept.
    file: RefCell<Option<Connection>>,
    next: Box<dyn CommitWatch>,
}

/// Why a transaction could not be kept in the second file.
#[derive(Debug, thiserror::Error)]
enum ReplicaError {
    #[error("the backup {path}: {reason}")]
    Sqlite { path: String, reason: String },
    #[error(
        "the backup {path} is newer than the database (transaction {theirs} after {ours}): the database is an old copy, and a node that runs on it \
         loses its channels: put the backup in its place, or start with wallet=sqlite3://{path}"
    )]
    Newer {
        path: String,
        ours: u64,
        theirs: u64,
    },
    #[error("the backup {path} is of another node: name another file in wallet=sqlite3://...")]
    OtherNode { path: String },
}

impl Replica {
    /// Keeps the database at `database` a second time at `path`, and then asks `next` about each transaction.
    pub fn new(database: &Path, path: &Path, next: Box<dyn CommitWatch>) -> Self {
        Self {
            database: database.to_owned(),
            path: path.to_owned(),
            file: RefCell::new(None),
            next,
        }
    }

    fn failed(&self, error: &rusqlite::Error) -> ReplicaError {
        ReplicaError::Sqlite {
            path: self.path.display().to_string(),
            reason: error.to_string(),
        }
    }

    /// Commits a transaction to the second file.
    fn keep(&self, version: u64, writes: &[String]) -> Result<(), ReplicaError> {
        let mut place = self.file.borrow_mut();
        if place.is_none() {
            let file = self.open().map_err(|error| self.failed(&error))?;
            self.must_be_ours(&file)?;
            set_up(&file).map_err(|error| self.failed(&error))?;
            *place = Some(file);
        }
        let Some(file) = place.as_mut() else {
            return Ok(());
        };
        self.make_equal(file, version.saturating_sub(1))?;
        let apply = |file: &mut Connection| {
            let transaction = file.transaction()?;
            for statement in writes {
                transaction.execute(statement, [])?;
            }
            transaction.commit()
        };
        apply(file).map_err(|error| self.failed(&error))
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        make(&self.path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
    }

    fn database(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.database, flags)
    }

    /// Whatever another node's file holds is not to be written over.
    fn must_be_ours(&self, file: &Connection) -> Result<(), ReplicaError> {
        let node = |of: &Connection| node_id(of).map_err(|error| self.failed(&error));
        let database = self.database().map_err(|error| self.failed(&error))?;
        match (node(&database)?, node(file)?) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                let path = self.path.display().to_string();
                Err(ReplicaError::OtherNode { path })
            }
            _ => Ok(()),
        }
    }

    /// Brings the second file to the state of the database, which is `ours`.
    fn make_equal(&self, file: &mut Connection, ours: u64) -> Result<(), ReplicaError> {
        let failed = |error: rusqlite::Error| self.failed(&error);
        let theirs = version(file).map_err(failed)?;
        if theirs == Some(ours) {
            return Ok(());
        }
        // One ahead is what a crash between the two commits leaves: nothing was acted on.
        if let Some(theirs) = theirs.filter(|theirs| *theirs > ours.saturating_add(1)) {
            let path = self.path.display().to_string();
            return Err(ReplicaError::Newer { path, ours, theirs });
        }
        let database = self.database().map_err(failed)?;
        let backup = Backup::new(&database, file).map_err(failed)?;
        backup
            .run_to_completion(PAGES, Duration::ZERO, None)
            .map_err(failed)?;
        drop(backup);
        // The copy has the database's way of keeping a journal, too.
        set_up(file).map_err(failed)
    }
}

/// One file, whole after each commit, with nothing beside it that must be copied along.
fn set_up(file: &Connection) -> rusqlite::Result<()> {
    file.pragma_update(None, "journal_mode", "DELETE")?;
    file.pragma_update(None, "synchronous", "FULL")?;
    file.pragma_update(None, "foreign_keys", true)
}

/// The number of the last transaction in a file; nothing if it has no tables yet.
fn version(file: &Connection) -> rusqlite::Result<Option<u64>> {
    var(file, "intval", "data_version")
        .map(|found: Option<i64>| found.and_then(|version| u64::try_from(version).ok()))
}

/// Whose database a file is.
fn node_id(file: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    var(file, "blobval", "node_id")
}

fn var<T: rusqlite::types::FromSql>(
    file: &Connection,
    column: &str,
    name: &str,
) -> rusqlite::Result<Option<T>> {
    if !file.table_exists(None, "vars")? {
        return Ok(None);
    }
    let sql = format!("SELECT {column} FROM vars WHERE name = ?1");
    let found = file.query_row(&sql, [name], |row| row.get::<_, Option<T>>(0));
    Ok(found.optional()?.flatten())
}

impl CommitWatch for Replica {
    fn is_wanted(&self) -> bool {
        true
    }

    fn before_commit(&self, data_version: u32, writes: Vec<String>) -> Result<(), String> {
        let kept = self.keep(data_version.into(), &writes);
        kept.map_err(|error| error.to_string())?;
        if self.next.is_wanted() {
            self.next.before_commit(data_version, writes)?;
        }
        Ok(())
    }
}
