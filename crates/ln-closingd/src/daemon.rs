//! The negotiation.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use ln_channel::{
    ChannelError, ChannelState, Closing, ClosingAction, ClosingFeerates, PeerResponse,
};
use ln_codec::{Decode, DecodeError, Encode, LongBytes};
use ln_daemon::Shell;
use ln_ipc::closingd::{
    ClosingdComplete, ClosingdFailed, ClosingdInit, ClosingdOffer, FromClosingd, ToClosingd,
};
use ln_ipc::status::LogLevel;
use ln_ipc::{FrameError, PeerStream};
use ln_signer::Signer;
use ln_wire::{ErrorMessage, PeerMessage, WarningMessage};
use rustix::event::{PollFd, PollFlags, poll};

/// Why the daemon ends early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// The negotiation failed; lightningd is to be told.
    #[error("{}", .0.reason)]
    Failed(ClosingdFailed),
    /// lightningd is gone, or does not understand us.
    #[error("lightningd is gone")]
    Master(#[from] FrameError),
}

/// The daemon of one closing.
pub struct Closingd {
    pub(crate) shell: Shell,
    peer: PeerStream,
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) init: ClosingdInit,
    pub(crate) state: ChannelState,
    unread: VecDeque<Vec<u8>>,
}

impl std::fmt::Debug for Closingd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Closingd").finish_non_exhaustive()
    }
}

impl Closingd {
    /// A daemon as its first message describes it; `state` is what is in there, decoded.
    pub fn new(
        shell: Shell,
        peer: PeerStream,
        signer: Box<dyn Signer>,
        mut init: ClosingdInit,
        state: ChannelState,
    ) -> Self {
        let unread = std::mem::take(&mut init.unread);
        Self {
            shell,
            peer,
            signer,
            init,
            state,
            unread: unread.into_iter().map(|LongBytes(bytes)| bytes).collect(),
        }
    }

    /// Runs until both agree or the negotiation failed; of a failure lightningd and the peer are told.
    pub fn run(&mut self) -> Result<(), FrameError> {
        match self.negotiate() {
            Ok(()) => self.shell.send(&FromClosingd::from(ClosingdComplete {})),
            Err(Ended::Failed(failed)) => self.shell.send(&FromClosingd::from(failed)),
            Err(Ended::Master(error)) => Err(error),
        }
    }

    fn negotiate(&mut self) -> Result<(), Ended> {
        if self.init.reconnected {
            self.reestablish()?;
        }
        let feerates = ClosingFeerates {
            preferred: self.init.preferred_feerate,
            min: self.init.min_feerate,
            max: self.init.max_feerate,
        };
        let mut closing =
            Closing::new(self.state.clone(), &feerates).map_err(|error| self.broken(&error))?;
        let actions = closing.start(&*self.signer);
        self.perform(actions)?;
        while !closing.is_complete() {
            let message = self.hear_from_peer()?;
            let PeerMessage::ClosingSigned(message) = message else {
                return Err(self.broken(&ChannelError::OutOfPlace {
                    message: message.name(),
                    why: "the closing fee is being negotiated",
                }));
            };
            let actions = closing.on_closing_signed(&message, &*self.signer);
            self.perform(actions)?;
        }
        Ok(())
    }

    fn perform(&mut self, actions: Result<Vec<ClosingAction>, ChannelError>) -> Result<(), Ended> {
        for action in actions.map_err(|error| self.broken(&error))? {
            match action {
                ClosingAction::Offer { tx, fee } => {
                    let offer = ClosingdOffer { tx: *tx, fee };
                    self.shell.send(&FromClosingd::from(offer))?;
                    match self.shell.recv()? {
                        ToClosingd::OfferPersisted(_) => {}
                        other @ ToClosingd::Init(_) => {
                            self.shell
                                .fail(format!("{} instead of OfferPersisted", other.name()));
                        }
                    }
                }
                ClosingAction::Send(message) => self.send(message)?,
                ClosingAction::Complete => {}
            }
        }
        Ok(())
    }

    /// The next message of the peer's that means something here.
    pub(crate) fn hear_from_peer(&mut self) -> Result<PeerMessage, Ended> {
        loop {
            let bytes = self.read_peer()?;
            match PeerMessage::from_bytes(&bytes) {
                Ok(PeerMessage::Error(error)) => {
                    let error = ChannelError::PeerError { text: error.text() };
                    return Err(self.broken(&error));
                }
                Ok(PeerMessage::Warning(warning)) => {
                    let text = format!("peer warns: {}", warning.text());
                    self.shell.log(LogLevel::Info, text);
                }
                Ok(PeerMessage::ChannelUpdate(_)) => {}
                Ok(message) => return Ok(message),
                Err(DecodeError::UnknownTag { .. })
                    if PeerMessage::peek_number(&bytes).is_some_and(PeerMessage::may_ignore) => {}
                Err(_) => {
                    let error = ChannelError::OutOfPlace {
                        message: "a message that can't be read",
                        why: "the closing fee is being negotiated",
                    };
                    return Err(self.broken(&error));
                }
            }
        }
    }

    /// Waits for the peer's next message, or for the end of lightningd.
    fn read_peer(&mut self) -> Result<Vec<u8>, Ended> {
        if let Some(message) = self.unread.pop_front() {
            return Ok(message);
        }
        loop {
            if self.peer.has_message() {
                return self.peer.recv().map_err(|_| gone());
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
                // lightningd has nothing to say on its own: this is its end, or a misunderstanding.
                let message: ToClosingd = self.shell.recv()?;
                self.shell.fail(format!("{} out of turn", message.name()));
            }
            if peer {
                return self.peer.recv().map_err(|_| gone());
            }
        }
    }

    pub(crate) fn send(&mut self, message: impl Into<PeerMessage>) -> Result<(), Ended> {
        self.peer
            .send(&[message.into().to_bytes()])
            .map_err(|_| gone())
    }

    /// Tells the peer about an error as the error itself says.
    pub(crate) fn broken(&mut self, error: &ChannelError) -> Ended {
        if let ChannelError::Signer(text) = error {
            self.shell.fail(format!("hsmd: {text}"));
        }
        let id = self.state.params.channel_id;
        let text = error.to_string();
        let unilateral_close = match error.response() {
            PeerResponse::Ignore | PeerResponse::Warn | PeerResponse::WarnAndDisconnect => {
                let _ = self.send(WarningMessage::new(id, &text));
                false
            }
            PeerResponse::FailChannel => {
                let _ = self.send(ErrorMessage::new(id, &text));
                true
            }
            PeerResponse::CloseUnilaterally => true,
        };
        Ended::Failed(ClosingdFailed {
            reason: text,
            by_peer: matches!(error, ChannelError::PeerError { .. }),
            unilateral_close,
        })
    }
}

fn gone() -> Ended {
    Ended::Failed(ClosingdFailed {
        reason: "the peer disconnected".to_owned(),
        by_peer: false,
        unilateral_close: false,
    })
}
