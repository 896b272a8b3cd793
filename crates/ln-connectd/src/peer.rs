//! One connection at work: moves bytes between the peer, the daemons of its channels, lightningd and gossipd.
//!
//! All of it is one future that is polled by hand: each round does what can be done without waiting, in a fixed order, and reads a source
//! only while there is room where its messages go. So a slow reader stops its own source and nobody else, and what was produced in one
//! round is written with one system call.

use std::cell::Cell;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use ln_ipc::connectd::ConnectdPing;
use ln_ipc::gossipd::PeerGossip;
use ln_ipc::status::LogLevel;
use ln_types::{ChannelId, Features, NodeId};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Sleep;

use crate::gossip_stream::GossipStream;
use crate::limits::{CLOSE_TIME, LINK_OUT_BYTES, PEER_OUT_BYTES};
use crate::link::Link;
use crate::mux::{Action, LinkId, Mux, warning};
use crate::names::message_name;
use crate::ping::Check;
use crate::shared::{Shared, luck};
use crate::transport::{Received, Transport};
use crate::wire::Wire;

/// Rounds in one poll before others get their turn.
const ROUNDS: usize = 32;

/// What the daemon's main loop tells a connection.
#[derive(Debug)]
pub(crate) enum Control {
    /// A channel has a daemon.
    Attach(ChannelId, OwnedFd),
    /// Whoever serves one id serves another one too.
    AddChannelId {
        /// The id that is served.
        from: ChannelId,
        /// The other one.
        to: ChannelId,
    },
    /// A channel has none and will have none.
    Reject(ChannelId),
    /// The `ping` command.
    Ping(ConnectdPing),
    /// Hang up once what is on its way to the peer is sent.
    Disconnect(String),
    /// Hang up now: lightningd has been told already.
    Abandon,
}

/// Messages for the peer from lightningd and gossipd.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) messages: UnboundedReceiver<Vec<u8>>,
    /// Bytes in it.
    pub(crate) bytes: Rc<Cell<usize>>,
}

/// How a connection is doing.
#[derive(Debug)]
enum Phase {
    Open,
    /// We hang up: the last messages go to the peer.
    Draining(Ending),
    /// The peer hung up: its last messages go to the channels' daemons.
    Flushing(Ending),
    /// Nothing may be said any more in the name of this connection.
    Abandoned,
}

#[derive(Debug)]
struct Ending {
    reason: String,
    until: Instant,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Peer {
    shared: Rc<Shared>,
    id: NodeId,
    wire: Wire,
    mux: Mux,
    links: Vec<Link>,
    next_link: u64,
    /// Channels served, for the main loop to see.
    served: Rc<Cell<usize>>,
    control: UnboundedReceiver<Control>,
    mailbox: Mailbox,
    gossip: GossipStream,
    timer: Pin<Box<Sleep>>,
    phase: Phase,
    /// Whether mailbox and daemons had nothing more to say in this round.
    sources_idle: bool,
    gossip_dropped: bool,
}

/// What a new connection starts with.
#[derive(Debug)]
pub(crate) struct PeerSetup {
    pub(crate) shared: Rc<Shared>,
    pub(crate) id: NodeId,
    pub(crate) counter: u64,
    pub(crate) transport: Transport,
    /// What the peer offers.
    pub(crate) features: Features,
    pub(crate) control: UnboundedReceiver<Control>,
    pub(crate) mailbox: Mailbox,
    pub(crate) served: Rc<Cell<usize>>,
}

impl Peer {
    pub(crate) fn new(setup: PeerSetup) -> Self {
        let PeerSetup { shared, id, .. } = setup;
        let now = now();
        let ping_timer = !shared.dev.no_ping_timer;
        shared.debug(id, "Handed peer, entering loop");
        Self {
            id,
            wire: Wire::new(Rc::clone(&shared), id, setup.transport, &setup.features),
            mux: Mux::new(id, setup.counter, shared.network, ping_timer, now)
                .with_custom_types(Rc::clone(&shared.custom_types)),
            links: Vec::new(),
            next_link: 0,
            served: setup.served,
            control: setup.control,
            mailbox: setup.mailbox,
            gossip: GossipStream::new(shared.dev.fast_gossip, shared.gossip_rate(), now),
            timer: Box::pin(tokio::time::sleep_until(now.into())),
            phase: Phase::Open,
            sources_idle: false,
            gossip_dropped: false,
            shared,
        }
    }

    /// Works until the connection ends. Returns why.
    pub(crate) async fn run(mut self) -> String {
        let reason = std::future::poll_fn(|cx| self.poll(cx)).await;
        if let Some(unanswered) = self.mux.ended() {
            self.shared.tell(unanswered);
        }
        if matches!(self.phase, Phase::Draining(_)) {
            tokio::task::spawn_local(self.wire.into_socket().close_gently());
        }
        reason
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        for _ in 0..ROUNDS {
            let mut busy = self.read_control(cx);
            if matches!(self.phase, Phase::Abandoned) {
                return Poll::Ready(String::new());
            }
            busy |= self.write_links(cx);
            busy |= self.read_peer(cx);
            self.sources_idle = true;
            busy |= self.read_mailbox(cx);
            busy |= self.read_links(cx);
            self.stream_gossip();
            busy |= self.write_peer(cx);
            if let Some(reason) = self.finished() {
                return Poll::Ready(reason);
            }
            busy |= self.poll_timer(cx);
            if !busy {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Carries out what the main loop says.
    fn read_control(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while let Poll::Ready(Some(control)) = self.control.poll_recv(cx) {
            busy = true;
            match control {
                Control::Attach(channel_id, socket) => self.attach(channel_id, socket),
                Control::AddChannelId { from, to } => self.add_channel_id(from, to),
                Control::Reject(channel_id) => self.mux.reject(&channel_id),
                Control::Ping(command) => {
                    let (message, reply) = self.mux.on_ping_command(&command);
                    if let Some(message) = message {
                        self.send(&message);
                    }
                    if let Some(reply) = reply {
                        self.shared.tell(reply);
                    }
                }
                Control::Disconnect(reason) => self.drain(reason),
                Control::Abandon => self.phase = Phase::Abandoned,
            }
        }
        busy
    }

    fn attach(&mut self, channel_id: ChannelId, socket: OwnedFd) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        let id = LinkId(self.next_link);
        self.next_link += 1;
        match Link::new(id, socket) {
            Ok(mut link) => {
                for message in self.mux.attach(channel_id, id) {
                    link.push(&message);
                }
                self.links.push(link);
                self.served.set(self.links.len());
            }
            Err(error) => {
                let text = format!("the socket for channel {channel_id} is unusable: {error}");
                self.shared.log(LogLevel::Broken, Some(self.id), text);
            }
        }
    }

    fn add_channel_id(&mut self, from: ChannelId, to: ChannelId) {
        let Some((id, kept)) = self.mux.add_channel_id(from, to) else {
            return;
        };
        if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
            for message in kept {
                link.push(&message);
            }
        }
    }

    fn write_links(&mut self, cx: &mut Context<'_>) -> bool {
        self.links
            .iter_mut()
            .fold(false, |busy, link| busy | link.write(cx))
    }

    /// Whether another message of the peer has a place to go to.
    fn may_read_peer(&mut self, cx: &mut Context<'_>) -> bool {
        // What channels and gossip produce stops at half of this, so only answers to the peer's own messages can fill the rest: two honest
        // nodes never wait for each other here.
        matches!(self.phase, Phase::Open)
            && self.wire.queued() < 2 * PEER_OUT_BYTES
            && self.mux.has_room()
            && self.mux.paused_until(now()).is_none()
            && self.links.iter().all(|link| link.queued() < LINK_OUT_BYTES)
            && self.shared.master.poll_room(cx).is_ready()
    }

    fn read_peer(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while self.may_read_peer(cx) {
            match self.wire.next() {
                Ok(Some(received)) => self.on_message(received),
                Ok(None) => match self.wire.poll_fill(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(0)) => self.flush("peer closed connection".to_owned()),
                    Poll::Ready(Ok(_)) => (),
                    Poll::Ready(Err(error)) => self.flush(error.to_string()),
                },
                Err(error) => self.flush(error.to_string()),
            }
            busy = true;
        }
        busy
    }

    fn on_message(&mut self, received: Received) {
        if self.wire.is_deaf() {
            return;
        }
        let message = self.wire.message(received);
        let number = message
            .first_chunk()
            .map(|bytes| u16::from_be_bytes(*bytes));
        self.gossip.remember(message);
        let action = self.mux.on_message(message, now());
        if let (Action::ToGossipd | Action::Stream(_), false) =
            (&action, self.shared.gossipd.is_full())
        {
            let message = message.to_vec();
            let id = self.id;
            self.shared.tell_gossipd(PeerGossip { id, message });
        } else if matches!(action, Action::ToGossipd | Action::Stream(_)) && !self.gossip_dropped {
            self.gossip_dropped = true;
            let text = "gossipd is busy: dropping gossip of this peer".to_owned();
            self.shared.log(LogLevel::Unusual, Some(self.id), text);
        }
        match action {
            Action::Nothing | Action::ToGossipd => (),
            Action::ToLink(id) => {
                if let Some(link) = self.links.iter_mut().find(|link| link.id == id) {
                    link.push(message);
                }
            }
            Action::Stream(filter) => self.gossip.set_filter(filter, &self.shared, now()),
            Action::ToLightningd(message) => self.shared.tell(message),
            Action::Reply(answer) => self.send(&answer),
            Action::Failed(report) => {
                self.shared.tell(report);
                self.flush("peer sent an error for all channels".to_owned());
            }
            Action::Refuse(text) => self.refuse(text),
        }
        if number.is_some_and(|number| self.shared.fault_on_receive(self.id, number)) {
            self.drain("closed by dev-disconnect".to_owned());
        }
    }

    /// Hangs up on a peer that broke a rule.
    fn refuse(&mut self, text: String) {
        self.shared
            .log(LogLevel::Unusual, Some(self.id), text.clone());
        self.drop_links();
        self.send(&warning(&text));
        self.drain(text);
    }

    fn read_mailbox(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while self.wire.queued() < PEER_OUT_BYTES {
            let Poll::Ready(Some(message)) = self.mailbox.messages.poll_recv(cx) else {
                return busy;
            };
            let bytes = self.mailbox.bytes.get().saturating_sub(message.len());
            self.mailbox.bytes.set(bytes);
            self.send(&message);
            busy = true;
        }
        self.sources_idle = false;
        busy
    }

    fn read_links(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        // The first one to be asked is another one each time, so that all get their turn.
        if let Some(last) = self.links.len().checked_sub(1) {
            self.links.rotate_right(last.min(1));
        }
        let mut index = 0;
        while let Some(link) = self.links.get_mut(index) {
            if self.wire.queued() >= PEER_OUT_BYTES {
                self.sources_idle = false;
                break;
            }
            match link.next() {
                Ok(Some(frame)) => {
                    let message = link.message(frame);
                    self.mux.on_sent(message, link.id);
                    let close = self.wire.send(message);
                    self.close_if(close);
                    busy = true;
                }
                Ok(None) => match link.poll_fill(cx) {
                    Poll::Pending => index += 1,
                    Poll::Ready(Ok(read)) if read > 0 => busy = true,
                    Poll::Ready(Ok(_) | Err(_)) => self.drop_link(index),
                },
                Err(error) => {
                    let text = format!("a channel's daemon sent a {error}");
                    self.shared.log(LogLevel::Broken, Some(self.id), text);
                    self.drop_link(index);
                }
            }
        }
        busy
    }

    fn drop_link(&mut self, index: usize) {
        let link = self.links.remove(index);
        self.mux.detach(link.id);
        self.served.set(self.links.len());
    }

    fn drop_links(&mut self) {
        while !self.links.is_empty() {
            self.drop_link(0);
        }
    }

    fn stream_gossip(&mut self) {
        if self.shared.dev_suppress_gossip.get() {
            return;
        }
        while matches!(self.phase, Phase::Open) && self.wire.queued() < PEER_OUT_BYTES {
            let Some(message) = self.gossip.next(now()) else {
                return;
            };
            self.send(&message);
        }
    }

    fn send(&mut self, message: &[u8]) {
        let close = self.wire.send(message);
        self.close_if(close);
    }

    /// Sending made `dev-disconnect` want the connection closed.
    fn close_if(&mut self, close: bool) {
        if close {
            self.drop_links();
            self.drain("closed by dev-disconnect".to_owned());
        }
    }

    fn write_peer(&mut self, cx: &mut Context<'_>) -> bool {
        match self.wire.write(cx) {
            Ok(wrote) => wrote,
            Err(error) => {
                self.flush(error.to_string());
                false
            }
        }
    }

    /// We hang up, when all that is on its way is sent.
    fn drain(&mut self, reason: String) {
        if matches!(self.phase, Phase::Open) {
            self.phase = Phase::Draining(Ending::new(reason));
        }
    }

    /// The peer is gone: its daemons get what it sent.
    fn flush(&mut self, reason: String) {
        if matches!(self.phase, Phase::Open | Phase::Draining(_)) {
            self.phase = Phase::Flushing(Ending::new(reason));
        }
    }

    fn finished(&self) -> Option<String> {
        let heard = self.links.iter().all(|link| link.queued() == 0);
        let (ending, done) = match &self.phase {
            Phase::Open | Phase::Abandoned => return None,
            Phase::Draining(ending) => {
                let said = self.sources_idle && !self.links.iter().any(Link::has_more);
                (ending, heard && said && self.wire.queued() == 0)
            }
            Phase::Flushing(ending) => (ending, heard),
        };
        (done || ending.until <= now()).then(|| ending.reason.clone())
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let now = now();
        let ending = match &self.phase {
            Phase::Open | Phase::Abandoned => None,
            Phase::Draining(ending) | Phase::Flushing(ending) => Some(ending.until),
        };
        let deadlines = [
            ending,
            self.mux.deadline(),
            self.mux.paused_until(now),
            self.gossip.deadline(now),
        ];
        let Some(deadline) = deadlines.into_iter().flatten().min() else {
            return false;
        };
        if self.timer.deadline() != deadline.into() {
            self.timer.as_mut().reset(deadline.into());
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.gossip.on_timer(now);
        if self.mux.deadline().is_some_and(|deadline| deadline <= now) {
            match self.mux.check(now, luck()) {
                Check::Alive => (),
                Check::Probe(ping) => self.send(&ping),
                Check::Dead => {
                    self.shared
                        .debug(self.id, "Last ping unreturned: hanging up");
                    self.flush("the peer did not answer our ping".to_owned());
                }
            }
        }
        true
    }
}

impl Ending {
    fn new(reason: String) -> Self {
        Self {
            reason,
            until: now() + CLOSE_TIME,
        }
    }
}

/// The runtime's clock: tests may stop it.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How a message type is shown in a log.
pub(crate) fn shown(number: u16) -> String {
    message_name(number).map_or_else(|| format!("message {number}"), str::to_owned)
}
