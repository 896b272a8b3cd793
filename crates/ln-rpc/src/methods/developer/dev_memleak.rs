//! `dev-memleak`

use serde_json::Value;

use crate::methods::rpc_method;
use crate::params::NoParams;
use crate::shape::rpc_object;

rpc_method! {
    /// Looks for memory that nothing refers to. There can be none here, which is what the answer says.
    pub struct DevMemleak = "dev-memleak" (NoParams) -> DevMemleakResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_object! {
    /// The answer to `dev-memleak`.
    pub struct DevMemleakResponse {
        /// What was found.
        leaks: Vec<Value>,
    }
}
