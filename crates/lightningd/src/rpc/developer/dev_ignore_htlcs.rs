//! `dev-ignore-htlcs`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_ignore_htlcs::{DevIgnoreHtlcs, DevIgnoreHtlcsParams};

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevIgnoreHtlcs {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        known(&node, &params)?;
        let mut ignored = node.payments.dev_ignored_peers.borrow_mut();
        if params.ignore {
            ignored.insert(params.id);
        } else {
            ignored.remove(&params.id);
        }
        Ok(Nothing {})
    }

    async fn check(node: Rc<Node>, _: Context, params: Self::Params) -> Result<(), RpcError> {
        known(&node, &params)
    }
}

fn known(node: &Node, params: &DevIgnoreHtlcsParams) -> Result<(), RpcError> {
    if node.peers.get(params.id).is_none() {
        let text = "Could not find channel with that peer";
        return Err(RpcError::lightningd(text));
    }
    Ok(())
}
