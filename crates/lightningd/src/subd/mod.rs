//! Helper processes: starting them, talking to them, noticing that they end.

mod process;
mod programs;
mod running;
mod sender;
mod switches;

pub(crate) use process::{Subd, SubdEnd, SubdStart};
pub(crate) use programs::try_programs;
pub(crate) use running::{end_all, end_those_with_peers};
pub(crate) use sender::SubdSender;
