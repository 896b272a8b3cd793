//! The node and the interface itself.

mod batching;
mod check;
mod checkmessage;
mod config_values;
mod deprecations;
mod feerates;
mod getinfo;
mod getlog;
mod graceful;
mod help;
mod listconfigs;
mod log_entries;
mod makesecret;
mod notifications;
mod parsefeerate;
mod setconfig;
mod signmessage;
mod stop;
mod wait;
mod waitblockheight;
mod zbase32;

pub(super) use log_entries::{level, log_entries};
