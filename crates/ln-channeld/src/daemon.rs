//! The loop.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use ln_channel::{Action, BySide, Channel, ChannelState, Env, Event, Notice};
use ln_codec::LongBytes;
use ln_daemon::Shell;
use ln_ipc::channeld::{ChanneldInit, ToChanneld};
use ln_ipc::{FrameError, PeerStream};
use ln_signer::Signer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::convert;
use crate::standing::Standing;

/// How many states may be on their way to the disk before we stop reading from the peer.
const MAX_UNSAVED: u64 = 64;

/// How long nothing happens before the memory of a burst of payments is given back.
const REST: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Why the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The peer is gone, or we hung up.
    PeerGone,
    /// The channel goes on with another daemon, on chain, or not at all: lightningd was told.
    Done,
}

/// An action that waits for a state to be durable.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The number of that state.
    pub(crate) sequence: u64,
    pub(crate) action: Action,
}

/// The daemon of one channel.
pub struct Channeld {
    pub(crate) shell: Shell,
    pub(crate) peer: PeerStream,
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) channel: Channel,
    pub(crate) init: ChanneldInit,
    /// Peer messages another daemon read for us.
    unread: VecDeque<Vec<u8>>,
    /// What lightningd is to be told with the next state: when there is one, or when there is nothing left to read.
    pub(crate) untold: Vec<Notice>,
    /// Actions in order, each after the state it depends on.
    pub(crate) waiting: VecDeque<Waiting>,
    /// The number of the last state sent to lightningd.
    pub(crate) sequence: u64,
    /// The number of the last state known to be durable.
    pub(crate) durable: u64,
    /// Set once the peer has no say any more: what is waiting is still carried out.
    pub(crate) closing: bool,
    pub(crate) standing: Standing,
    /// Whether something happened since memory was given back last.
    worked: bool,
}

impl std::fmt::Debug for Channeld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channeld")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl Channeld {
    /// A daemon as its first message describes it; `state` is what is in there, decoded.
    pub fn new(
        shell: Shell,
        peer: PeerStream,
        signer: Box<dyn Signer>,
        mut init: ChanneldInit,
        state: ChannelState,
    ) -> Self {
        let unread = std::mem::take(&mut init.unread);
        let mut channel = Channel::new(state, Some(init.alias));
        if let Some(commits) = init.dev_disable_commit_after {
            channel.limit_commits(commits);
        }
        Self {
            shell,
            peer,
            signer,
            channel,
            unread: unread.into_iter().map(|LongBytes(bytes)| bytes).collect(),
            init,
            untold: Vec::new(),
            waiting: VecDeque::new(),
            sequence: 0,
            durable: 0,
            closing: false,
            standing: Standing::default(),
            worked: true,
        }
    }

    //~ 5. A plain loop: what is due is carried out, then one message is read, from lightningd before the peer. While too many states wait for the
    //~ disk the peer is not read at all: that is how a slow database slows the sender instead of filling memory. `interpret.rs` has the other half.
    /// Runs until the channel needs this daemon no more. An error means that lightningd or hsmd is gone, or that this program and theirs do not
    /// understand each other.
    pub fn run(&mut self) -> Result<End, FrameError> {
        self.start()?;
        loop {
            if let Some(end) = self.carry_on()? {
                return Ok(end);
            }
            self.report_standing();
            if self.shell.has_message() {
                let message: ToChanneld = self.shell.recv()?;
                if let Some(end) = self.on_master(message)? {
                    return Ok(end);
                }
            } else if self.may_read_peer() && (!self.unread.is_empty() || self.peer.has_message()) {
                let message = match self.unread.pop_front() {
                    Some(message) => message,
                    None => self.peer.recv()?,
                };
                self.on_peer(&message)?;
            } else if let Some(end) = self.wait()? {
                return Ok(end);
            }
        }
    }

    /// The first events of the machine's life.
    fn start(&mut self) -> Result<(), FrameError> {
        let place = convert::funding_place(&self.init.chain);
        let resolutions = std::mem::take(&mut self.init.resolutions);
        self.step(Event::Block(place))?;
        for resolve in resolutions {
            self.step(Event::ResolveHtlc {
                id: resolve.id,
                removal: convert::removal(resolve.resolution),
            })?;
        }
        self.step(Event::LinkUp {
            first: self.init.first_connection,
        })
    }

    fn may_read_peer(&self) -> bool {
        !self.closing && self.sequence.saturating_sub(self.durable) < MAX_UNSAVED
    }

    /// Waits for lightningd or the peer, and reads from whoever has something.
    fn wait(&mut self) -> Result<Option<End>, FrameError> {
        self.tell()?;
        let wanted = if self.may_read_peer() {
            PollFlags::IN
        } else {
            PollFlags::empty()
        };
        let (master, peer) = {
            let mut fds = [
                PollFd::from_borrowed_fd(self.shell.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.peer.as_fd(), wanted),
            ];
            match poll(&mut fds, self.worked.then_some(&REST)) {
                Ok(0) => {
                    self.worked = false;
                    self.waiting.shrink_to_fit();
                    ln_daemon::release_free_memory();
                    return Ok(None);
                }
                Ok(_) => self.worked = true,
                Err(rustix::io::Errno::INTR) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            let [master, peer] = &fds;
            (!master.revents().is_empty(), peer.revents())
        };
        if master {
            let message: ToChanneld = self.shell.recv()?;
            return self.on_master(message);
        }
        if self.may_read_peer() && !peer.is_empty() {
            return match self.peer.recv() {
                Ok(message) => {
                    self.on_peer(&message)?;
                    Ok(None)
                }
                Err(FrameError::Closed | FrameError::Io(_)) => self.peer_gone().map(Some),
                Err(error) => Err(error),
            };
        }
        // Hung up while we must not read: nothing we have left to send can arrive.
        if peer.intersects(PollFlags::HUP | PollFlags::ERR) {
            return self.peer_gone().map(Some);
        }
        Ok(None)
    }

    /// Lets the machine take an event, and carries out what it says.
    pub(crate) fn step(&mut self, event: Event) -> Result<(), FrameError> {
        let Self {
            channel,
            init,
            signer,
            ..
        } = self;
        match channel.step(event, &env(init, &**signer)) {
            Ok(actions) => self.perform(actions),
            Err(error) => self.broken(&error),
        }
    }
}

/// What the machine may know.
pub(crate) fn env<'a>(init: &'a ChanneldInit, signer: &'a dyn Signer) -> Env<'a> {
    Env {
        height: init.chain.height,
        feerates: convert::feerates(&init.feerates),
        max_dust_exposure: init.max_dust_exposure,
        our_features: &init.our_features,
        their_features: &init.their_features,
        node_ids: BySide {
            local: init.node_id,
            remote: init.peer_id,
        },
        chain_hash: init.network.chain_hash(),
        signer,
    }
}
