//! `dev-fail`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_fail::DevFail;

use super::peer_channel::live_channel;
use crate::channels::close_unilaterally;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevFail {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let channel = live_channel(&node, &context, params.id)?;
        close_unilaterally(&node, &channel, "Failing due to dev-fail command");
        Ok(Nothing {})
    }
}
