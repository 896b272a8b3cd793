//! A small private Bitcoin chain (regtest) that speaks bitcoind's command line and RPC.
//!
//! The core is pure: [`chain`] (blocks, coins, reorgs), [`mempool`] and [`policy`] (relay rules),
//! [`mining`], [`wallet`]; [`node`] joins them, [`rpc`] answers calls on it. Time and randomness are
//! arguments. Scripts are judged by Bitcoin Core's own consensus code ([`consensus_script`]).
//! The edge is [`server`]: sockets, files, signals, threads. [`harness`] starts the program for tests.
//!
//! The answers are those of Bitcoin Core 29: codes, reject reasons, amounts with eight digits. Where it
//! differs on purpose:
//! - A wallet is made for the first wallet call if there is none, unless `-nowallet` is given.
//! - The wallet pays 1000 sat/kvB unless `-fallbackfee` says otherwise, spends the largest confirmed
//!   coins first, and sets no lock time, so that its payments survive deep reorgs.
//! - Two blocks mined in the same second to the same address differ, also after `invalidateblock`.
//! - `-inmemory` keeps nothing but the cookie; wallet files are journals of our own, not SQLite.
//! - No P2P, ZMQ, REST, mock time, fee estimates or descriptors beyond `addr` and `raw`.
//!
//! **Invariants.** No peer-to-peer network and no chain but regtest. A reply is sent after the
//! blocks, addresses and payments it reports are in the journals, so a killed process comes back with
//! them. The mempool of others survives a clean stop only.

pub mod chain;
pub mod cli;
pub mod client;
pub mod consensus_script;
pub mod descriptor;
pub mod harness;
pub mod json;
pub mod mempool;
pub mod mining;
pub mod node;
pub mod params;
pub mod policy;
pub mod rpc;
pub mod script;
pub mod server;
pub mod utc;
pub mod wallet;
