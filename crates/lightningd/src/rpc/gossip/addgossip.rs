//! `addgossip`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::gossip::addgossip::Addgossip;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Addgossip {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        crate::rpc::check_length("message", &params.message.0)?;
        match node.graph.add(&node, params.message.0).await {
            None => Ok(Nothing {}),
            Some(refusal) => Err(RpcError::lightningd(refusal)),
        }
    }
}
