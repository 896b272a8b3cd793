//! Channels: open, list, set, close.

mod types;

pub(super) use types::state_of;
