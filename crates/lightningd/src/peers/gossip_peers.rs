//! Enough peers to hear of the network: where there are too few, nodes of the graph are tried, whichever chance picks.

use std::rc::Rc;
use std::time::Duration;

use ln_gossip::NodeKey;
use ln_types::{NetAddr, NodeId};

use crate::log::Origin;
use crate::node::Node;
use crate::options::Networking;

/// How often to look.
const EVERY: Duration = Duration::from_mins(1);
/// The same with `dev-fast-gossip`.
const EVERY_FAST: Duration = Duration::from_secs(5);
/// How many nodes are looked at, at most, to find one that can be tried.
const CANDIDATES: usize = 20;

/// Looks for peers while there are fewer than `autoconnect-seeker-peers`, one at a time.
pub(crate) async fn keep_enough(node: Rc<Node>) {
    let wanted = node.config.net.gossip_peers;
    if wanted == 0 {
        return;
    }
    let every = if node.config.dev.fast_gossip {
        EVERY_FAST
    } else {
        EVERY
    };
    loop {
        tokio::time::sleep(every).await;
        let peers = node.peers.all();
        let connected = peers.iter().filter(|(_, peer)| peer.connection.is_some());
        if connected.count() >= wanted {
            continue;
        }
        match candidate(&node) {
            Ok(Some((id, addresses))) => try_peer(&node, id, addresses).await,
            Ok(None) => {}
            Err(error) => {
                let text = format!("no peer for gossip can be looked for: {error:#}");
                node.log.debug(&node.origin, text);
            }
        }
    }
}

async fn try_peer(node: &Node, id: NodeId, addresses: Vec<NetAddr>) {
    let origin = Origin::of_peer(id, "lightningd");
    node.log.debug(&origin, "connecting to hear more gossip");
    if let Err(error) = node.peers.connect(node, id, addresses).await {
        let text = format!("no connection for gossip: {}", error.reason);
        node.log.debug(&origin, text);
    }
}

/// A node that we know how to reach and that is no peer yet.
fn candidate(node: &Node) -> anyhow::Result<Option<(NodeId, Vec<NetAddr>)>> {
    let chance = u64::from_be_bytes(crate::rpc::random()?);
    let ids = node.graph.look(|map| {
        let graph = map.graph();
        let start = start(chance, graph.node_count());
        let after = graph.nodes().skip(start);
        let keys = after.chain(graph.nodes().take(start)).map(|(key, _)| key);
        let ids = keys.filter_map(NodeKey::to_node_id);
        ids.take(CANDIDATES).collect::<Vec<_>>()
    })?;
    for id in ids {
        if id == node.id() || node.peers.is_connected(id) {
            continue;
        }
        let mut addresses = crate::rpc::announced_addresses(node, id)?;
        addresses.retain(|address| can_reach(&node.config.net, address));
        if !addresses.is_empty() {
            return Ok(Some((id, addresses)));
        }
    }
    Ok(None)
}

fn start(chance: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let start = chance.checked_rem(count).unwrap_or(0);
    usize::try_from(start).unwrap_or(0)
}

fn can_reach(net: &Networking, address: &NetAddr) -> bool {
    match address {
        NetAddr::Ipv4(..) | NetAddr::Ipv6(..) => true,
        NetAddr::TorV3(..) => net.proxy.is_some(),
        NetAddr::Dns(..) => net.use_dns || net.hides(),
        NetAddr::Unix(_) => false,
    }
}
