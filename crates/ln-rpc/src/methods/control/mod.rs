//! The node itself and the interface.

pub mod batching;
pub mod check;
pub mod checkmessage;
pub mod deprecations;
pub mod feerates;
pub mod getinfo;
pub mod getlog;
pub mod graceful;
pub mod help;
pub mod listconfigs;
pub mod makesecret;
pub mod notifications;
pub mod parsefeerate;
pub mod setconfig;
pub mod signmessage;
pub mod stop;
pub mod wait;
pub mod waitblockheight;
