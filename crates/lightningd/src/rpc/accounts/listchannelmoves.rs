//! `listchannelmoves`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::accounts::listchannelmoves::{Listchannelmoves, ListchannelmovesResponse};

use super::page_of_moves;
use crate::accounts::shown_channel_move;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listchannelmoves {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let page = page_of_moves("channelmoves", params.index, params.start, params.limit)?;
        let moves = node.db.read(move |txn| {
            let rows = txn.channel_moves(page)?;
            Ok(rows.into_iter().map(shown_channel_move).collect())
        });
        Ok(ListchannelmovesResponse {
            channelmoves: moves.await.map_err(internal)?,
        })
    }
}
