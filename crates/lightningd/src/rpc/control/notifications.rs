//! `notifications`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::control::notifications::Notifications;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Notifications {
    async fn handle(
        _: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        context.switches.notifications.set(params.enable);
        Ok(Nothing {})
    }
}
