//! The plugin as lightningd sees it, against a scripted bitcoind and against a chain.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value
)]

mod connection;
mod methods;
mod regtest;
mod support;
