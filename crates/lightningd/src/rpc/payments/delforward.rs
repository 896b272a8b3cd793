//! `delforward`

use std::rc::Rc;

use ln_db::ForwardStatus;
use ln_rpc::methods::payments::delforward::{Delforward, DelforwardResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::HtlcId;

use super::listforwards::kept_status;
use crate::node::Node;
use crate::rpc::{Context, Handle, bad_value, internal};

impl Handle for Delforward {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let status = kept_status(params.status);
        if status == ForwardStatus::Offered {
            let problem = "delforward status cannot be offered";
            return Err(bad_value(&context, "status", "offered", problem));
        }
        let (channel, htlc) = (params.in_channel, HtlcId(params.in_htlc_id));
        let deleted = node
            .db
            .write(move |txn| txn.delete_forward(channel, htlc, status));
        if !deleted.await.map_err(internal)? {
            let text = "Could not find that forward";
            return Err(RpcError::new(RpcErrorCode::DelforwardNotFound, text));
        }
        node.rpc.index_changed();
        Ok(DelforwardResponse {})
    }
}
