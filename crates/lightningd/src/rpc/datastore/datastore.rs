//! `datastore`

use std::rc::Rc;

use ln_db::{DatastoreRow, DbError, Txn};
use ln_rpc::methods::datastore::datastore::{Datastore, DatastoreMode};
use ln_rpc::{RpcError, RpcErrorCode};

use super::entry::{Refusal, parts, reply, text};
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Datastore {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let change = Change {
            key: parts(params.key)?,
            data: crate::rpc::hex_or_string(params.hex, params.string)?,
            mode: params.mode,
            generation: params.generation,
        };
        if change.generation.is_some() && !must_exist(change.mode) {
            return Err(RpcError::invalid_params(
                "generation only valid with must-replace or must-append",
            ));
        }
        reply(node.db.write(move |txn| change.apply(txn)).await)
    }
}

/// A value to be written.
struct Change {
    key: Vec<String>,
    data: Vec<u8>,
    mode: DatastoreMode,
    generation: Option<u64>,
}

fn must_exist(mode: DatastoreMode) -> bool {
    matches!(mode, DatastoreMode::MustReplace | DatastoreMode::MustAppend)
}

impl Change {
    fn apply(mut self, txn: &mut Txn<'_>) -> Result<Result<DatastoreRow, Refusal>, DbError> {
        let previous = txn.datastore_entry(&self.key)?;
        if let Some(refusal) = self.refusal(txn, previous.as_ref())? {
            return Ok(Err(refusal));
        }
        let row = match previous {
            None => DatastoreRow {
                key: self.key,
                data: self.data,
                generation: 0,
            },
            Some(mut row) => {
                match self.mode {
                    DatastoreMode::MustAppend | DatastoreMode::CreateOrAppend => {
                        row.data.append(&mut self.data);
                    }
                    DatastoreMode::MustCreate
                    | DatastoreMode::MustReplace
                    | DatastoreMode::CreateOrReplace => row.data = self.data,
                }
                row.generation = row.generation.saturating_add(1);
                row
            }
        };
        txn.put_datastore(&row)?;
        Ok(Ok(row))
    }

    /// Why nothing may be written, with `previous` under the key.
    fn refusal(
        &self,
        txn: &Txn<'_>,
        previous: Option<&DatastoreRow>,
    ) -> Result<Option<Refusal>, DbError> {
        let refuse = |code, text: &str| Ok(Some(Refusal::new(code, text)));
        let Some(row) = previous else {
            if !txn.datastore_below(&self.key)?.is_empty() {
                let code = RpcErrorCode::DatastoreUpdateHasChildren;
                return refuse(code, "Key has children already");
            }
            for end in 1..self.key.len() {
                let parent = self.key.get(..end).unwrap_or_default();
                if txn.datastore_entry(parent)?.is_some() {
                    let code = RpcErrorCode::DatastoreUpdateNoChildren;
                    return refuse(code, &format!("Parent key {} exists", text(parent)));
                }
            }
            if must_exist(self.mode) {
                let code = RpcErrorCode::DatastoreUpdateDoesNotExist;
                return refuse(code, "Key does not exist");
            }
            return Ok(None);
        };
        if self.mode == DatastoreMode::MustCreate {
            let code = RpcErrorCode::DatastoreUpdateAlreadyExists;
            return refuse(code, "Key already exists");
        }
        if self
            .generation
            .is_some_and(|wanted| wanted != row.generation)
        {
            let code = RpcErrorCode::DatastoreUpdateWrongGeneration;
            return refuse(code, "generation is different");
        }
        Ok(None)
    }
}
