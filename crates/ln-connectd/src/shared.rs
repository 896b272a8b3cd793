//! What all tasks of the daemon use.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use ln_ipc::connectd::{ConnectdDev, ConnectdInit, FromConnectd};
use ln_ipc::gossipd::ConnectdToGossipd;
use ln_ipc::status::{LogLevel, Status, StatusIo, StatusLog};
use ln_types::{Features, NetAddr, Network, NodeId};

use crate::dev_disconnect::{DevDisconnect, Fault};
use crate::gossip_store::{CurrentStore, RecentMark};
use crate::limits::{STREAM_RATE, STREAM_RATE_THROTTLED};
use crate::lookup::Lookup;
use crate::outbox::Outbox;
use crate::unix_dial::UnixDials;

/// Settings and the ways out. One thread only.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) node_id: NodeId,
    pub(crate) network: Network,
    /// What we offer; final once we are activated.
    pub(crate) features: RefCell<Features>,
    pub(crate) timeout: Duration,
    pub(crate) proxy: Option<NetAddr>,
    pub(crate) always_use_proxy: bool,
    pub(crate) lookup: Lookup,
    pub(crate) message_padding: bool,
    pub(crate) gossip_store: CurrentStore,
    pub(crate) log_messages: bool,
    pub(crate) log_io: bool,
    pub(crate) recent_gossip: RefCell<RecentMark>,
    /// The even types of messages that plugins know.
    pub(crate) custom_types: Rc<RefCell<Vec<u16>>>,
    pub(crate) dev: ConnectdDev,
    /// `dev-suppress-gossip`: nothing is streamed any more.
    pub(crate) dev_suppress_gossip: Cell<bool>,
    pub(crate) master: Outbox,
    pub(crate) gossipd: Outbox,
    pub(crate) unix_dials: UnixDials,
    dev_disconnect: RefCell<Option<DevDisconnect>>,
}

impl Shared {
    pub(crate) fn new(init: ConnectdInit, master: Outbox, gossipd: Outbox) -> Self {
        let script = init.dev.disconnect_file.as_deref().map(DevDisconnect::open);
        let timeout = Duration::from_secs(init.timeout_secs.into());
        let shared = Self {
            node_id: init.node_id,
            network: init.network,
            features: RefCell::new(init.features),
            timeout,
            proxy: init.proxy,
            always_use_proxy: init.always_use_proxy,
            lookup: Lookup::new(init.use_dns, timeout),
            message_padding: init.message_padding,
            gossip_store: CurrentStore::default(),
            log_messages: init.log_messages,
            log_io: init.log_io,
            recent_gossip: RefCell::default(),
            custom_types: Rc::default(),
            dev: init.dev,
            dev_suppress_gossip: Cell::default(),
            master,
            gossipd,
            unix_dials: UnixDials::default(),
            dev_disconnect: RefCell::new(None),
        };
        match script.transpose() {
            Ok(script) => *shared.dev_disconnect.borrow_mut() = script,
            Err(error) => shared.log(
                LogLevel::Broken,
                None,
                format!("can't open the dev-disconnect file: {error}"),
            ),
        }
        shared
    }

    /// Bytes of gossip a second for each peer.
    pub(crate) fn gossip_rate(&self) -> u32 {
        if self.dev.throttle_gossip {
            STREAM_RATE_THROTTLED
        } else {
            STREAM_RATE
        }
    }

    /// Writes a line to the node's log.
    pub(crate) fn log(&self, level: LogLevel, peer: Option<NodeId>, text: String) {
        self.master
            .push(&Status::from(StatusLog { level, peer, text }));
    }

    /// Writes a debug line about a peer.
    pub(crate) fn debug(&self, peer: NodeId, text: impl Into<String>) {
        self.log(LogLevel::Debug, Some(peer), text.into());
    }

    /// Shows the bytes of a message, if that is wanted.
    pub(crate) fn io(&self, level: LogLevel, peer: NodeId, data: &[u8]) {
        if self.log_io {
            self.master.push(&Status::from(StatusIo {
                level,
                peer: Some(peer),
                text: String::new(),
                data: data.to_vec(),
            }));
        }
    }

    /// Tells lightningd.
    pub(crate) fn tell(&self, message: impl Into<FromConnectd>) {
        self.master.push(&message.into());
    }

    /// Tells gossipd.
    pub(crate) fn tell_gossipd(&self, message: impl Into<ConnectdToGossipd>) {
        self.gossipd.push(&message.into());
    }

    /// What `dev-disconnect` wants done with a message about to be sent.
    pub(crate) fn fault_on_send(&self, peer: NodeId, number: u16) -> Fault {
        let mut script = self.dev_disconnect.borrow_mut();
        let hit = script.as_mut().and_then(|script| script.on_send(number));
        hit.map_or(Fault::None, |hit| {
            self.debug(peer, hit.log);
            hit.fault
        })
    }

    /// Whether `dev-disconnect` wants the connection closed after a message received.
    pub(crate) fn fault_on_receive(&self, peer: NodeId, number: u16) -> bool {
        let mut script = self.dev_disconnect.borrow_mut();
        let hit = script.as_mut().and_then(|script| script.on_receive(number));
        hit.is_some_and(|hit| {
            self.debug(peer, hit.log);
            true
        })
    }
}

/// A random byte, to spread what would otherwise happen at once. Never used for secrets.
pub(crate) fn luck() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}
