//! Learning our address from peers: behind a router, they alone can see it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use ln_types::{NetAddr, NodeId};

use super::Connection;
use crate::log::Origin;
use crate::node::Node;
use crate::options::Discovery;

/// Where one peer sees us.
#[derive(Debug, Clone, Copy)]
struct Word {
    ip: IpAddr,
    /// Whether the peer has a channel with us: its word counts for more.
    has_channel: bool,
}

/// A peer connected, and may have said where it sees us.
pub(super) fn heard(node: &Rc<Node>, id: NodeId, connection: &Connection) {
    let Some(seen) = &connection.remote_addr else {
        return;
    };
    let origin = Origin::of_peer(id, "lightningd");
    let text = format!("Peer says it sees our address as: {seen}");
    node.log.debug(&origin, text);
    // What goes through a proxy is seen where the proxy is, and is nobody's business.
    let net = &node.config.net;
    if net.hides() || net.discovery == Discovery::Off {
        return;
    }
    let Some(ip) = useful(node, seen) else {
        return;
    };
    let words: Vec<Word> = words(node)
        .filter(|word| word.ip.is_ipv4() == ip.is_ipv4())
        .collect();
    let Some(best) = believed(&words) else {
        return;
    };
    let before = node.addresses.announced(net);
    match best {
        IpAddr::V4(ip) => node.addresses.seen_v4.set(Some(ip)),
        IpAddr::V6(ip) => node.addresses.seen_v6.set(Some(ip)),
    }
    if node.addresses.announced(net) == before {
        return;
    }
    let text = format!("Update our node_announcement for discovered address: {best}");
    node.log.info(&node.origin, text);
    let node = Rc::clone(node);
    tokio::task::spawn_local(async move {
        if let Err(error) = crate::channels::announce_again(&node).await {
            let text = format!("the new address is not announced: {error:#}");
            node.log.unusual(&node.origin, text);
        }
    });
}

/// An address that others could reach.
fn useful(node: &Node, address: &NetAddr) -> Option<IpAddr> {
    if !address.is_public(node.config.dev.allow_localhost) {
        return None;
    }
    match address {
        NetAddr::Ipv4(ip, _) => Some((*ip).into()),
        NetAddr::Ipv6(ip, _) => Some((*ip).into()),
        NetAddr::TorV3(..) | NetAddr::Dns(..) | NetAddr::Unix(_) => None,
    }
}

/// What connected peers say.
fn words(node: &Node) -> impl Iterator<Item = Word> {
    node.peers.all().into_iter().filter_map(|(id, peer)| {
        let seen = peer.connection?.remote_addr?;
        let mut channels = node.channels.of_peer(id);
        Some(Word {
            ip: useful(node, &seen)?,
            has_channel: channels.any(|channel| !channel.row().state.is_closing()),
        })
    })
}

/// The address that most peers with channels see, or else most peers; no peer alone is believed.
///
/// As in Core Lightning: strangers never outvote a peer that has money at stake with us.
fn believed(words: &[Word]) -> Option<IpAddr> {
    let mut votes: BTreeMap<IpAddr, (usize, usize)> = BTreeMap::new();
    for word in words {
        let (with_channel, all) = votes.entry(word.ip).or_default();
        *with_channel += usize::from(word.has_channel);
        *all += 1;
    }
    let most = votes.iter().max_by_key(|(_, votes)| **votes);
    most.filter(|(_, (_, all))| *all >= 2).map(|(ip, _)| *ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last number of the address, with a `+` for each peer with a channel and a `-` for each without.
    fn decide(votes: &[(u8, &str)]) -> Option<u8> {
        let word = |(number, peers): &(u8, &str)| {
            let ip = IpAddr::from([8, 8, 8, *number]);
            let words: Vec<Word> = peers
                .chars()
                .map(|peer| Word {
                    ip,
                    has_channel: peer == '+',
                })
                .collect();
            words
        };
        let words: Vec<Word> = votes.iter().flat_map(word).collect();
        believed(&words).map(|ip| match ip {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(ip) => panic!("{ip}"),
        })
    }

    #[test]
    fn two_peers_must_agree() {
        assert_eq!(decide(&[]), None);
        assert_eq!(decide(&[(1, "-")]), None);
        assert_eq!(decide(&[(1, "+")]), None);
        assert_eq!(decide(&[(1, "-"), (2, "-")]), None);
        assert_eq!(decide(&[(1, "--"), (2, "-")]), Some(1));
        assert_eq!(decide(&[(1, "+-"), (2, "-")]), Some(1));
        assert_eq!(decide(&[(1, "++")]), Some(1));
    }

    #[test]
    fn strangers_do_not_outvote_a_peer_with_a_channel() {
        assert_eq!(decide(&[(1, "-----"), (2, "+-")]), Some(2));
        assert_eq!(decide(&[(1, "-----"), (2, "+")]), None);
        assert_eq!(decide(&[(1, "++"), (2, "+---")]), Some(1));
    }
}
