//! `listpeers`

use std::collections::HashMap;
use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::peers::listpeers::{Listpeers, ListpeersResponse, PeerEntry};
use ln_types::NodeId;

use crate::node::Node;
use crate::peers::Peer;
use crate::rpc::control::{level, log_entries};
use crate::rpc::{Context, Handle};

impl Handle for Listpeers {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut channels: HashMap<NodeId, u32> = HashMap::new();
        for channel in node.channels.all() {
            *channels.entry(channel.peer).or_default() += 1;
        }
        let peers = match params.id {
            Some(id) => node
                .peers
                .get(id)
                .map(|peer| (id, peer))
                .into_iter()
                .collect(),
            None => node.peers.all(),
        };
        let least = params.level.map(level);
        let entry = |(id, peer): (NodeId, Peer)| PeerEntry {
            id,
            connected: peer.connection.is_some(),
            num_channels: channels.get(&id).copied().unwrap_or(0),
            log: least.map(|least| log_entries(&node.log, least, Some(id))),
            netaddr: peer
                .connection
                .as_ref()
                .map(|connection| vec![connection.address.to_string()]),
            remote_addr: peer
                .connection
                .and_then(|connection| connection.remote_addr)
                .map(|address| address.to_string()),
            features: Some(peer.features),
        };
        Ok(ListpeersResponse {
            peers: peers.into_iter().map(entry).collect(),
        })
    }
}
