//! `listdatastore`

use std::rc::Rc;

use ln_db::DatastoreRow;
use ln_rpc::RpcError;
use ln_rpc::methods::datastore::datastore::DatastoreEntry;
use ln_rpc::methods::datastore::listdatastore::{Listdatastore, ListdatastoreResponse};

use super::entry::{entry, optional_parts, parent};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listdatastore {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let key = optional_parts(params.key)?;
        let shown = key.len() + 1;
        let rows = node
            .db
            .read(move |txn| Ok(summarize(txn.datastore_below(&key)?, shown)));
        Ok(ListdatastoreResponse {
            datastore: rows.await.map_err(internal)?,
        })
    }
}

/// Shows values whose keys have at most `depth` parts; of deeper ones, in the order of their keys, only the first `depth` parts, once.
fn summarize(rows: Vec<DatastoreRow>, depth: usize) -> Vec<DatastoreEntry> {
    let mut entries: Vec<DatastoreEntry> = Vec::new();
    for mut row in rows {
        if row.key.len() <= depth {
            entries.push(entry(row));
            continue;
        }
        row.key.truncate(depth);
        let again = entries.last().is_some_and(|last| last.key == row.key);
        if !again {
            entries.push(parent(row.key));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grandchildren_are_only_hinted_at() {
        let row = |key: &str| DatastoreRow {
            key: key.split('/').map(str::to_owned).collect(),
            data: vec![1],
            generation: 0,
        };
        let rows = vec![row("a"), row("b/c"), row("b/d/e"), row("f/g")];
        let shown: Vec<(String, bool)> = summarize(rows, 1)
            .into_iter()
            .map(|entry| (entry.key.join("/"), entry.hex.is_some()))
            .collect();
        let expected = [("a", true), ("b", false), ("f", false)];
        assert_eq!(shown, expected.map(|(key, data)| (key.to_owned(), data)));
    }
}
