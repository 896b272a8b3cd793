//! Why a plugin did not do what it was asked.

use ln_rpc::{RpcError, RpcErrorCode};

/// Why a plugin did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// It answered with an error.
    #[error("{}", .0.message)]
    Answered(RpcError),
    /// It ended before it answered.
    #[error("plugin {0} ended before it answered")]
    Terminated(String),
    /// It has not read what it was sent before, and there is a limit.
    #[error("plugin {0} does not read what it is sent: stop and start it")]
    Stuck(String),
    /// Its answer makes no sense.
    #[error("plugin {plugin} answered {method} with nonsense: {problem}")]
    Malformed {
        /// The plugin.
        plugin: String,
        /// What it was asked.
        method: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<PluginError> for RpcError {
    fn from(error: PluginError) -> Self {
        let code = match error {
            PluginError::Answered(error) => return error,
            PluginError::Terminated(_) => RpcErrorCode::PluginTerminated,
            PluginError::Stuck(_) | PluginError::Malformed { .. } => RpcErrorCode::PluginError,
        };
        Self::new(code, error.to_string())
    }
}
