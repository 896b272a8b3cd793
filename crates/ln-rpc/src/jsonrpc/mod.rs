//! The envelope: finding JSON texts in a stream, reading requests, writing replies and notifications, cutting results to a filter.

mod filter;
mod mend;
mod notification;
mod request;
mod response;
mod splitter;

pub use filter::ResultFilter;
pub use mend::mended;
pub use notification::{LogLevel, Stage, write_message, write_progress};
pub use request::{Malformed, Request};
pub use response::{one_line, write_error, write_filtered, write_raw_result, write_result};
pub use splitter::{SplitError, Splitter};
