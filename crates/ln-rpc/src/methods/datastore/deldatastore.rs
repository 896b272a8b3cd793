//! `deldatastore`

use crate::methods::datastore::datastore::{DatastoreEntry, DatastoreKey};
use crate::methods::rpc_method;
use crate::params::rpc_params;

rpc_method! {
    /// Deletes the value under a key.
    pub struct Deldatastore = "deldatastore" (DeldatastoreParams) -> DatastoreEntry {
        category: Datastore,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `deldatastore`.
    pub struct DeldatastoreParams {
        /// The key.
        key: DatastoreKey,
        /// How often it must have been written before.
        generation: Option<u64>,
    }
}
