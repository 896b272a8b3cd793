//! `stop`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::stop::{Stop, StopResponse, StopResult};

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Stop {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut reply = Vec::new();
        let response = StopResponse {
            result: StopResult::ShutdownComplete,
        };
        ln_rpc::jsonrpc::write_result(&mut reply, &context.id, &response);
        node.rpc.say_at_the_end(context.outbox.clone(), reply);
        node.stop(0);
        // The reply kept above is the last thing written; this request never ends by itself.
        std::future::pending().await
    }
}
