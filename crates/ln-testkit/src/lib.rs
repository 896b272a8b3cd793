//! What tests share: the published shapes of the interface to check replies against, and (feature `nodes`) whole nodes on a
//! private chain, and (feature `peer`) a peer that misbehaves, and
//! (feature `websocket`) a way to peers that listen for websockets.
//!
//! Invariants: only ever a dev-dependency, nothing here is part of a program; nothing sleeps to let something happen: every wait is
//! for a condition, and has an end.

#[cfg(feature = "nodes")]
pub mod nodes;
#[cfg(feature = "peer")]
pub mod peer;
pub mod schemas;
#[cfg(feature = "websocket")]
pub mod websocket;
