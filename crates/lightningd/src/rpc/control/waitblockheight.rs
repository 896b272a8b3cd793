//! `waitblockheight`

use std::rc::Rc;
use std::time::Duration;

use ln_rpc::methods::control::waitblockheight::{Waitblockheight, WaitblockheightResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::BlockHeight;

use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Waitblockheight {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let wanted = BlockHeight(params.blockheight);
        let mut heights = node.chain.watch_height();
        let patience = Duration::from_secs(u64::from(params.timeout));
        let reached = heights.wait_for(|height| *height >= wanted);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(height)) => Ok(WaitblockheightResponse {
                blockheight: *height,
            }),
            Ok(Err(closed)) => Err(internal(closed)),
            Err(_elapsed) => Err(RpcError::new(RpcErrorCode::WaitTimeout, "Timed out.")),
        }
    }
}
