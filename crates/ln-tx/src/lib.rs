//! The transactions of a channel: funding output, commitments, HTLC transactions, closings, sweeps and penalties.
//!
//! Covers BOLT 3 except §Key Derivation and the secrets (crate `ln-keys`). "Holder" is the side that can broadcast a commitment; the
//! BOLT calls it the local node.
//!
//! Invariants: values only; nothing here signs, stores or sends. Outputs never exceed inputs. A [`Verified`] commitment or closing
//! can be made only by checking the other side's signatures, and only that yields a transaction to broadcast.
#![warn(clippy::arithmetic_side_effects)]

pub mod closing;
mod commitment;
pub mod dust;
mod error;
pub mod fee;
mod format;
mod htlc;
mod keys;
mod obscure;
pub mod script;
mod sighash;
pub mod spend;
mod verified;

pub use closing::{
    ClosingOutputs, ClosingParams, ClosingTx, build_legacy_closing, build_simple_closing,
};
pub use commitment::{
    CommitmentOutput, CommitmentParams, CommitmentSpec, CommitmentTx, HtlcOutput, HtlcSpec,
    build_commitment,
};
pub use error::{SignatureError, TxError};
pub use format::CommitmentFormat;
pub use htlc::HtlcTx;
pub use keys::CommitmentKeys;
pub use obscure::ObscuringFactor;
pub use sighash::{funding_witness, p2wpkh_sighash, p2wsh_sighash, witness_signature};
pub use spend::{Spend, SpendPath, SpendTx, build_spend};
pub use verified::{CommitmentSignatures, CounterSigned, Verified};
