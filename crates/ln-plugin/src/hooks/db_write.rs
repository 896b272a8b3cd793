//! `db_write`: what is about to be written to the database.

use serde::{Deserialize, Serialize};

/// Its name. It has no [`Hook`](super::Hook): it is asked before a plugin has any state, see
/// [`Plugin::copy_database`](crate::Plugin::copy_database).
pub(crate) const DB_WRITE: &str = "db_write";

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbWrite {
    /// Counts commits: each is one more than the one before.
    pub data_version: u32,
    /// The statements, with their values.
    pub writes: Vec<String>,
}
