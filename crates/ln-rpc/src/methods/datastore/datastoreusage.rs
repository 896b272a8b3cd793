//! `datastoreusage`

use crate::methods::datastore::datastore::DatastoreKey;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Counts the bytes that are kept under a key and its children.
    pub struct Datastoreusage = "datastoreusage" (DatastoreusageParams) -> DatastoreusageResponse {
        category: Datastore,
        since: "v23.11",
    }
}

rpc_params! {
    /// The parameters of `datastoreusage`.
    pub struct DatastoreusageParams {
        /// The key; the root if this is left out.
        key: Option<DatastoreKey>,
    }
}

rpc_object! {
    /// The answer to `datastoreusage`.
    pub struct DatastoreusageResponse {
        /// The count.
        datastoreusage: DatastoreUsage,
    }

    /// How much is kept under a key.
    pub struct DatastoreUsage {
        /// The key, its parts in brackets.
        key: String,
        /// Keys and values together.
        total_bytes: u64,
    }
}
