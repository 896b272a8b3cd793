//! For developers.

mod dev_fail;
mod dev_forget_channel;
mod dev_memleak;
mod dev_report_fds;
