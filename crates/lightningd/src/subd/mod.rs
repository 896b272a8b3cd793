//! Helper processes: starting them, talking to them, noticing that they end.

mod process;
mod programs;
mod sender;

pub(crate) use process::{Subd, SubdEnd, SubdStart};
pub(crate) use programs::try_programs;
pub(crate) use sender::SubdSender;
