//! The main loop's state: which connections there are, which are being made, and which must be made again.

use std::cell::Cell;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ln_ipc::connectd::{
    ConnectdAttachChannel, ConnectdConnect, ConnectdConnectFailed, ConnectdPeerConnected,
    ConnectdPeerDisconnected, ConnectdPing, ConnectdSendMessage, ConnectdSetImportant,
    FromConnectd, ToConnectd,
};
use ln_ipc::gossipd::{GossipdToConnectd, PeerGone, PeerNew};
use ln_ipc::status::LogLevel;
use ln_ipc::{AsyncReader, FrameError, from_errno};
use ln_types::{FeatureBit, Features, NetAddr, NodeId};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::admission::{Handshakes, dialled_by_lower, keeps_old};
use crate::backoff::{Backoff, LONGEST};
use crate::dev_exhaust_fds::TakenFds;
use crate::dial::{Addresses, DialFailure, dial};
use crate::establish::{Direction, EstablishError, Established, establish};
use crate::hsm::Hsm;
use crate::limits::{DIALS, MAILBOX_BYTES};
use crate::listen::{Incoming, Listener};
use crate::peer::{Control, Mailbox, Peer, PeerSetup, now};
use crate::ping;
use crate::shared::{Shared, luck};
use crate::tor::OnionService;

/// What happened in a task.
#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody connected to us.
    Incoming(Incoming),
    /// A connection could not be accepted.
    NoDescriptors,
    /// A connection to us got as far as it could.
    Responded(u64, Box<Result<Established, EstablishError>>),
    /// An attempt of ours got as far as it could.
    Dialled(NodeId, u64, Box<Result<Established, DialFailure>>),
    /// A connection ended.
    Ended(NodeId, u64, String),
    /// Time to try an important peer again.
    Redial(NodeId),
}

/// A connection.
#[derive(Debug)]
struct PeerHandle {
    connected: ConnectdPeerConnected,
    since: Instant,
    control: mpsc::UnboundedSender<Control>,
    messages: mpsc::UnboundedSender<Vec<u8>>,
    mailbox_bytes: Rc<Cell<usize>>,
    served: Rc<Cell<usize>>,
}

/// An attempt to connect.
#[derive(Debug)]
struct Dial {
    serial: u64,
    addresses: Addresses,
    task: AbortHandle,
}

/// A peer that must not be lost.
#[derive(Debug)]
struct Important {
    addresses: Vec<NetAddr>,
    backoff: Backoff,
    /// Set while a new attempt is waited for.
    timer: Option<AbortHandle>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Daemon {
    shared: Rc<Shared>,
    hsm: Hsm,
    listeners: Vec<Listener>,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    peers: HashMap<NodeId, PeerHandle>,
    dials: HashMap<NodeId, Dial>,
    dial_slots: Rc<Semaphore>,
    important: HashMap<NodeId, Important>,
    handshakes: Handshakes,
    responding: HashMap<u64, AbortHandle>,
    /// Numbers connections and attempts.
    serial: u64,
    max_peers: usize,
    /// Descriptors that `dev-connectd-exhaust-fds` took.
    dev_taken: TakenFds,
}

impl Daemon {
    pub(crate) fn new(shared: Rc<Shared>, hsm: Hsm, listeners: Vec<Listener>) -> Self {
        let (sender, events) = mpsc::channel(64);
        let alone = shared.dev.limit_connections_inflight;
        let dials = if alone { 1 } else { DIALS };
        Self {
            shared,
            hsm,
            listeners,
            events,
            sender,
            peers: HashMap::new(),
            dials: HashMap::new(),
            dial_slots: Rc::new(Semaphore::new(dials)),
            important: HashMap::new(),
            handshakes: Handshakes::default(),
            responding: HashMap::new(),
            serial: 0,
            max_peers: max_peers(),
            dev_taken: TakenFds::default(),
        }
    }

    pub(crate) async fn next_event(&mut self) -> Event {
        let event = self.events.recv().await;
        event.expect("this struct holds a sender")
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Handles a message of lightningd.
    pub(crate) async fn on_master(
        &mut self,
        message: ToConnectd,
        master: &mut AsyncReader,
    ) -> Result<(), FrameError> {
        match message {
            ToConnectd::Init(_) => {
                let text = "second init from lightningd".to_owned();
                self.shared.log(LogLevel::Broken, None, text);
            }
            ToConnectd::Activate(activate) => self.activate(activate.features),
            ToConnectd::Connect(connect) => self.connect(connect),
            ToConnectd::Disconnect(ask) => {
                let reason = "lightningd asked us to disconnect".to_owned();
                self.control(ask.id, Some(ask.counter), Control::Disconnect(reason));
            }
            ToConnectd::AttachChannel(ask) => {
                let socket = master.recv_fd().await?;
                let ConnectdAttachChannel {
                    id,
                    counter,
                    channel_id,
                } = ask;
                self.control(id, Some(counter), Control::Attach(channel_id, socket));
            }
            ToConnectd::AddChannelId(ask) => {
                let control = Control::AddChannelId {
                    from: ask.from,
                    to: ask.to,
                };
                self.control(ask.id, Some(ask.counter), control);
            }
            ToConnectd::SendMessage(ask) => self.send_message(ask),
            ToConnectd::Ping(ask) => self.ping(ask),
            ToConnectd::SetImportant(ask) => self.set_important(ask),
            ToConnectd::SetCustomTypes(ask) => {
                *self.shared.custom_types.borrow_mut() = ask.types;
            }
            ToConnectd::RejectSpoke(ask) => {
                self.control(ask.id, Some(ask.counter), Control::Reject(ask.channel_id));
            }
            ToConnectd::DevSuppressGossip(_) => self.shared.dev_suppress_gossip.set(true),
            ToConnectd::DevExhaustFds(_) => self.dev_taken.exhaust(&self.shared),
            ToConnectd::UnixDialled(answer) => {
                let socket = match from_errno(answer.errno) {
                    Ok(()) => Ok(master.recv_fd().await?),
                    Err(error) => Err(error),
                };
                self.shared.unix_dials.answered(answer.request, socket);
            }
        }
        Ok(())
    }

    /// Handles a message of gossipd.
    pub(crate) fn on_gossipd(&mut self, message: GossipdToConnectd) {
        match message {
            GossipdToConnectd::SendToPeer(ask) => self.post(ask.id, ask.message),
            // What counts is the descriptor that follows.
            GossipdToConnectd::Store(_) => {}
        }
    }

    /// gossipd has another file now.
    pub(crate) fn on_store(&self, store: OwnedFd) {
        self.shared.gossip_store.replace(store.into());
    }

    /// Handles what happened in a task.
    pub(crate) fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.respond(incoming),
            Event::NoDescriptors => {
                self.evict();
            }
            Event::Responded(serial, result) => {
                self.responding.remove(&serial);
                self.handshakes.done(serial);
                match *result {
                    Ok(established) => self.established(established),
                    Err(error) => {
                        let text = format!("incoming connection failed: {error}");
                        self.shared.log(LogLevel::Debug, None, text);
                    }
                }
            }
            Event::Dialled(id, serial, result) => {
                let same = |dial: &Dial| dial.serial == serial;
                if self.dials.get(&id).is_some_and(same)
                    && let Some(dial) = self.dials.remove(&id)
                {
                    match *result {
                        Ok(established) => self.established(established),
                        Err(failure) if failure.no_descriptors && self.evict() => {
                            self.start_dial(id, dial.addresses.take());
                        }
                        Err(failure) => self.dial_failed(id, failure),
                    }
                }
            }
            Event::Ended(id, counter, reason) => {
                let present = |peer: &PeerHandle| peer.connected.counter == counter;
                if self.peers.get(&id).is_some_and(present) {
                    self.forget(id, reason);
                    self.schedule_redial(id);
                }
            }
            Event::Redial(id) => {
                if let Some(important) = self.important.get_mut(&id) {
                    important.timer = None;
                    let addresses = important.addresses.clone();
                    self.start_dial(id, addresses);
                }
            }
        }
    }

    fn activate(&mut self, features: Features) {
        self.shared.features.replace(features);
        for listener in self.listeners.drain(..) {
            let task = listener.run(Rc::clone(&self.shared), self.sender.clone());
            tokio::task::spawn_local(task);
        }
    }

    /// Looks after services that Tor made for us.
    pub(crate) fn keep_onions(&self, services: Vec<OnionService>) {
        for service in services {
            tokio::task::spawn_local(service.keep(Rc::clone(&self.shared)));
        }
    }

    /// Starts the handshake with somebody who connected to us.
    fn respond(&mut self, incoming: Incoming) {
        let serial = self.next_serial();
        let text = format!("Connected in from {}", incoming.address);
        self.shared.log(LogLevel::Trace, None, text);
        if let Some(victim) = self.handshakes.admit(serial, incoming.ip)
            && let Some(task) = self.responding.remove(&victim)
        {
            task.abort();
        }
        let (shared, hsm) = (Rc::clone(&self.shared), self.hsm.clone());
        let sender = self.sender.clone();
        let task = tokio::task::spawn_local(async move {
            let Incoming {
                socket,
                address,
                websocket,
                ..
            } = incoming;
            let direction = Direction::Incoming { websocket };
            let result = establish(&shared, &hsm, socket, address, direction).await;
            let event = Event::Responded(serial, Box::new(result));
            let _ = sender.send(event).await;
        });
        self.responding.insert(serial, task.abort_handle());
    }

    fn connect(&mut self, connect: ConnectdConnect) {
        let ConnectdConnect { id, addresses } = connect;
        if let Some(peer) = self.peers.get(&id) {
            self.shared.tell(peer.connected.clone());
        } else if id == self.shared.node_id {
            self.shared.tell(ConnectdConnectFailed {
                id,
                reason: "that is our own node id".to_owned(),
                no_address: false,
            });
        } else {
            self.start_dial(id, addresses);
        }
    }

    fn start_dial(&mut self, id: NodeId, addresses: Vec<NetAddr>) {
        if self.peers.contains_key(&id) {
            return;
        }
        if let Some(dial) = self.dials.get(&id) {
            dial.addresses.add(addresses);
            return;
        }
        if let Some(timer) = self
            .important
            .get_mut(&id)
            .and_then(|peer| peer.timer.take())
        {
            timer.abort();
        }
        let serial = self.next_serial();
        let waiting = Addresses::default();
        waiting.add(addresses);
        let (shared, hsm) = (Rc::clone(&self.shared), self.hsm.clone());
        let (slots, sender) = (Rc::clone(&self.dial_slots), self.sender.clone());
        let addresses = waiting.clone();
        let task = tokio::task::spawn_local(async move {
            let slot = slots.acquire().await;
            let result = dial(&shared, &hsm, id, &waiting).await;
            drop(slot);
            let event = Event::Dialled(id, serial, Box::new(result));
            let _ = sender.send(event).await;
        });
        let task = task.abort_handle();
        self.dials.insert(
            id,
            Dial {
                serial,
                addresses,
                task,
            },
        );
    }

    fn dial_failed(&mut self, id: NodeId, failure: DialFailure) {
        // It may have connected to us meanwhile: then lightningd has its answer.
        if self.peers.contains_key(&id) {
            return;
        }
        let text = format!("Failed connected out: {}", failure.reason);
        self.shared.debug(id, text);
        self.shared.tell(ConnectdConnectFailed {
            id,
            reason: failure.reason,
            no_address: failure.no_address,
        });
        self.schedule_redial(id);
    }

    /// A connection is ready: is it the one to keep?
    fn established(&mut self, new: Established) {
        let (id, us) = (new.id, self.shared.node_id);
        if let Some(old) = self.peers.get(&id) {
            let age = now().saturating_duration_since(old.since);
            let old_incoming = old.connected.incoming;
            if keeps_old(us, id, old_incoming, new.incoming, age) {
                self.shared
                    .debug(id, "keeping the other one of two connections");
                return;
            }
            self.shared.debug(id, "Peer has reconnected");
            self.abandon(id, "replaced by a new connection".to_owned());
        } else if self.peers.len() >= self.max_peers && !self.evict() {
            self.refuse(id, new.incoming);
            return;
        }
        if new.incoming && dialled_by_lower(us, id, true) {
            self.cancel_dial(id);
        }
        self.admit(new);
    }

    /// There are too many connections, and all of them matter.
    fn refuse(&self, id: NodeId, incoming: bool) {
        let reason = "too many connections: raise the limit of open files".to_owned();
        self.shared.log(LogLevel::Unusual, Some(id), reason.clone());
        if !incoming {
            let no_address = false;
            self.shared.tell(ConnectdConnectFailed {
                id,
                reason,
                no_address,
            });
        }
    }

    fn cancel_dial(&mut self, id: NodeId) {
        if let Some(dial) = self.dials.remove(&id) {
            dial.task.abort();
        }
    }

    fn admit(&mut self, new: Established) {
        let Established {
            transport,
            id,
            address,
            incoming,
            init,
        } = new;
        let counter = self.next_serial();
        if !incoming && let Some(important) = self.important.get_mut(&id) {
            // What worked is tried first the next time.
            important.addresses.retain(|known| *known != address);
            important.addresses.insert(0, address.clone());
        }
        let queries = FeatureBit::GossipQueries;
        let gossip_queries =
            self.shared.features.borrow().supports(queries) && init.features.supports(queries);
        let connected = ConnectdPeerConnected {
            id,
            counter,
            address,
            remote_addr: init.remote_addr,
            incoming,
            features: init.features.clone(),
        };
        self.shared.tell(connected.clone());
        self.shared.tell_gossipd(PeerNew { id, gossip_queries });
        let (control, control_receiver) = mpsc::unbounded_channel();
        let (messages, mailbox) = mpsc::unbounded_channel();
        let (mailbox_bytes, served) = (Rc::default(), Rc::default());
        let peer = Peer::new(PeerSetup {
            shared: Rc::clone(&self.shared),
            id,
            counter,
            transport,
            features: init.features,
            control: control_receiver,
            mailbox: Mailbox {
                messages: mailbox,
                bytes: Rc::clone(&mailbox_bytes),
            },
            served: Rc::clone(&served),
        });
        let sender = self.sender.clone();
        tokio::task::spawn_local(async move {
            let reason = peer.run().await;
            let _ = sender.send(Event::Ended(id, counter, reason)).await;
        });
        let since = now();
        let handle = PeerHandle {
            connected,
            since,
            control,
            messages,
            mailbox_bytes,
            served,
        };
        self.peers.insert(id, handle);
    }

    /// Ends a connection at once.
    fn abandon(&mut self, id: NodeId, reason: String) {
        self.control(id, None, Control::Abandon);
        self.forget(id, reason);
    }

    /// Says good-bye to a connection in the name of its task, which has ended or will say nothing more.
    fn forget(&mut self, id: NodeId, reason: String) {
        let Some(peer) = self.peers.remove(&id) else {
            return;
        };
        if now().saturating_duration_since(peer.since) > LONGEST
            && let Some(important) = self.important.get_mut(&id)
        {
            important.backoff.reset();
        }
        let counter = peer.connected.counter;
        self.shared.tell(ConnectdPeerDisconnected {
            id,
            counter,
            reason,
        });
        self.shared.tell_gossipd(PeerGone { id });
    }

    /// Makes room by hanging up on a peer that nobody will miss. Returns whether there was one.
    fn evict(&mut self) -> bool {
        let dispensable = |(id, peer): &(&NodeId, &PeerHandle)| {
            peer.served.get() == 0 && !self.important.contains_key(*id)
        };
        let victim = self.peers.iter().filter(dispensable);
        let Some((id, _)) = victim.min_by_key(|(_, peer)| peer.since) else {
            return false;
        };
        let id = *id;
        self.shared.debug(id, "due to stress, closing peer");
        self.abandon(id, "too many connections".to_owned());
        true
    }

    fn control(&mut self, id: NodeId, counter: Option<u64>, control: Control) -> bool {
        let peer = self.peers.get(&id);
        let present =
            peer.filter(|peer| counter.is_none_or(|counter| peer.connected.counter == counter));
        present.is_some_and(|peer| peer.control.send(control).is_ok())
    }

    /// Queues a message for a peer, unless it is gone.
    fn post(&mut self, id: NodeId, message: Vec<u8>) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let bytes = peer.mailbox_bytes.get().saturating_add(message.len());
        if bytes > MAILBOX_BYTES {
            self.abandon(id, "the peer does not read what we send".to_owned());
            self.schedule_redial(id);
            return;
        }
        peer.mailbox_bytes.set(bytes);
        // A task that has just ended takes nothing more.
        let _ = peer.messages.send(message);
    }

    fn send_message(&mut self, ask: ConnectdSendMessage) {
        self.post(ask.id, ask.message);
        if ask.then_disconnect {
            let reason = "lightningd sent a last message".to_owned();
            self.control(ask.id, None, Control::Disconnect(reason));
        }
    }

    fn ping(&mut self, ask: ConnectdPing) {
        let (id, request) = (ask.id, ask.request);
        if !self.control(id, None, Control::Ping(ask)) {
            let reply = ping::failed(request, "the peer is not connected".to_owned());
            self.shared.tell(FromConnectd::PingReply(reply));
        }
    }

    fn set_important(&mut self, ask: ConnectdSetImportant) {
        let ConnectdSetImportant {
            id,
            important,
            addresses,
        } = ask;
        if !important {
            if let Some(Important {
                timer: Some(timer), ..
            }) = self.important.remove(&id)
            {
                timer.abort();
            }
            return;
        }
        let fast = self.shared.dev.fast_reconnect;
        let entry = self.important.entry(id).or_insert_with(|| Important {
            addresses: Vec::new(),
            backoff: Backoff::new(fast),
            timer: None,
        });
        for address in addresses {
            if !entry.addresses.contains(&address) {
                entry.addresses.push(address);
            }
        }
        if !self.shared.dev.no_reconnect && entry.timer.is_none() {
            let addresses = entry.addresses.clone();
            self.start_dial(id, addresses);
        }
    }

    fn schedule_redial(&mut self, id: NodeId) {
        if self.shared.dev.no_reconnect
            || self.dials.contains_key(&id)
            || self.peers.contains_key(&id)
        {
            return;
        }
        let waiting = |peer: &&mut Important| peer.timer.is_none();
        let Some(important) = self.important.get_mut(&id).filter(waiting) else {
            return;
        };
        let wait = important.backoff.wait(luck());
        let text = format!("Will try reconnect in {} seconds", wait.as_secs());
        self.shared.debug(id, text);
        important.timer = Some(redial_after(self.sender.clone(), id, wait));
    }
}

fn redial_after(sender: mpsc::Sender<Event>, id: NodeId, wait: Duration) -> AbortHandle {
    let task = tokio::task::spawn_local(async move {
        tokio::time::sleep(wait).await;
        let _ = sender.send(Event::Redial(id)).await;
    });
    task.abort_handle()
}

/// How many peers there are descriptors for, after asking for as many as there can be: each takes one, and one or two more for its
/// channels' daemons.
fn max_peers() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let descriptors = match setrlimit(Resource::Nofile, most) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let descriptors = descriptors.and_then(|most| usize::try_from(most).ok());
    descriptors.map_or(usize::MAX, |most| (most / 3).max(16))
}
