//! Under which rules parameters are read.

use super::Token;
use crate::RpcError;
use crate::deprecated::Promises;

/// What the reading of parameters depends on besides the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamEnv {
    /// The node runs with `--developer`: `dev` parameters are accepted and errors show the text that was wrong.
    pub developer: bool,
    /// Only checking (`check`): errors show the text that was wrong.
    pub check_only: bool,
    /// Deprecated parameters are accepted on this connection.
    pub deprecated_ok: bool,
    /// What is accepted even so.
    pub promises: Promises,
    /// The version that decides what is deprecated.
    pub version: &'static str,
}

impl Default for ParamEnv {
    fn default() -> Self {
        Self {
            developer: false,
            check_only: false,
            deprecated_ok: false,
            promises: Promises::default(),
            version: "v26.06",
        }
    }
}

impl ParamEnv {
    /// The error for a value that is not what it should be.
    ///
    /// The value itself may be a secret typed into the wrong place, so it goes to the log and is shown only to developers and to
    /// `check`.
    pub fn bad_token(self, name: &str, token: Token<'_>, expected: &str) -> RpcError {
        let raw = token.raw();
        if self.developer || self.check_only {
            return RpcError::invalid_params(format!("{name}: {expected}: invalid token '{raw}'"));
        }
        RpcError::invalid_params(format!(
            "{name}: {expected}: invalid token (see logs for details)"
        ))
        .with_log(format!(
            "Invalid parameter {name} ({expected}): token '{raw}'"
        ))
    }
}
