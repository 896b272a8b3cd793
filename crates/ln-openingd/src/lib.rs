//! lightning_openingd: one v1 channel being opened, by us or by the peer, until both first commitments are signed.
//!
//! Takes `ln_channel::opening` from stage to stage between the peer (through connectd), lightningd and hsmd. All rules are there.
//!
//! Invariants: `funding_signed` is sent only once lightningd said that the channel is durable; the process ends when the opening is
//! through or has failed, and when the peer, lightningd or hsmd is gone.

mod daemon;
mod incoming;
mod outgoing;
mod run;

pub use daemon::{Ended, Openingd};
pub use run::run;
