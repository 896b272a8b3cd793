//! Channels.

pub mod close;
pub mod fundchannel;
pub mod fundchannel_cancel;
pub mod fundchannel_complete;
pub mod fundchannel_start;
pub mod listclosedchannels;
pub mod listpeerchannels;
pub mod setchannel;
pub mod types;
