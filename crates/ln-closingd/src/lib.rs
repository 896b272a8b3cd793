//! lightning_closingd: the fee negotiation of a mutual close.
//!
//! After a reconnection it first reestablishes the channel with `ln_channel::Channel`, until `shutdown` has been exchanged again; then
//! `ln_channel::Closing` negotiates. All rules are in those two.
//!
//! Invariants: a proposal that lets the peer complete a closing transaction goes out only once lightningd said that our copy of that
//! transaction is durable; the process ends when both agree, and when the peer, lightningd or hsmd is gone.

mod daemon;
mod reestablish;
mod run;

pub use daemon::{Closingd, Ended};
pub use run::run;
