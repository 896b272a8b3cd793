//! Who may connect, and which of two connections with the same peer stays.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use ln_types::NodeId;

use crate::limits::{FRESH, HANDSHAKES};

/// Incoming connections whose handshake is not done.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    /// In order of arrival. Unix sockets have no address.
    pending: Vec<(u64, Option<IpAddr>)>,
}

impl Handshakes {
    /// Takes a newcomer in. When there are too many, returns the one to drop: the oldest of whoever has most, so that a flood from one
    /// place does not keep the others out.
    pub(crate) fn admit(&mut self, serial: u64, from: Option<IpAddr>) -> Option<u64> {
        self.pending.push((serial, from.map(group)));
        if self.pending.len() <= HANDSHAKES {
            return None;
        }
        let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for (_, from) in &self.pending {
            let count = counts.entry(*from).or_default();
            *count = count.saturating_add(1);
        }
        let most = counts.values().copied().max()?;
        let crowded = |(_, from): &&(u64, Option<IpAddr>)| counts.get(from) == Some(&most);
        let (victim, _) = *self.pending.iter().find(crowded)?;
        self.done(victim);
        Some(victim)
    }

    /// A handshake is over, well or not.
    pub(crate) fn done(&mut self, serial: u64) {
        self.pending.retain(|(pending, _)| *pending != serial);
    }
}

/// What one operator easily has many of counts as one: an IPv6 /64.
fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
    }
}

/// Whether the connection that is there stays when another one with the same peer is ready.
///
/// The new one wins as a rule: the peer would not have connected again if the old one worked. But when both sides dialled at the same
/// time, each would then close the connection that the other keeps. So of two that were dialled from different ends within a moment,
/// both sides keep the one dialled by the lower node id.
pub(crate) fn keeps_old(
    us: NodeId,
    peer: NodeId,
    old_incoming: bool,
    new_incoming: bool,
    old_age: Duration,
) -> bool {
    old_incoming != new_incoming && old_age < FRESH && dialled_by_lower(us, peer, old_incoming)
}

/// Whether a connection was dialled by the lower node id.
pub(crate) fn dialled_by_lower(us: NodeId, peer: NodeId, incoming: bool) -> bool {
    incoming == (peer < us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::secp256k1::{Secp256k1, SecretKey};

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn a_flood_from_one_address_pushes_out_its_own() {
        let mut handshakes = Handshakes::default();
        assert_eq!(handshakes.admit(0, ip("10.0.0.1")), None);
        assert_eq!(handshakes.admit(1, None), None);
        for serial in 2..128 {
            assert_eq!(handshakes.admit(serial, ip("10.0.0.2")), None);
        }
        assert_eq!(handshakes.admit(128, ip("10.0.0.3")), Some(2));
        assert_eq!(handshakes.admit(129, ip("10.0.0.2")), Some(3));
        handshakes.done(0);
        assert_eq!(handshakes.admit(130, ip("10.0.0.4")), None);
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one() {
        let mut handshakes = Handshakes::default();
        handshakes.admit(0, ip("2001:db8:0:1::1"));
        for serial in 1..128 {
            handshakes.admit(serial, ip(&format!("2001:db8::{serial:x}")));
        }
        assert_eq!(handshakes.admit(128, ip("10.0.0.1")), Some(1));
    }

    #[test]
    fn both_sides_keep_the_same_of_two_simultaneous_connections() {
        let secp = Secp256k1::new();
        let id = |byte| {
            NodeId::from(
                SecretKey::from_slice(&[byte; 32])
                    .unwrap()
                    .public_key(&secp),
            )
        };
        let (one, other) = (id(1), id(2));
        let age = Duration::from_millis(10);
        // The connection that `one` dialled is outgoing for it and incoming for `other`, and the other way round.
        for one_dialled_first_at_one in [true, false] {
            for one_dialled_first_at_other in [true, false] {
                let old_incoming = !one_dialled_first_at_one;
                let kept_old = keeps_old(one, other, old_incoming, !old_incoming, age);
                let one_keeps_its_own = kept_old == one_dialled_first_at_one;
                let old_incoming = one_dialled_first_at_other;
                let kept_old = keeps_old(other, one, old_incoming, !old_incoming, age);
                let other_keeps_ones = kept_old == one_dialled_first_at_other;
                assert_eq!(one_keeps_its_own, other_keeps_ones);
            }
        }
        assert!(!keeps_old(one, other, true, true, age));
        assert!(!keeps_old(one, other, true, false, FRESH));
        assert!(!keeps_old(one, other, false, true, FRESH));
    }
}
