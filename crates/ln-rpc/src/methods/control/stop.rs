//! `stop`

use crate::methods::rpc_method;
use crate::params::NoParams;
use crate::shape::{rpc_enum, rpc_object};

//~ 9. This declaration is all there is of a method outside its handler: its manual page, its schema and its line in `help` are written from it
//~ (`cargo xtask gen`). `dispatch.rs` in lightningd's `rpc` finds the handler.
rpc_method! {
    /// Shuts the node down.
    ///
    /// The answer comes once everything is written and every helper process is gone, so that the node can be started again at once.
    pub struct Stop = "stop" (NoParams) -> StopResponse {
        category: Control,
        since: "",
    }
}

rpc_object! {
    /// The answer to `stop`.
    pub struct StopResponse {
        /// That it is over.
        result: StopResult,
    }
}

rpc_enum! {
    /// What `stop` answers.
    pub enum StopResult ("should be 'Shutdown complete'") {
        /// The node is down.
        ShutdownComplete = "Shutdown complete",
    }
}
