//! `deprecations`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::control::deprecations::Deprecations;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Deprecations {
    async fn handle(
        _: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        context.switches.deprecations.set(Some(params.enable));
        Ok(Nothing {})
    }
}
