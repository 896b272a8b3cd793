//! `listnodes`

use std::rc::Rc;

use ln_gossip::{NodeAnnouncementView, NodeKey};
use ln_gossipd::GossipMap;
use ln_rpc::RpcError;
use ln_rpc::methods::gossip::listnodes::{Listnodes, ListnodesResponse, NodeEntry};
use ln_rpc::params::Hex;
use ln_types::NodeId;

use super::{BATCH, addresses};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listnodes {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let keys: Vec<NodeKey> = match params.id {
            Some(id) => vec![NodeKey(id.to_bytes())],
            None => node
                .graph
                .look(|map| map.graph().nodes().map(|(key, _)| key).collect())
                .map_err(internal)?,
        };
        let mut nodes = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            node.graph
                .look(|map| nodes.extend(batch.iter().filter_map(|key| entry(map, *key))))
                .map_err(internal)?;
            tokio::task::yield_now().await;
        }
        Ok(ListnodesResponse { nodes })
    }
}

/// A node of the graph, unless it is gone meanwhile.
fn entry(map: &GossipMap, key: NodeKey) -> Option<NodeEntry> {
    let node = map.graph().node(key)?;
    let unannounced = NodeEntry {
        nodeid: key.to_node_id()?,
        last_timestamp: None,
        alias: None,
        color: None,
        features: None,
        addresses: None,
        option_will_fund: None,
    };
    let Some(stored) = &node.announcement else {
        return Some(unannounced);
    };
    // What can't be read is for gossipd to deal with; the node is there all the same.
    let Ok(message) = map.message(stored.record) else {
        return Some(unannounced);
    };
    Some(announced(unannounced.nodeid, &message).unwrap_or(unannounced))
}

/// What a node says of itself.
fn announced(nodeid: NodeId, message: &[u8]) -> Option<NodeEntry> {
    let view = NodeAnnouncementView::read(message).ok()?;
    let addresses = view.addresses().parse().unwrap_or_default();
    Some(NodeEntry {
        nodeid,
        last_timestamp: Some(view.timestamp),
        alias: Some(alias_text(&view.alias)),
        color: Some(Hex(view.rgb_color.to_vec())),
        features: Some(view.features()),
        addresses: Some(addresses.iter().map(addresses::shown).collect()),
        option_will_fund: None,
    })
}

/// An alias up to its first zero byte; what is not UTF-8 in it is replaced.
fn alias_text(alias: &[u8; 32]) -> String {
    let text = alias.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_ends_at_its_first_zero() {
        let mut alias = [0; 32];
        alias[..5].copy_from_slice(b"a\0bcd");
        assert_eq!(alias_text(&alias), "a");
        assert_eq!(alias_text(&[b'x'; 32]).len(), 32);
        assert_eq!(alias_text(&[0xff; 32]).chars().next(), Some('\u{fffd}'));
    }
}
