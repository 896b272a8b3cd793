//! `newaddr`

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Makes a new address to send bitcoin to this node's wallet.
    pub struct Newaddr = "newaddr" (NewaddrParams) -> NewaddrResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `newaddr`.
    pub struct NewaddrParams {
        /// What kind of address.
        addresstype: Option<AddressKind>,
    }
}

rpc_object! {
    /// The answer to `newaddr`.
    pub struct NewaddrResponse {
        /// A taproot address.
        p2tr: Option<String>,
        /// A native segwit address.
        bech32: Option<String>,
    }
}

rpc_enum! {
    /// The kinds of addresses the wallet makes.
    pub enum AddressKind ("should be 'bech32', 'p2tr' or 'all'") {
        /// Native segwit.
        Bech32 = "bech32",
        /// Taproot.
        P2tr = "p2tr",
        /// One of each, for the same key number.
        All = "all",
    }
}
