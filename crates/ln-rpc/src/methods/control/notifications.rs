//! `notifications`

use crate::methods::{Nothing, rpc_method};
use crate::params::rpc_params;

rpc_method! {
    /// Switches messages and progress reports for the commands of this connection on or off.
    pub struct Notifications = "notifications" (NotificationsParams) -> Nothing {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `notifications`.
    pub struct NotificationsParams {
        /// Whether to send them.
        enable: bool,
    }
}
