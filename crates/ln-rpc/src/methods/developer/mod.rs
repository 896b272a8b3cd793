//! For developers.

pub mod dev;
pub mod dev_fail;
pub mod dev_forget_channel;
pub mod dev_memleak;
pub mod dev_report_fds;
