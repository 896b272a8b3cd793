//! `listdatastore`

use crate::methods::datastore::datastore::{DatastoreEntry, DatastoreKey};
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Lists what is kept under a key, itself and its children.
    ///
    /// Of a child that has children of its own, only the key is shown.
    pub struct Listdatastore = "listdatastore" (ListdatastoreParams) -> ListdatastoreResponse {
        category: Datastore,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listdatastore`.
    pub struct ListdatastoreParams {
        /// The key; the root if this is left out.
        key: Option<DatastoreKey>,
    }
}

rpc_object! {
    /// The answer to `listdatastore`.
    pub struct ListdatastoreResponse {
        /// The entries.
        datastore: Vec<DatastoreEntry>,
    }
}
