//! The log: lines for people, kept in memory for `getlog` and written where `log-file` says.

mod line;
mod logger;
mod ring;

pub(crate) use line::{Line, Origin, timestamp};
pub(crate) use ln_ipc::status::LogLevel;
pub(crate) use logger::{LogFilter, Logger};
