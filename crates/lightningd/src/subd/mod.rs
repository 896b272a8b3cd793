//! Helper processes: starting them, talking to them, noticing that they end.

mod process;
mod sender;

pub(crate) use process::{Subd, SubdEnd, SubdStart};
pub(crate) use sender::SubdSender;
