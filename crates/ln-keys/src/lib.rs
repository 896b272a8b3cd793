//! Keys: how a node's secret becomes the keys of its channels, its wallet and its identity.
//!
//! Covers BOLT 3 §Key Derivation and §Efficient Per-commitment Secret Storage, and the derivations and secret files by which the
//! same seed gives the same node in Core Lightning.
//!
//! Invariants: pure functions over values; no file, no clock, no random source (whoever creates a secret brings the randomness).
//! Secrets are wiped when dropped and never shown by `Debug`.
#![warn(clippy::arithmetic_side_effects)]

mod basepoints;
mod derive;
mod per_commitment;
mod shachain;

pub use basepoints::{BasepointSecrets, Basepoints};
pub use derive::{
    derive_private_key, derive_public_key, derive_revocation_private_key,
    derive_revocation_public_key, public_key, secp,
};
pub use per_commitment::{PerCommitmentSecret, ShachainIndex, ShachainSeed, per_commitment_secret};
pub use shachain::{Shachain, ShachainError};
