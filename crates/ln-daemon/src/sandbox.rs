//! Giving up what is not needed any more, and telling the node's log.

use std::path::PathBuf;

use ln_ipc::status::LogLevel;
use ln_sandbox::{Attempt, BREAK_OUT, Helper, attempt};

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How important it is.
    pub level: LogLevel,
    /// What it says.
    pub text: String,
}

/// Whether a daemon has the process for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// It has, so that the process can be confined.
    Process,
    /// It is one thread of many, in a test.
    Thread,
}

impl Home {
    /// [`confine`] where that can be.
    pub fn confine(self, helper: Helper, read: &[PathBuf]) -> Vec<Line> {
        match self {
            Self::Process => confine(helper, read),
            Self::Thread => Vec::new(),
        }
    }
}

/// Confines this process to what the helper needs from now on, and to reading these directories. Call it with one thread, before the first
/// byte of a stranger is read. Returns what there is to say.
pub fn confine(helper: Helper, read: &[PathBuf]) -> Vec<Line> {
    let report = ln_sandbox::confine(helper, read);
    // One says it for all: connectd, which needs it most.
    let worth_it = report.is_lacking() && helper == Helper::Connectd;
    let mut text = report.to_string();
    if worth_it {
        text.push_str(
            ": this kernel does not hold helpers as it could (see the chapter on security)",
        );
    }
    let level = if worth_it {
        LogLevel::Unusual
    } else {
        LogLevel::Debug
    };
    let mut lines = vec![Line { level, text }];
    if let Ok(how) = std::env::var(BREAK_OUT) {
        lines.extend(attempt(helper, &how).into_iter().map(told));
    }
    lines
}

fn told(attempt: Attempt) -> Line {
    let what = attempt.what;
    match attempt.refused {
        Some(error) => Line {
            level: LogLevel::Debug,
            text: format!("break-out: could not {what}: {error}"),
        },
        None => Line {
            level: LogLevel::Broken,
            text: format!("break-out: could {what}"),
        },
    }
}
