//! Why the mempool refused a transaction, in Bitcoin Core's words.

use std::fmt;

/// Which part of the rules a refusal comes from; decides RPC codes and what a package may retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectKind {
    /// Invalid or against policy: nothing to be done.
    Rule,
    /// An input is unknown or spent.
    MissingInputs,
    /// Its own fee is too low, but a package could pay for it.
    Fee,
    /// The very transaction is in the mempool.
    AlreadyHere,
    /// A transaction with the same id and another witness is in the mempool.
    SameTxid,
}

/// A refusal: Core's reject reason, with a detail that may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxReject {
    /// Where it comes from.
    pub kind: RejectKind,
    /// Core's reject reason, such as `min relay fee not met`.
    pub reason: String,
    /// Core's debug message, such as `0 < 110`.
    pub detail: String,
}

impl TxReject {
    /// A refusal by a rule, without detail.
    pub fn rule(reason: impl Into<String>) -> Self {
        Self::new(RejectKind::Rule, reason, "")
    }

    /// A refusal with all its parts.
    pub fn new(kind: RejectKind, reason: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for TxReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if !self.detail.is_empty() {
            write!(f, ", {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for TxReject {}
