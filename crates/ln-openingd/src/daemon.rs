//! What both directions of opening share: the neighbours, and how an opening ends early.

use std::os::fd::AsFd;

use ln_channel::ChannelError;
use ln_channel::opening::{OpeningEnv, OpeningPolicy};
use ln_codec::{Decode, DecodeError, Encode, LongBytes};
use ln_daemon::Shell;
use ln_ipc::openingd::{FromOpeningd, OpeningdFailed, OpeningdInit, ToOpeningd};
use ln_ipc::status::LogLevel;
use ln_ipc::{FrameError, PeerStream};
use ln_signer::Signer;
use ln_types::ChannelId;
use ln_wire::{ErrorMessage, PeerMessage, WarningMessage};
use rustix::event::{PollFd, PollFlags, poll};

/// Why the daemon ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// The opening failed; lightningd is to be told.
    #[error("{}", .0.reason)]
    Failed(OpeningdFailed),
    /// lightningd is gone, or does not understand us.
    #[error("lightningd is gone")]
    Master(#[from] FrameError),
}

/// Whoever spoke.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is taken apart at once"
)]
pub(crate) enum Heard {
    Master(ToOpeningd),
    Peer(Box<PeerMessage>),
}

/// The daemon of one opening.
pub struct Openingd {
    pub(crate) shell: Shell,
    pub(crate) peer: PeerStream,
    signer: Box<dyn Signer>,
    pub(crate) init: OpeningdInit,
    policy: OpeningPolicy,
    /// The channel's temporary id, once there is one.
    pub(crate) channel_id: ChannelId,
}

impl std::fmt::Debug for Openingd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Openingd")
            .field("channel_id", &self.channel_id)
            .finish_non_exhaustive()
    }
}

impl Openingd {
    /// A daemon as its first message describes it.
    pub fn new(
        shell: Shell,
        peer: PeerStream,
        signer: Box<dyn Signer>,
        init: OpeningdInit,
    ) -> Self {
        let asked = &init.policy;
        let policy = OpeningPolicy {
            min_capacity: asked.min_capacity,
            max_accepted_htlcs: asked.max_accepted_htlcs,
            htlc_minimum: asked.htlc_minimum,
            max_htlc_value_in_flight: asked.max_htlc_value_in_flight,
            to_self_delay: asked.to_self_delay,
            max_to_self_delay: asked.max_to_self_delay,
            dust_limit: asked.dust_limit,
            channel_reserve: asked.channel_reserve,
            minimum_depth: asked.minimum_depth,
            min_feerate: asked.min_feerate,
            max_feerate: asked.max_feerate,
            allow_dust_reserve: asked.allow_dust_reserve,
        };
        Self {
            shell,
            peer,
            signer,
            init,
            policy,
            channel_id: ChannelId::ALL,
        }
    }

    /// Runs until the opening is through or has failed; of a failure lightningd and the peer are told.
    pub fn run(&mut self) -> Result<(), FrameError> {
        match self.open() {
            Ok(()) => Ok(()),
            Err(Ended::Failed(failed)) => self.shell.send(&FromOpeningd::from(failed)),
            Err(Ended::Master(error)) => Err(error),
        }
    }

    fn open(&mut self) -> Result<(), Ended> {
        match self.hear()? {
            Heard::Master(message) => {
                let ToOpeningd::Fund(fund) = message else {
                    return Err(self.cancelled(&message));
                };
                self.open_to_peer(fund)
            }
            Heard::Peer(message) => {
                let PeerMessage::OpenChannel(open) = *message else {
                    return Err(self.out_of_place(&message));
                };
                self.open_to_us(open)
            }
        }
    }

    pub(crate) fn env(&self) -> OpeningEnv<'_> {
        OpeningEnv {
            chain_hash: self.init.network.chain_hash(),
            height: self.init.height,
            our_features: &self.init.our_features,
            their_features: &self.init.their_features,
            policy: &self.policy,
            signer: &*self.signer,
        }
    }

    /// Waits for lightningd or the peer.
    pub(crate) fn hear(&mut self) -> Result<Heard, Ended> {
        loop {
            if self.shell.has_message() {
                return Ok(Heard::Master(self.shell.recv()?));
            }
            if self.peer.has_message() {
                match self.hear_peer()? {
                    Some(message) => return Ok(Heard::Peer(message)),
                    None => continue,
                }
            }
            let (master, peer) = {
                let mut fds = [
                    PollFd::from_borrowed_fd(self.shell.as_fd(), PollFlags::IN),
                    PollFd::from_borrowed_fd(self.peer.as_fd(), PollFlags::IN),
                ];
                match poll(&mut fds, None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(errno) => return Err(FrameError::from(errno).into()),
                }
                let [master, peer] = &fds;
                (!master.revents().is_empty(), !peer.revents().is_empty())
            };
            if master {
                return Ok(Heard::Master(self.shell.recv()?));
            }
            if peer && let Some(message) = self.hear_peer()? {
                return Ok(Heard::Peer(message));
            }
        }
    }

    /// The next message of the peer's that means something here.
    fn hear_peer(&mut self) -> Result<Option<Box<PeerMessage>>, Ended> {
        let Ok(bytes) = self.peer.recv() else {
            return Err(failed("the peer disconnected", false, false));
        };
        match PeerMessage::from_bytes(&bytes) {
            Ok(PeerMessage::Error(error)) => Err(failed(&error.text(), true, false)),
            Ok(PeerMessage::Warning(warning)) => {
                let text = format!("peer warns: {}", warning.text());
                self.shell.log(LogLevel::Info, text);
                Ok(None)
            }
            Ok(message) => Ok(Some(Box::new(message))),
            Err(DecodeError::UnknownTag { .. })
                if PeerMessage::peek_number(&bytes).is_some_and(PeerMessage::may_ignore) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Waits for the peer alone; lightningd may only cancel.
    pub(crate) fn hear_from_peer(&mut self) -> Result<Box<PeerMessage>, Ended> {
        match self.hear()? {
            Heard::Peer(message) => Ok(message),
            Heard::Master(message) => Err(self.cancelled(&message)),
        }
    }

    /// Waits for lightningd alone; the peer has nothing to say now.
    pub(crate) fn hear_from_master(&mut self) -> Result<ToOpeningd, Ended> {
        match self.hear()? {
            Heard::Master(message @ ToOpeningd::Cancel(_)) => Err(self.cancelled(&message)),
            Heard::Master(message) => Ok(message),
            Heard::Peer(message) => Err(self.out_of_place(&message)),
        }
    }

    pub(crate) fn send(&mut self, message: impl Into<PeerMessage>) -> Result<(), Ended> {
        let bytes = message.into().to_bytes();
        self.peer
            .send(&[bytes])
            .map_err(|_| failed("the peer disconnected", false, false))
    }

    /// What was read from the peer and belongs to channeld.
    pub(crate) fn unread(&mut self) -> Result<Vec<LongBytes>, Ended> {
        let messages = self
            .peer
            .drain()
            .map_err(|_| failed("the peer disconnected", false, false))?;
        Ok(messages.into_iter().map(LongBytes).collect())
    }

    /// Ends the opening because of what the peer sent, or of what we were asked.
    pub(crate) fn broken(&mut self, error: &ChannelError) -> Ended {
        self.give_up(&error.to_string())
    }

    /// BOLT 1 §Lightning Message Format: a message we know that can't be read closes the connection.
    fn unreadable(&mut self, error: &DecodeError) -> Ended {
        let reason = format!("message can't be read: {error}");
        let message = WarningMessage::new(self.channel_id, &reason);
        let _gone = self.peer.send(&[PeerMessage::from(message).to_bytes()]);
        failed(&reason, false, true)
    }

    /// Ends the opening and tells the peer.
    pub(crate) fn give_up(&mut self, reason: &str) -> Ended {
        // BOLT 1 §The `error` and `warning` Messages: an error with the temporary id ends the opening, and nothing else.
        let message = PeerMessage::from(ErrorMessage::new(self.channel_id, reason)).to_bytes();
        if self.channel_id != ChannelId::ALL {
            let _gone = self.peer.send(&[message]);
        }
        failed(reason, false, false)
    }

    pub(crate) fn out_of_place(&mut self, message: &PeerMessage) -> Ended {
        self.give_up(&format!("{} is out of place", message.name()))
    }

    /// lightningd said something while only the peer was to: that it wants no more, if all is well.
    fn cancelled(&mut self, message: &ToOpeningd) -> Ended {
        if let ToOpeningd::Cancel(cancel) = message {
            self.give_up(&cancel.reason)
        } else {
            self.confused(message)
        }
    }

    pub(crate) fn confused(&mut self, message: &ToOpeningd) -> Ended {
        let text = format!("lightningd sent {} out of turn", message.name());
        self.shell.log(LogLevel::Broken, text.as_str());
        self.give_up("internal error")
    }
}

fn failed(reason: &str, by_peer: bool, disconnect: bool) -> Ended {
    Ended::Failed(OpeningdFailed {
        reason: reason.to_owned(),
        by_peer,
        disconnect,
    })
}
