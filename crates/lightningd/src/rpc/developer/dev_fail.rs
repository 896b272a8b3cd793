//! `dev-fail`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_fail::DevFail;

use crate::channels::close_unilaterally;
use crate::node::Node;
use crate::rpc::{Context, Handle, bad_value};

impl Handle for DevFail {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let id = params.id;
        if node.peers.get(id).is_none() {
            return Err(RpcError::invalid_params(format!("Unknown peer '{id}'")));
        }
        let live: Vec<_> = node
            .channels
            .of_peer(id)
            .filter(|channel| channel.row().state.wants_peer())
            .collect();
        let bad = |problem| Err(bad_value(&context, "id", &id.to_string(), problem));
        match live.as_slice() {
            [] => bad("No channel with that peer"),
            [channel] => {
                close_unilaterally(&node, channel, "Failing due to dev-fail command");
                Ok(Nothing {})
            }
            [..] => bad("More than one channel with that peer"),
        }
    }
}
