//! `disconnect`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::peers::disconnect::Disconnect;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Disconnect {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let id = params.id;
        let peer = node
            .peers
            .get(id)
            .ok_or_else(|| RpcError::invalid_params(format!("Unknown peer '{id}'")))?;
        let Some(connection) = peer.connection else {
            return Err(RpcError::lightningd("Peer not connected"));
        };
        let needed = node.channels.of_peer(id).map(|channel| channel.row().state);
        let needed = needed.into_iter().find(|state| state.wants_peer());
        if let Some(state) = needed.filter(|_| params.force != Some(true)) {
            return Err(RpcError::lightningd(format!(
                "Peer has (at least one) channel in state {}",
                state.name()
            )));
        }
        // Subscribed before hanging up, so that its end is not missed.
        let mut ended = node.peers.watch_disconnections();
        node.peers.disconnect(&node, id);
        let gone = || {
            let now = node.peers.connection(id);
            now.is_none_or(|now| now.counter != connection.counter)
        };
        while !gone() {
            ended.changed().await.map_err(crate::rpc::internal)?;
        }
        Ok(Nothing {})
    }
}
