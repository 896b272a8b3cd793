//! The addresses that nodes announce.

use ln_gossip::{NodeAnnouncementView, NodeKey};
use ln_rpc::methods::control::getinfo::{AddressType, AnnouncedAddress};
use ln_types::{NetAddr, NodeId};
use ln_wire::NodeAddress;

use crate::node::Node;

/// Where a node says it can be reached, in its order.
pub(in crate::rpc) fn announced_addresses(node: &Node, id: NodeId) -> anyhow::Result<Vec<NetAddr>> {
    node.graph.look(|map| {
        let stored = map.graph().node(NodeKey(id.to_bytes()));
        let Some(stored) = stored.and_then(|node| node.announcement.as_ref()) else {
            return Ok(Vec::new());
        };
        let message = map.message(stored.record)?;
        let view = NodeAnnouncementView::read(&message)?;
        let addresses = view.addresses().parse()?;
        Ok(addresses
            .iter()
            .filter_map(NodeAddress::to_net_addr)
            .collect())
    })?
}

/// An announced address in a reply.
pub(super) fn shown(address: &NodeAddress) -> AnnouncedAddress {
    let kind = match address {
        NodeAddress::Ipv4 { .. } => AddressType::Ipv4,
        NodeAddress::Ipv6 { .. } => AddressType::Ipv6,
        NodeAddress::TorV2 { .. } => AddressType::Torv2,
        NodeAddress::TorV3 { .. } => AddressType::Torv3,
        NodeAddress::Dns { .. } => AddressType::Dns,
    };
    AnnouncedAddress {
        kind,
        address: address.to_net_addr().map(|address| address.host()),
        port: address.port(),
    }
}
