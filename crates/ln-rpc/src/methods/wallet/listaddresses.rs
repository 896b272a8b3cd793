//! `listaddresses`

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists the addresses the wallet has made.
    pub struct Listaddresses = "listaddresses" (ListaddressesParams) -> ListaddressesResponse {
        category: Wallet,
        since: "v24.11",
    }
}

rpc_params! {
    /// The parameters of `listaddresses`.
    pub struct ListaddressesParams {
        /// Only this one.
        address: Option<String>,
        /// From this key number.
        start: Option<u64>,
        /// At most so many.
        limit: Option<u32>,
    }
}

rpc_object! {
    /// The answer to `listaddresses`.
    pub struct ListaddressesResponse {
        /// The addresses.
        addresses: Vec<AddressEntry>,
    }

    /// The addresses of one key.
    pub struct AddressEntry {
        /// The key's number.
        keyidx: u64,
        /// Its native segwit address.
        bech32: Option<String>,
        /// Its taproot address.
        p2tr: Option<String>,
    }
}
