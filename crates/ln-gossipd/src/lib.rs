//! lightning_gossipd: takes announcements from peers and from our own node and keeps the `gossip_store`.
//!
//! What is believed is decided by `ln_gossip::Intake`; this crate carries its actions out: it writes the store, asks lightningd for
//! funding outputs and sends warnings to peers through connectd. It covers no section of a BOLT itself.
//!
//! The process opens no file: lightningd does, with [`serve_store`], and gossipd gives connectd each new store to read.
//!
//! [`GossipMap`] reads the store in other processes (lightningd, plugins) while it grows.
//!
//! Invariants: only this daemon writes the store, and only ever at its end or in headers; a store that can't be written or was damaged
//! never ends the daemon; every queue has a bound.

mod daemon;
mod damage;
mod map;
mod run;
mod store_file;
mod store_place;
mod store_server;
#[cfg(test)]
mod tests;

pub use map::GossipMap;
pub use run::{GossipdError, run, serve};
pub use store_file::{Opened, Repair, StoreFile, StoreFileError};
pub use store_place::{StoreHandles, StorePlace};
pub use store_server::serve_store;
