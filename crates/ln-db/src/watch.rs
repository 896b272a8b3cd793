//! Somebody outside who keeps a copy of the database.

/// Is asked before each commit, on the thread that writes.
pub trait CommitWatch: Send {
    /// Whether anybody wants to know of the transaction that begins now.
    fn is_wanted(&self) -> bool;

    /// A transaction is about to be committed: its number in `vars.data_version`, and its changes as SQL that makes the same changes
    /// elsewhere. It is committed when this returns, or, after an error, not at all: that is what those who wrote are told.
    ///
    /// A commit that fails afterwards, or never happens because the process ends, leaves the copy one transaction ahead. The next
    /// has the same number then.
    fn before_commit(&self, data_version: u32, writes: Vec<String>) -> Result<(), String>;
}

/// Nobody keeps a copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nobody;

impl CommitWatch for Nobody {
    fn is_wanted(&self) -> bool {
        false
    }

    fn before_commit(&self, _data_version: u32, _writes: Vec<String>) -> Result<(), String> {
        Ok(())
    }
}
