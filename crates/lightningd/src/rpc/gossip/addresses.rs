//! The addresses that nodes announce.

use ln_gossip::{NodeAnnouncementView, NodeKey};
use ln_rpc::methods::control::getinfo::{AddressType, AnnouncedAddress};
use ln_types::{NetAddr, NodeId};
use ln_wire::NodeAddress;

use crate::node::Node;

/// Where a node says it can be reached, in its order.
pub(crate) fn announced_addresses(node: &Node, id: NodeId) -> anyhow::Result<Vec<NetAddr>> {
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
    let host = match address {
        NodeAddress::TorV2 { onion_addr, .. } => Some(onion_v2(onion_addr)),
        NodeAddress::Ipv4 { .. }
        | NodeAddress::Ipv6 { .. }
        | NodeAddress::TorV3 { .. }
        | NodeAddress::Dns { .. } => address.to_net_addr().map(|address| address.host()),
    };
    AnnouncedAddress {
        kind,
        address: host,
        port: address.port(),
    }
}

/// The name of a Tor v2 service: ten bytes in base32. There is no such service any more, but nodes still announce some.
fn onion_v2(bytes: &[u8; 10]) -> String {
    let number = bytes
        .iter()
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    let letter = |place: u32| {
        let quintet = u8::try_from((number >> (5 * place)) & 31).unwrap_or_default();
        char::from(if quintet < 26 {
            b'a' + quintet
        } else {
            b'2' + (quintet - 26)
        })
    };
    let name: String = (0..16).rev().map(letter).collect();
    name + ".onion"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_onion_names_are_base32() {
        assert_eq!(onion_v2(&[0; 10]), "aaaaaaaaaaaaaaaa.onion");
        assert_eq!(onion_v2(&[0xff; 10]), "7777777777777777.onion");
        assert_eq!(onion_v2(b"0123456789"), "gaytemzugu3doobz.onion");
    }
}
