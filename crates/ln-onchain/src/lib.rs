//! Resolving a spent funding output: which commitment is on chain, which of its outputs are ours, and how we get them.
//!
//! Covers BOLT 5: §Mutual Close Handling, §Unilateral Close Handling of both sides with all HTLC outputs, §Revoked Transaction
//! Close Handling, §Generation of HTLC Transactions.
//!
//! A machine: [`Resolution::step`] takes an event and returns actions. It is not stored; after a restart it is started again with
//! the same channel and gets the same events. Claims say what to take and until when; whoever carries them out picks the
//! feerate, signs, broadcasts, and raises the fee until a block settles it.
//!
//! Invariants: no key, no clock, no feerate, no store. An event that comes twice changes nothing. No content of a transaction,
//! whatever it is, makes it panic or stop watching.
#![warn(clippy::arithmetic_side_effects)]

pub mod anchor;
mod channel;
mod claim;
mod event;
mod identify;
mod movement;
mod names;
mod ours;
mod resolution;
mod spent;
mod theirs;
mod tracked;
mod witness;

pub use channel::{Channel, HtlcStub, OurCommitment, TheirCommitment};
pub use claim::{Claim, ClaimKey, ClaimMethod, HtlcClaim};
pub use event::{Action, Env, Event};
pub use identify::{FundingSpend, identify};
pub use movement::{Account, Movement};
pub use names::{OutputKind, TxKind};
pub use resolution::Resolution;
