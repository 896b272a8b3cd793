//! lightning_channeld: one live channel, from the moment its funding is signed until it is closed or failed.
//!
//! Runs `ln_channel::Channel` between the peer (through connectd), lightningd and hsmd. All rules are in the machine; this is a
//! blocking loop that carries its actions out in order.
//!
//! Invariants: nothing that depends on a state goes to the peer before lightningd said that the state is durable; the process ends
//! when the peer, lightningd or hsmd is gone; what the peer sends can end this process and nothing else.

mod convert;
mod daemon;
mod interpret;
mod master;
mod onion_secrets;
mod run;
mod standing;

pub use daemon::{Channeld, End};
pub use run::run;
