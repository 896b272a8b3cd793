//! `batching`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::control::batching::Batching;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Batching {
    /// Nothing needs to be done: the database lets whatever happens at the same time share one commit anyway, and no reply leaves before
    /// its commit.
    async fn handle(_: Rc<Node>, _: Context, _: Self::Params) -> Result<Self::Response, RpcError> {
        Ok(Nothing {})
    }
}
