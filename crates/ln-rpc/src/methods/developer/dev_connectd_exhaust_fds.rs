//! `dev-connectd-exhaust-fds`

use crate::methods::{Nothing, rpc_method};
use crate::params::NoParams;

rpc_method! {
    /// Opens files in connectd until it can open no more.
    pub struct DevConnectdExhaustFds = "dev-connectd-exhaust-fds" (NoParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}
