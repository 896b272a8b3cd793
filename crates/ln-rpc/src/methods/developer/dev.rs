//! `dev`

use ln_types::{PaymentHash, PaymentPreimage};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Does what only developers want.
    pub struct Dev = "dev" (DevParams) -> DevResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev`.
    pub struct DevParams {
        /// What to do.
        subcommand: DevSubcommand,
        /// What `rhash` hashes.
        secret: Option<PaymentPreimage>,
        /// How many milliseconds `slowcmd` takes.
        msec: u64 = 1000_u64,
    }
}

rpc_enum! {
    /// What `dev` does.
    pub enum DevSubcommand ("should be 'crash', 'rhash' or 'slowcmd'") {
        /// Makes a mistake on which the node ends.
        Crash = "crash",
        /// Hashes a payment secret.
        Rhash = "rhash",
        /// Takes its time.
        Slowcmd = "slowcmd",
    }
}

rpc_object! {
    /// The answer to `dev`.
    pub struct DevResponse {
        /// The hash.
        rhash: Option<PaymentHash>,
        /// How long it took.
        msec: Option<u64>,
    }
}
