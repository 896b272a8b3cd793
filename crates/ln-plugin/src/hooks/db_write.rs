//! `db_write`: what is about to be written to the database.

use serde::{Deserialize, Serialize};

use super::{Continue, Hook};

/// Asked before each commit of the database, and before `init` already. The node waits: a backup that was answered for is complete.
pub const DB_WRITE: Hook<DbWrite, Continue> = Hook::named("db_write");

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbWrite {
    /// Counts commits: each is one more than the one before.
    pub data_version: u32,
    /// The statements, with their values.
    pub writes: Vec<String>,
}
