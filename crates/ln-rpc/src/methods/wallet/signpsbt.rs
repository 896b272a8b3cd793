//! `signpsbt`

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Signs the inputs of a PSBT that spend the wallet's coins, which must be set aside.
    pub struct Signpsbt = "signpsbt" (SignpsbtParams) -> SignpsbtResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `signpsbt`.
    pub struct SignpsbtParams {
        /// The PSBT.
        psbt: String,
        /// Only these inputs, all of which must be ours.
        signonly: Option<Vec<u32>>,
    }
}

rpc_object! {
    /// The answer to `signpsbt`.
    pub struct SignpsbtResponse {
        /// The PSBT with our signatures.
        signed_psbt: String,
    }
}
