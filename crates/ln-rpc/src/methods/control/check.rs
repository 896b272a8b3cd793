//! `check`

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Checks a command and its parameters without running it.
    ///
    /// The parameters of the command follow its name, or stand beside it when given by name. What would be refused for its parameters
    /// is refused here with the same error; nothing changes.
    pub struct Check = "check" (CheckParams) -> CheckResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `check`.
    pub struct CheckParams {
        /// The command to check.
        command_to_check: String,
        ..rest
    }
}

rpc_object! {
    /// The answer to `check`.
    pub struct CheckResponse {
        /// The command, which would have run.
        command_to_check: String,
    }
}
