//! `parsefeerate`

use ln_types::FeerateSpec;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Turns a feerate as commands take it into a number.
    pub struct Parsefeerate = "parsefeerate" (ParsefeerateParams) -> ParsefeerateResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `parsefeerate`.
    pub struct ParsefeerateParams {
        /// A feerate: a number with a unit, a number of blocks, or a word.
        feerate | "feerate_str": FeerateSpec,
    }
}

rpc_object! {
    /// The answer to `parsefeerate`.
    pub struct ParsefeerateResponse {
        /// In satoshi per thousand weight units.
        perkw: Option<u32>,
    }
}
