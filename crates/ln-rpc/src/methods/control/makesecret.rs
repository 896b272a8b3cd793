//! `makesecret`

use crate::methods::rpc_method;
use crate::params::{Hex, Secret32, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Derives a secret from the node's own: the same for the same text, for ever.
    ///
    /// For plugins that need keys which a restored node still has. Exactly one of the parameters is to be given.
    pub struct Makesecret = "makesecret" (MakesecretParams) -> MakesecretResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `makesecret`.
    pub struct MakesecretParams {
        /// What to derive from, as bytes.
        hex: Option<Hex>,
        /// What to derive from, as text.
        string: Option<String>,
    }
}

rpc_object! {
    /// The answer to `makesecret`.
    pub struct MakesecretResponse {
        /// The secret.
        secret: Secret32,
    }
}
