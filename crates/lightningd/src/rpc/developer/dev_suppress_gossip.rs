//! `dev-suppress-gossip`

use std::rc::Rc;

use ln_ipc::connectd::ConnectdDevSuppressGossip;
use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_suppress_gossip::DevSuppressGossip;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevSuppressGossip {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        node.config.dev.suppress_gossip.set(true);
        node.to_connectd(ConnectdDevSuppressGossip {});
        Ok(Nothing {})
    }
}
