//! The channel machine: opening, normal operation, shutdown, closing and reestablishing a channel.
//!
//! Covers BOLT 2 §Channel Establishment v1, §Normal Operation, §Closing Initiation: `shutdown`, §Legacy Closing Negotiation:
//! `closing_signed`, §Message Retransmission.
//!
//! Invariants: no clock, no socket, no file, no database, no randomness. A machine takes an event and returns actions; when it
//! returns an error nothing has changed. [`Action::Persist`] is a barrier: what follows it is done only once it is durable.
#![warn(clippy::arithmetic_side_effects)]

mod by_side;
mod feerates;
mod htlc;
mod htlc_state;

pub use by_side::BySide;
pub use feerates::{FeeUpdate, Feerates};
pub use htlc::{Htlc, Htlcs, OnionPacket, Removal};
pub use htlc_state::{CommitStep, HtlcState};
