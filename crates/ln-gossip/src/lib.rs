//! The public network graph: which announcements are believed, how they are stored, and what they add up to.
//!
//! Covers BOLT 7 §The `channel_announcement` Message, §The `node_announcement` Message, §The `channel_update` Message, §Rebroadcasting
//! and §Pruning the Network View; the file is Core Lightning's `gossip_store`.
//!
//! - [`verify`]: signatures and form of one announcement.
//! - [`store`]: records as bytes; reading them back with torn tails; rewriting a store.
//! - [`Graph`]: nodes and channels, built from records one by one.
//! - [`Intake`]: decides what happens to each announcement that comes in (`step(event) -> actions`) and keeps a [`Graph`] in step with
//!   the store.
//!
//! Queries (BOLT 7 §Query Messages) get their place in `queries/`, the choice of whom to ask for what in `seeker/`, both with the same
//! form as [`Intake`].
//!
//! Invariants: no clock, no file, no socket: time comes with each event, the store's bytes come from the caller and changes to it leave
//! as actions. Every queue has a bound. A message from outside never makes anything here panic.
#![warn(clippy::arithmetic_side_effects)]

mod error;
pub mod fuzz;
mod graph;
mod intake;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
pub mod store;
pub mod verify;
mod view;

pub use error::{GossipError, GossipResponse};
pub use graph::{Channel, ChannelPolicy, Dying, Graph, Node, NodeKey, StoredNodeAnnouncement};
pub use intake::{Action, Env, Event, Intake, Limits, PeerPolicy, Severity};
pub use view::{ChannelAnnouncementView, ChannelUpdateView, NodeAnnouncementView};
