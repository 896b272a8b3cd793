//! The log: lines for people, kept in memory for `getlog` and written where `log-file` says.

mod filter;
mod line;
mod logger;
mod masked;
mod output;
mod ring;

pub(crate) use filter::LogFilter;
pub(crate) use line::{Line, Origin, printable, start_of, timestamp};
pub(crate) use ln_ipc::status::LogLevel;
pub(crate) use logger::Logger;
pub(crate) use masked::{masked, masked_json};
