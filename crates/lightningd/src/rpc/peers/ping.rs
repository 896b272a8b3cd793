//! `ping`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::peers::ping::{Ping, PingResponse};

use crate::node::Node;
use crate::rpc::{Context, Handle};

/// Padding that just fits: a message is at most 65535 bytes, of which type and two lengths take two each.
const MAX_PADDING: u16 = 65535 - 2 - 2 - 2;

impl Handle for Ping {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if params.len > MAX_PADDING {
            let text = format!("{} would result in oversize ping", params.len);
            return Err(RpcError::invalid_params(text));
        }
        if !node.peers.is_connected(params.id) {
            return Err(RpcError::lightningd("Peer not connected"));
        }
        let ping = node
            .peers
            .ping(&node, params.id, params.len, params.pongbytes);
        let totlen = ping.await.map_err(RpcError::lightningd)?;
        Ok(PingResponse { totlen })
    }
}
