//! A small private Bitcoin chain (regtest) that speaks bitcoind's command line and RPC.
//!
//! The core is pure: [`chain`] (blocks, coins, reorgs), [`mempool`] and [`policy`] (relay rules),
//! [`mining`], [`wallet`]; [`node`] joins them, [`rpc`] answers calls on it. Time and randomness are
//! arguments. Scripts are judged by Bitcoin Core's own consensus code ([`consensus_script`]).
//! The edge is [`server`]: sockets, files, signals, threads. [`harness`] starts the program for tests.
//!
//! **Invariants.** No peer-to-peer network and no chain but regtest. A reply is sent after what it
//! reports is in the journal, so a killed process comes back with everything it acknowledged.

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
