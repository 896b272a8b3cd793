//! Channels: open, list, set, close.

mod close;
mod find;
mod fundchannel;
mod fundchannel_cancel;
mod fundchannel_complete;
mod fundchannel_start;
mod listclosedchannels;
mod listpeerchannels;
mod peer_channel;
mod setchannel;
mod terms;
mod types;

pub(crate) use terms::may_be_large;

pub(crate) use types::shown_channel_type;
pub(super) use types::state_of;
