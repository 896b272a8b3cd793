//! Black-box tests on real processes: each test has a chain and nodes of its own.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

mod support;

mod accounts;
mod addresses;
mod background;
mod bad_params;
mod bad_start;
mod book;
mod chain;
mod chain_proxy;
mod channel_life;
mod closing;
mod connecting;
mod crash;
mod demo;
mod deprecated;
mod developer;
mod developer_options;
mod errors;
mod force_close;
mod forwarding;
mod forwarding_trouble;
mod full_disk;
mod hostile;
mod kill;
mod kill_held;
mod kill_life;
mod life;
mod line;
mod log;
mod networks;
mod onchain;
mod opening;
mod opening_trouble;
mod paying;
mod playground;
mod plugin_custom;
mod plugin_db_write;
mod plugin_events;
mod plugin_faults;
mod plugin_guard;
mod plugin_hooks;
mod plugin_htlc;
mod plugin_life;
mod plugin_messages;
mod plugin_tlvs;
mod plugin_trouble;
mod plugin_watchtower;
mod plugins;
mod proxies;
mod recover;
mod reorg;
mod restart;
mod routes;
mod sandbox;
mod second_file;
mod setconfig;
mod start_stop;
mod talk;
mod trouble;
mod wallet;
