//! Black-box tests: real processes on a private chain, seen only as an operator and a peer see them.
//!
//! They are in `tests/blackbox`, one file per theme, and in `interop/`, where other people's programs talk to ours. [`book`] types the
//! commands of the book. The programs must be built first, which `cargo xtask test` does; by hand: `cargo build -p lightningd
//! -p lightning-cli -p lightning-hsmtool -p bolt11-cli -p lightning-playground -p regtest-bitcoind`.

pub mod book;
