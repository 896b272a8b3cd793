//! `dev-report-fds`

use crate::methods::{Nothing, rpc_method};
use crate::params::NoParams;

rpc_method! {
    /// Writes the open file descriptors into the log.
    pub struct DevReportFds = "dev-report-fds" (NoParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}
