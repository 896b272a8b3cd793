//! For developers.

pub mod dev;
pub mod dev_compact_gossip_store;
pub mod dev_connectd_exhaust_fds;
pub mod dev_fail;
pub mod dev_feerate;
pub mod dev_forget_channel;
pub mod dev_ignore_htlcs;
pub mod dev_listaddrs;
pub mod dev_memleak;
pub mod dev_reenable_commit;
pub mod dev_report_fds;
pub mod dev_rescan_outputs;
pub mod dev_sign_last_tx;
pub mod dev_suppress_gossip;
