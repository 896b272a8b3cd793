//! The peers we know.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use ln_ipc::connectd::{ConnectdConnect, ConnectdDisconnect, ConnectdPing};
use ln_types::{Features, NetAddr, NodeId};
use tokio::sync::{oneshot, watch};

use crate::node::Node;

/// A live connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// connectd's number for it.
    pub(crate) counter: u64,
    /// Where the peer is.
    pub(crate) address: NetAddr,
    /// How the peer sees us.
    pub(crate) remote_addr: Option<NetAddr>,
    /// Whether the peer connected to us.
    pub(crate) incoming: bool,
}

/// A peer that is connected or that we have a channel with.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its connection, when there is one.
    pub(crate) connection: Option<Connection>,
    /// Where it was last reached by us.
    pub(crate) address: Option<NetAddr>,
    /// What it offers in `init`.
    pub(crate) features: Features,
}

/// Why a connection could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectError {
    /// What happened.
    pub(crate) reason: String,
    /// Whether there was no address to try.
    pub(crate) no_address: bool,
}

/// Somebody who waits for a connection.
type ConnectWaiter = oneshot::Sender<Result<Connection, ConnectError>>;

/// The peers.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    table: RefCell<BTreeMap<NodeId, Peer>>,
    connecting: RefCell<HashMap<NodeId, Vec<ConnectWaiter>>>,
    pings: RefCell<HashMap<u64, oneshot::Sender<Result<u16, String>>>>,
    next_ping: Cell<u64>,
    /// Those that plugins have not let in yet.
    pub(super) arriving: super::arriving::Arriving,
    /// The unix sockets that connectd may have.
    pub(super) unix_places: super::unix_dial::UnixPlaces,
    /// Counts connections that ended.
    disconnections: watch::Sender<u64>,
}

impl Peers {
    /// Adds a peer that the database knows.
    pub(crate) fn insert_known(&self, id: NodeId, address: Option<NetAddr>, features: Features) {
        self.unix_places.note(&address);
        self.table.borrow_mut().insert(
            id,
            Peer {
                connection: None,
                address,
                features,
            },
        );
    }

    /// One peer.
    pub(crate) fn get(&self, id: NodeId) -> Option<Peer> {
        self.table.borrow().get(&id).cloned()
    }

    /// All peers, by id.
    pub(crate) fn all(&self) -> Vec<(NodeId, Peer)> {
        self.table
            .borrow()
            .iter()
            .map(|(id, peer)| (*id, peer.clone()))
            .collect()
    }

    /// A peer's connection.
    pub(crate) fn connection(&self, id: NodeId) -> Option<Connection> {
        self.table
            .borrow()
            .get(&id)
            .and_then(|peer| peer.connection.clone())
    }

    /// Whether a peer is connected.
    pub(crate) fn is_connected(&self, id: NodeId) -> bool {
        self.table
            .borrow()
            .get(&id)
            .is_some_and(|peer| peer.connection.is_some())
    }

    /// Notes a connection and tells who waits for it.
    pub(crate) fn connected(&self, id: NodeId, connection: &Connection, features: Features) {
        {
            let mut table = self.table.borrow_mut();
            let peer = table.entry(id).or_insert_with(|| Peer {
                connection: None,
                address: None,
                features: Features::new(),
            });
            peer.connection = Some(connection.clone());
            peer.features = features;
            if !connection.incoming {
                peer.address = Some(connection.address.clone());
            }
        }
        for waiter in self
            .connecting
            .borrow_mut()
            .remove(&id)
            .into_iter()
            .flatten()
        {
            drop(waiter.send(Ok(connection.clone())));
        }
    }

    /// Notes the end of a connection. Returns whether it was the present one. A peer without channels is forgotten.
    pub(crate) fn disconnected(&self, id: NodeId, counter: u64, has_channels: bool) -> bool {
        let mut table = self.table.borrow_mut();
        let Some(peer) = table.get_mut(&id) else {
            return false;
        };
        if peer
            .connection
            .as_ref()
            .is_none_or(|connection| connection.counter != counter)
        {
            return false;
        }
        peer.connection = None;
        if !has_channels {
            table.remove(&id);
        }
        self.disconnections.send_modify(|count| *count += 1);
        true
    }

    /// Sees every end of a connection. Subscribe before looking.
    pub(crate) fn watch_disconnections(&self) -> watch::Receiver<u64> {
        self.disconnections.subscribe()
    }

    /// Tells who waits that there is no connection.
    pub(crate) fn connect_failed(&self, id: NodeId, error: &ConnectError) {
        for waiter in self
            .connecting
            .borrow_mut()
            .remove(&id)
            .into_iter()
            .flatten()
        {
            drop(waiter.send(Err(error.clone())));
        }
    }

    /// Connects, or finds that we are connected already.
    pub(crate) async fn connect(
        &self,
        node: &Node,
        id: NodeId,
        addresses: Vec<NetAddr>,
    ) -> Result<Connection, ConnectError> {
        if let Some(connection) = self.connection(id) {
            return Ok(connection);
        }
        self.unix_places.note(&addresses);
        let mut all = addresses;
        all.extend(self.get(id).and_then(|peer| peer.address));
        let (sender, receiver) = oneshot::channel();
        self.connecting
            .borrow_mut()
            .entry(id)
            .or_default()
            .push(sender);
        node.to_connectd(ConnectdConnect { id, addresses: all });
        let gone = || ConnectError {
            reason: "the node is stopping".to_owned(),
            no_address: false,
        };
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Hangs up.
    pub(crate) fn disconnect(&self, node: &Node, id: NodeId) {
        if let Some(connection) = self.connection(id) {
            node.to_connectd(ConnectdDisconnect {
                id,
                counter: connection.counter,
            });
        }
    }

    /// Pings a peer; returns the pong's size.
    pub(crate) async fn ping(
        &self,
        node: &Node,
        id: NodeId,
        len: u16,
        pong_bytes: u16,
    ) -> Result<u16, String> {
        let request = self.next_ping.get();
        self.next_ping.set(request + 1);
        let (sender, receiver) = oneshot::channel();
        self.pings.borrow_mut().insert(request, sender);
        node.to_connectd(ConnectdPing {
            id,
            request,
            len,
            pong_bytes,
        });
        receiver
            .await
            .unwrap_or_else(|_| Err("the peer disconnected".to_owned()))
    }

    /// A pong came, or won't.
    pub(crate) fn ponged(&self, request: u64, result: Result<u16, String>) {
        if let Some(waiter) = self.pings.borrow_mut().remove(&request) {
            drop(waiter.send(result));
        }
    }
}
