//! Channels that we are opening: at most one with each peer at a time.
//!
//! Between `fundchannel_start` and `fundchannel_complete` an opening waits for its transaction; a task keeps an eye on openingd meanwhile, so
//! that an opening whose peer went away is gone at once.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use ln_types::{ChannelId, Features, Msat, NodeId, Sat};
use tokio::sync::{Notify, oneshot};

use super::{OpenRequest, Opened};
use crate::log::Origin;
use crate::node::Node;

/// How far an opening has come.
#[derive(Debug)]
enum Stage {
    /// The peer is asked.
    Asking(oneshot::Sender<()>),
    /// It waits for its transaction.
    Waiting(oneshot::Sender<oneshot::Sender<(OpeningSlot, Opened)>>),
    /// The funding transaction is being made part of it: too late to cancel.
    Funding,
}

/// An opening as lists show it.
#[derive(Debug, Clone)]
pub(crate) struct OpeningSummary {
    /// The peer.
    pub(crate) peer: NodeId,
    /// The channel's capacity.
    pub(crate) funding: Sat,
    /// What the peer gets.
    pub(crate) push: Msat,
    /// The channel type, once agreed on.
    pub(crate) channel_type: Option<Features>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    stage: Stage,
    summary: OpeningSummary,
}

/// The channels that we are opening, by peer.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    table: RefCell<HashMap<NodeId, Entry>>,
    next: Cell<u64>,
    /// Peers that are opening a channel to us.
    incoming: RefCell<HashSet<NodeId>>,
    /// Channels opened to us that are not in the table of channels yet.
    accepted: RefCell<HashSet<ChannelId>>,
    /// Told whenever a place is left.
    left: Notify,
}

/// The place of one peer that opens a channel to us, until it is dropped.
pub(super) struct IncomingSlot {
    node: Rc<Node>,
    peer: NodeId,
    channel: Cell<Option<ChannelId>>,
}

impl Drop for IncomingSlot {
    fn drop(&mut self) {
        let openings = &self.node.openings;
        openings.incoming.borrow_mut().remove(&self.peer);
        if let Some(id) = self.channel.get() {
            openings.accepted.borrow_mut().remove(&id);
        }
        openings.left.notify_waiters();
    }
}

impl IncomingSlot {
    /// Takes the peer's place; nothing while a channel with it is being opened, by whichever side.
    pub(super) fn take(node: &Rc<Node>, peer: NodeId) -> Option<Self> {
        let openings = &node.openings;
        if openings.is_opening(peer) || !openings.incoming.borrow_mut().insert(peer) {
            return None;
        }
        Some(Self {
            node: Rc::clone(node),
            peer,
            channel: Cell::new(None),
        })
    }

    /// The same, once whoever has the place has left it; nothing if that takes longer than `patience`.
    pub(super) async fn wait(node: &Rc<Node>, peer: NodeId, patience: Duration) -> Option<Self> {
        let taken = async {
            loop {
                // Before looking, so that no word is missed.
                let left = node.openings.left.notified();
                if let Some(slot) = Self::take(node, peer) {
                    return slot;
                }
                left.await;
            }
        };
        tokio::time::timeout(patience, taken).await.ok()
    }

    /// Whether the channel's id, and so its funding output, is nobody else's; keeps it so until this is dropped.
    pub(super) fn claim(&self, id: ChannelId) -> bool {
        let node = &self.node;
        let free = node.channels.by_channel_id(id).is_none()
            && node.openings.accepted.borrow_mut().insert(id);
        if free {
            self.channel.set(Some(id));
        }
        free
    }
}

/// The right to open a channel with a peer, until it is dropped.
pub(crate) struct OpeningSlot {
    node: Rc<Node>,
    peer: NodeId,
    number: u64,
}

impl std::fmt::Debug for OpeningSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpeningSlot")
            .field("peer", &self.peer)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Drop for OpeningSlot {
    fn drop(&mut self) {
        let mut table = self.node.openings.table.borrow_mut();
        if table
            .get(&self.peer)
            .is_some_and(|entry| entry.number == self.number)
        {
            table.remove(&self.peer);
            self.node.openings.left.notify_waiters();
        }
    }
}

impl OpeningSlot {
    /// Takes the peer's slot; nothing when a channel with it is being opened already. The receiver resolves when somebody cancels.
    pub(crate) fn take(
        node: &Rc<Node>,
        request: &OpenRequest,
    ) -> Option<(Self, oneshot::Receiver<()>)> {
        let openings = &node.openings;
        let mut table = openings.table.borrow_mut();
        if table.contains_key(&request.peer) || openings.incoming.borrow().contains(&request.peer) {
            return None;
        }
        let number = openings.next.get() + 1;
        openings.next.set(number);
        let (cancel, cancelled) = oneshot::channel();
        let summary = OpeningSummary {
            peer: request.peer,
            funding: request.funding,
            push: request.push,
            channel_type: request.channel_type.clone(),
        };
        table.insert(
            request.peer,
            Entry {
                number,
                stage: Stage::Asking(cancel),
                summary,
            },
        );
        Some((
            Self {
                node: Rc::clone(node),
                peer: request.peer,
                number,
            },
            cancelled,
        ))
    }

    fn set_stage(&self, stage: Stage, channel_type: Option<&Features>) {
        let mut table = self.node.openings.table.borrow_mut();
        if let Some(entry) = table.get_mut(&self.peer) {
            entry.stage = stage;
            if let Some(channel_type) = channel_type {
                entry.summary.channel_type = Some(channel_type.clone());
            }
        }
    }

    /// From now on the opening can't be cancelled.
    pub(crate) fn funding(&self) {
        self.set_stage(Stage::Funding, None);
    }

    /// Has the opening wait for its transaction.
    pub(crate) fn park(self, mut opened: Opened) {
        let (hand_over, wanted) = oneshot::channel::<oneshot::Sender<(Self, Opened)>>();
        self.set_stage(Stage::Waiting(hand_over), Some(&opened.channel_type));
        tokio::task::spawn_local(async move {
            tokio::select! {
                error = opened.ended() => {
                    let origin = Origin::of_peer(self.peer, "lightningd");
                    let text = format!("the opening that waited for its transaction is over: {error}");
                    self.node.log.info(&origin, text);
                }
                wanted = wanted => if let Ok(taker) = wanted {
                    self.funding();
                    // A taker that is gone gives the opening up.
                    if let Err((_, opened)) = taker.send((self, opened)) {
                        opened.cancel("Channel open canceled by us");
                    }
                }
            }
        });
    }
}

impl Openings {
    /// Takes over the opening that waits for its transaction.
    pub(crate) async fn take_waiting(&self, peer: NodeId) -> Option<(OpeningSlot, Opened)> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut table = self.table.borrow_mut();
            let entry = table.get_mut(&peer)?;
            match std::mem::replace(&mut entry.stage, Stage::Funding) {
                Stage::Waiting(keeper) => keeper.send(sender).ok()?,
                other @ (Stage::Asking(_) | Stage::Funding) => {
                    entry.stage = other;
                    return None;
                }
            }
        }
        receiver.await.ok()
    }

    /// Cancels the opening with a peer; `None` when there is none, else whether it was not too late.
    pub(crate) async fn cancel(&self, peer: NodeId, reason: &str) -> Option<bool> {
        let asking = {
            let mut table = self.table.borrow_mut();
            let entry = table.get_mut(&peer)?;
            match std::mem::replace(&mut entry.stage, Stage::Funding) {
                Stage::Asking(cancel) => Some(cancel),
                Stage::Funding => return Some(false),
                waiting @ Stage::Waiting(_) => {
                    entry.stage = waiting;
                    None
                }
            }
        };
        match asking {
            // Whoever asked gives up, and has the peer told when it answers.
            Some(cancel) => Some(cancel.send(()).is_ok()),
            None => {
                let (slot, opened) = self.take_waiting(peer).await?;
                opened.cancel(reason);
                drop(slot);
                Some(true)
            }
        }
    }

    /// Whether a channel with a peer is being opened.
    pub(crate) fn is_opening(&self, peer: NodeId) -> bool {
        self.table.borrow().contains_key(&peer)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<OpeningSummary> {
        self.table
            .borrow()
            .values()
            .map(|entry| entry.summary.clone())
            .collect()
    }
}
