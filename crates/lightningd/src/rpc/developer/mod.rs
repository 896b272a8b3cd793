//! For developers.

mod dev;
mod dev_fail;
mod dev_forget_channel;
mod dev_memleak;
mod dev_report_fds;
mod not_yet;

pub(super) use not_yet::is_not_yet;
