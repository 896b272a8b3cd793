//! `deldatastore`

use std::rc::Rc;

use ln_rpc::methods::datastore::deldatastore::Deldatastore;
use ln_rpc::{RpcError, RpcErrorCode};

use super::entry::{Refusal, parts, reply};
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Deldatastore {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let (key, generation) = (parts(params.key)?, params.generation);
        let deleted = node.db.write(move |txn| {
            let Some(row) = txn.datastore_entry(&key)? else {
                let code = RpcErrorCode::DatastoreDelDoesNotExist;
                return Ok(Err(Refusal::new(code, "Key does not exist")));
            };
            if generation.is_some_and(|wanted| wanted != row.generation) {
                let code = RpcErrorCode::DatastoreDelWrongGeneration;
                return Ok(Err(Refusal::new(code, "generation is different")));
            }
            txn.delete_datastore(&key)?;
            Ok(Ok(row))
        });
        reply(deleted.await)
    }
}
