//! With which code the node ends, and why.

use crate::options::OptionError;

/// Something failed.
pub(crate) const FAILED: i32 = 1;
/// A helper's program can't be run, or is of another version.
pub(crate) const HELPER: i32 = 10;
/// Another lightningd runs in this directory.
pub(crate) const PID_FILE: i32 = 11;
/// The database belongs to another node or network.
pub(crate) const WRONG_DATABASE: i32 = 30;

/// A failure with an exit code of its own (compat: Core Lightning's codes).
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Exit {
    /// The code.
    pub(crate) code: i32,
    /// What happened, and what to do.
    pub(crate) text: String,
}

impl From<OptionError> for Exit {
    fn from(error: OptionError) -> Self {
        Self {
            code: FAILED,
            text: error.to_string(),
        }
    }
}
