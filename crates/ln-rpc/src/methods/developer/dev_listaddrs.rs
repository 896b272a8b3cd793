//! `dev-listaddrs`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the addresses of the wallet's keys, given out or not.
    pub struct DevListaddrs = "dev-listaddrs" (DevListaddrsParams) -> DevListaddrsResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-listaddrs`.
    pub struct DevListaddrsParams {
        /// Up to this key, at most 100000 (default: the last one given out).
        max_index: Option<u64>,
    }
}

rpc_object! {
    /// The answer to `dev-listaddrs`.
    pub struct DevListaddrsResponse {
        /// The addresses, from key 1 on.
        addresses: Vec<KeyAddresses>,
    }

    /// The addresses of one key.
    pub struct KeyAddresses {
        /// The key's number.
        keyidx: u64,
        /// The key.
        pubkey: NodeId,
        /// Its native segwit address.
        bech32: String,
        /// The hash of the key that this address is of.
        bech32_redeemscript: Hex,
        /// Its taproot address.
        p2tr: String,
    }
}
