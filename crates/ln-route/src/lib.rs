//! Ways through the network: which channels take a payment to its payee, for what fee and after how many blocks.
//!
//! Covers the payer's side of BOLT 7 §HTLC Fees and §Recommendations for Routing, over the graph of ln-gossip.
//!
//! - [`Network`]: what there is to go by: the public graph, the payer's own channels, the hints of an invoice.
//! - [`Knowledge`]: what attempts have taught about it, and what is to be avoided.
//! - [`find`]: one way for one amount; [`spread`]: ways for its parts.
//!
//! Invariants: no clock, no luck, no store: the same question has the same answer. Nothing that is in the graph or in a hint, however
//! large its numbers are, makes anything here panic. A search visits each node once.
#![warn(clippy::arithmetic_side_effects)]

mod cost;
mod edge;
mod knowledge;
mod network;
mod route;
mod search;
mod spread;
#[cfg(test)]
mod town;

pub use cost::Risk;
pub use edge::Terms;
pub use knowledge::Knowledge;
pub use network::{FirstHop, Hint, Network};
pub use route::{Hop, Route};
pub use search::{MAX_HOPS, NoRoute, Query, find};
pub use spread::spread;
