//! Peers that plugins have not let in yet.

use std::cell::RefCell;
use std::collections::HashMap;

use ln_ipc::connectd::FromConnectd;
use ln_types::NodeId;

/// What is kept of one peer at most: it is asked to wait for as long as plugins think.
const MAX_KEPT: usize = 1000;

/// Peers that are connected but not let in yet, with what connectd said about them meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Arriving(RefCell<HashMap<NodeId, Arrival>>);

#[derive(Debug)]
struct Arrival {
    /// connectd's number for the connection.
    counter: u64,
    kept: Vec<FromConnectd>,
}

impl Arriving {
    /// A peer arrives. An earlier connection of its is forgotten.
    pub(super) fn begin(&self, id: NodeId, counter: u64) {
        let kept = Vec::new();
        self.0.borrow_mut().insert(id, Arrival { counter, kept });
    }

    /// Keeps what is said about a peer that arrives; everything else comes back.
    pub(super) fn keep(&self, message: FromConnectd) -> Option<FromConnectd> {
        let mut arriving = self.0.borrow_mut();
        let id = match &message {
            FromConnectd::PeerDisconnected(gone) => {
                if arriving
                    .get(&gone.id)
                    .is_some_and(|arrival| arrival.counter == gone.counter)
                {
                    arriving.remove(&gone.id);
                }
                return Some(message);
            }
            FromConnectd::PeerSpoke(spoke) => spoke.id,
            FromConnectd::PeerError(error) => error.id,
            FromConnectd::CustomMessage(custom) => custom.id,
            FromConnectd::InitReply(_)
            | FromConnectd::PingReply(_)
            | FromConnectd::PeerConnected(_)
            | FromConnectd::ConnectFailed(_)
            | FromConnectd::DialUnix(_) => return Some(message),
        };
        match arriving.get_mut(&id) {
            Some(arrival) if arrival.kept.len() < MAX_KEPT => {
                arrival.kept.push(message);
                None
            }
            Some(_) => None,
            None => Some(message),
        }
    }

    /// Whether a peer is arriving.
    pub(super) fn has(&self, id: NodeId) -> bool {
        self.0.borrow().contains_key(&id)
    }

    /// A peer is let in or not: what was kept. Nothing if this connection is not the present one any more.
    pub(super) fn end(&self, id: NodeId, counter: u64) -> Option<Vec<FromConnectd>> {
        let mut arriving = self.0.borrow_mut();
        if arriving.get(&id)?.counter != counter {
            return None;
        }
        arriving.remove(&id).map(|arrival| arrival.kept)
    }
}

#[cfg(test)]
mod tests {
    use ln_ipc::connectd::{ConnectdCustomMessage, ConnectdPeerDisconnected};

    use super::*;

    fn peer(number: u8) -> NodeId {
        crate::payments::sample::node(number)
    }

    fn message(id: NodeId) -> FromConnectd {
        FromConnectd::CustomMessage(ConnectdCustomMessage {
            id,
            message: vec![1],
        })
    }

    #[test]
    fn what_a_peer_says_too_early_is_kept_and_that_of_others_is_not() {
        let arriving = Arriving::default();
        let (one, other) = (peer(1), peer(2));
        arriving.begin(one, 1);
        assert!(arriving.keep(message(one)).is_none());
        assert!(arriving.keep(message(other)).is_some());
        assert!(arriving.end(one, 2).is_none());
        assert_eq!(arriving.end(one, 1).unwrap().len(), 1);
        assert!(arriving.keep(message(one)).is_some());
    }

    #[test]
    fn a_peer_that_goes_is_not_let_in_afterwards() {
        let arriving = Arriving::default();
        let id = peer(1);
        arriving.begin(id, 1);
        let gone = ConnectdPeerDisconnected {
            id,
            counter: 1,
            reason: String::new(),
        };
        assert!(
            arriving
                .keep(FromConnectd::PeerDisconnected(gone))
                .is_some()
        );
        assert!(arriving.end(id, 1).is_none());
    }
}
