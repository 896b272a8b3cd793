//! `datastoreusage`

use std::rc::Rc;

use ln_db::DatastoreRow;
use ln_rpc::RpcError;
use ln_rpc::methods::datastore::datastoreusage::{
    DatastoreUsage, Datastoreusage, DatastoreusageResponse,
};

use super::entry::{optional_parts, text};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Datastoreusage {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        // A key that begins with an empty part means all.
        let mut key = optional_parts(params.key)?;
        if key.first().is_some_and(String::is_empty) {
            key.clear();
        }
        let shown = text(&key);
        let rows = node.db.read(move |txn| {
            let rows = txn.datastore_below(&key)?;
            Ok(rows.iter().map(bytes).sum())
        });
        Ok(DatastoreusageResponse {
            datastoreusage: DatastoreUsage {
                key: shown,
                total_bytes: rows.await.map_err(internal)?,
            },
        })
    }
}

/// What an entry takes: its value and its key, with one byte between each two parts of that.
fn bytes(row: &DatastoreRow) -> u64 {
    let parts: usize = row.key.iter().map(|part| part.len() + 1).sum();
    let bytes = (row.data.len() + parts).saturating_sub(1);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_with_a_byte_between_their_parts() {
        let row = DatastoreRow {
            key: vec!["ab".to_owned(), "c".to_owned()],
            data: vec![0; 10],
            generation: 0,
        };
        assert_eq!(bytes(&row), 14);
    }
}
