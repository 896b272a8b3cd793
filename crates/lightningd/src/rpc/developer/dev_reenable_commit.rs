//! `dev-reenable-commit`

use std::rc::Rc;

use ln_ipc::channeld::{ChanneldDevReenableCommit, ToChanneld};
use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_reenable_commit::DevReenableCommit;
use ln_types::NodeId;

use super::peer_channel::live_channel;
use crate::node::Node;
use crate::rpc::{Context, Handle};
use crate::subd::SubdSender;

impl Handle for DevReenableCommit {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let channeld = find(&node, &context, params.id)?;
        channeld.send(&ToChanneld::DevReenableCommit(ChanneldDevReenableCommit {}));
        Ok(Nothing {})
    }

    async fn check(node: Rc<Node>, context: Context, params: Self::Params) -> Result<(), RpcError> {
        find(&node, &context, params.id).map(|_| ())
    }
}

fn find(node: &Node, context: &Context, id: NodeId) -> Result<SubdSender, RpcError> {
    let channel = live_channel(node, context, id)?;
    channel.channeld().ok_or_else(|| {
        let text = match &*channel.owner.borrow() {
            None => "Peer has no owner".to_owned(),
            Some(owner) => format!("Peer owned by {}", owner.name()),
        };
        RpcError::lightningd(text)
    })
}
