//! lightning_onchaind: a channel whose funding output is spent, until nothing of it is left to resolve.
//!
//! Runs `ln_onchain::Resolution` for lightningd: a blocking loop that reads an event, takes a step, writes what it means to the log
//! and answers with the actions. All rules are in the machine.
//!
//! Invariants: this process signs nothing and sees no socket but lightningd's and hsmd's, which it asks for one point; it keeps
//! nothing: after a restart lightningd replays what happened.

mod convert;
mod daemon;
mod describe;
mod run;

pub use convert::channel_of;
pub use daemon::{End, Onchaind, OnchaindError};
pub use describe::claim_line;
pub use run::run;
