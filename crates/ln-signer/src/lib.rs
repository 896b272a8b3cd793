//! What hsmd signs, and for whom: capabilities, signatures over a node's and a channel's keys, and the [`Signer`] that a channel
//! machine sees.
//!
//! Covers the signatures of BOLT 2, BOLT 3, BOLT 5, BOLT 7, BOLT 11 and BOLT 12, and BOLT 4's and BOLT 8's key agreement.
//!
//! Invariants: pure functions over keys; no socket, no file, no clock, no randomness: the same request always gets the same
//! signature. Every ECDSA signature of a transaction has a low R, so its weight is known beforehand.
#![warn(clippy::arithmetic_side_effects)]

mod announcement;
mod capability;
mod channel;
mod ecdsa;
mod error;
mod memory;
mod node;
mod psbt;
mod signer;

pub use capability::Capabilities;
pub use channel::{ChannelSigner, InputSpend};
pub use ecdsa::{sign_low_r, verify};
pub use error::SignerError;
pub use memory::InMemorySigner;
pub use node::NodeSigner;
pub use psbt::{CloseInfo, WalletCoin};
pub use signer::{AnnouncementSignatures, ChannelSetup, Revocation, SharedSecret, Signer};
