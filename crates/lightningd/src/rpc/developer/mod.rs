//! For developers.

mod dev;
mod dev_compact_gossip_store;
mod dev_connectd_exhaust_fds;
mod dev_fail;
mod dev_feerate;
mod dev_forget_channel;
mod dev_ignore_htlcs;
mod dev_listaddrs;
mod dev_memleak;
mod dev_reenable_commit;
mod dev_report_fds;
mod dev_rescan_outputs;
mod dev_sign_last_tx;
mod dev_suppress_gossip;
mod not_yet;
mod peer_channel;

pub(super) use not_yet::is_not_yet;
