//! Keys: how a node's secret becomes the keys of its channels, its wallet and its identity.
//!
//! Covers BOLT 3 §Key Derivation and §Efficient Per-commitment Secret Storage, and the derivations and secret files by which the
//! same seed gives the same node in Core Lightning.
//!
//! Invariants: pure functions over values; no file, no clock, no random source (whoever creates a secret brings the randomness).
//! Secrets are wiped when dropped and never shown by `Debug`.
#![warn(clippy::arithmetic_side_effects)]

mod basepoints;
mod channel_keys;
mod derive;
mod hsm_secret;
mod identity;
mod node_keys;
mod per_commitment;
mod shachain;
mod signed_message;

pub use basepoints::{BasepointSecrets, Basepoints};
pub use channel_keys::ChannelKeys;
pub use derive::{
    derive_private_key, derive_public_key, derive_revocation_private_key,
    derive_revocation_public_key, public_key, secp,
};
pub use hsm_secret::{
    HsmSecret, HsmSecretError, HsmSecretKind, encrypt_plain_secret, mnemonic_file,
    new_hsm_secret_file,
};
pub use identity::{default_alias, default_color};
pub use node_keys::{ForcedKeys, KeyError, NodeKeys, WalletBase, alias_public_key};
pub use per_commitment::{PerCommitmentSecret, ShachainIndex, ShachainSeed, per_commitment_secret};
pub use shachain::{Shachain, ShachainError};
pub use signed_message::{
    ZbaseError, recover_signer, sign_message, signature_to_zbase32, signed_message_digest,
};
