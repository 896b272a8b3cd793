//! The node: everything the master's tasks share.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use ln_db::Db;
use ln_ipc::connectd::ConnectdSendMessage;
use ln_ipc::gossipd::{GossipdNewBlock, ToGossipd};
use ln_types::{BlockHeight, NodeId};
use tokio::sync::watch;

use crate::chain::{Backend, Chain, FeeEstimates};
use crate::channels::{Channels, Openings};
use crate::features::Offer;
use crate::gossip::GraphReader;
use crate::hsm::Hsm;
use crate::invoices::Invoices;
use crate::log::{Logger, Origin};
use crate::options::{Config, Settings};
use crate::payments::Payments;
use crate::peers::{OwnAddresses, Peers};
use crate::plugins::PluginHost;
use crate::rpc::RpcState;
use crate::subd::SubdSender;
use crate::wallet::Wallet;

/// Everything the master's tasks share. All of it lives on one thread; borrows are short and never held across an await.
//~ 2. There is no lock in the master: one thread runs all tasks, and a task that waits has given back whatever it borrowed. What must not be seen
//~ half done is changed between two awaits. Channels are the heart of it; their rules are in a crate of their own: `ln-channel/src/action.rs`.
pub(crate) struct Node {
    pub(crate) config: Config,
    /// What was set, by whom; `setconfig` changes it.
    pub(crate) settings: RefCell<Rc<Settings>>,
    pub(crate) log: Logger,
    /// Who the master's own log lines come from.
    pub(crate) origin: Origin,
    pub(crate) db: Db,
    pub(crate) hsm: Hsm,
    pub(crate) plugins: Rc<PluginHost>,
    pub(crate) backend: Backend,
    pub(crate) chain: Chain,
    pub(crate) fees: RefCell<FeeEstimates>,
    pub(crate) wallet: Wallet,
    pub(crate) features: Offer,
    pub(crate) peers: Peers,
    pub(crate) channels: Channels,
    pub(crate) openings: Openings,
    pub(crate) invoices: Invoices,
    pub(crate) payments: Payments,
    pub(crate) rpc: RpcState,
    pub(crate) connectd: OnceCell<SubdSender>,
    pub(crate) gossipd: OnceCell<SubdSender>,
    pub(crate) graph: GraphReader,
    /// Where we are reached.
    pub(crate) addresses: OwnAddresses,
    /// Whether the node is about to end: it takes no HTLCs and keeps no idle peers any more.
    pub(crate) grace: Cell<bool>,
    /// Set once, to end the process: the exit code.
    pub(crate) stop: watch::Sender<Option<i32>>,
}
impl Node {
    /// Our node id.
    pub(crate) fn id(&self) -> NodeId {
        self.hsm.identity.node_id
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.settings.borrow())
    }

    /// Changes the settings.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(Rc::make_mut(&mut self.settings.borrow_mut()));
    }

    /// Our alias as it is announced, padded with zeros.
    pub(crate) fn alias(&self) -> [u8; 32] {
        if let Some(alias) = self.config.alias {
            return alias;
        }
        let version = self.config.developer.then_some(ln_daemon::VERSION);
        let text = ln_keys::default_alias(&self.id(), version);
        let mut alias = [0; 32];
        for (to, from) in alias.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        alias
    }

    /// Our alias as people read it.
    pub(crate) fn alias_text(&self) -> String {
        let alias = self.alias();
        let end = alias
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(alias.len());
        String::from_utf8_lossy(alias.get(..end).unwrap_or_default()).into_owned()
    }

    /// Our colour.
    pub(crate) fn color(&self) -> [u8; 3] {
        self.config
            .rgb
            .unwrap_or_else(|| ln_keys::default_color(&self.id()))
    }

    /// Says something to connectd.
    pub(crate) fn to_connectd(&self, message: impl Into<ln_ipc::connectd::ToConnectd>) {
        if let Some(connectd) = self.connectd.get() {
            connectd.send(&message.into());
        }
    }

    /// Sends a peer one whole message.
    pub(crate) fn to_peer(&self, id: NodeId, message: Vec<u8>) {
        self.to_connectd(ConnectdSendMessage {
            id,
            message,
            then_disconnect: false,
        });
    }

    /// Says something to gossipd.
    pub(crate) fn to_gossipd(&self, message: impl Into<ToGossipd>) {
        if let Some(gossipd) = self.gossipd.get() {
            gossipd.send(&message.into());
        }
    }

    /// Tells gossipd of a new block.
    pub(crate) fn gossip_new_block(&self, height: BlockHeight) {
        self.to_gossipd(GossipdNewBlock { height });
    }

    /// Whether no HTLC is under way in any channel with a peer.
    pub(crate) fn is_idle(&self, peer: NodeId) -> bool {
        let mut channels = self.channels.of_peer(peer);
        channels.all(|channel| {
            let machine = channel.machine();
            let known = machine.is_ok_and(|machine| machine.htlcs().next().is_some());
            !known && channel.htlcs.borrow().is_empty()
        })
    }

    /// Ends the process with an exit code; the first one counts.
    pub(crate) fn stop(&self, code: i32) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(code);
            first
        });
    }
}
