//! What is known of a panic.

use std::backtrace::Backtrace;
use std::fmt;
use std::panic::PanicHookInfo;

/// A panic, as a hook sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// What was said.
    pub message: String,
    /// Where, as file and line.
    pub place: String,
    /// Who called whom.
    pub backtrace: String,
}

impl Panic {
    /// Looks at the place where it happens: only of use inside the hook.
    pub fn new(info: &PanicHookInfo<'_>) -> Self {
        Self {
            message: info.payload_as_str().unwrap_or("no words").to_owned(),
            place: info
                .location()
                .map_or_else(|| "unknown".to_owned(), ToString::to_string),
            backtrace: Backtrace::force_capture().to_string(),
        }
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.message, self.place)
    }
}
