//! `dev-compact-gossip-store`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_compact_gossip_store::DevCompactGossipStore;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevCompactGossipStore {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        match node.graph.compact(&node).await {
            None => Ok(Nothing {}),
            Some(error) => Err(RpcError::lightningd(format!(
                "gossip_compact_store failed: {error}"
            ))),
        }
    }
}
