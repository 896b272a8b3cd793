//! `listchainmoves`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::accounts::listchainmoves::{Listchainmoves, ListchainmovesResponse};

use super::page_of_moves;
use crate::accounts::shown_chain_move;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listchainmoves {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let page = page_of_moves("chainmoves", params.index, params.start, params.limit)?;
        let moves = node.db.read(move |txn| {
            let rows = txn.chain_moves(page)?;
            Ok(rows.into_iter().map(shown_chain_move).collect())
        });
        Ok(ListchainmovesResponse {
            chainmoves: moves.await.map_err(internal)?,
        })
    }
}
