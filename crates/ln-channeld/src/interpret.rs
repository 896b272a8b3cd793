//! Carrying out the machine's actions.

use ln_channel::{Action, ChannelError, ErrorClass, Event, Notice};
use ln_codec::{Decode, DecodeError, Encode, LongBytes};
use ln_ipc::FrameError;
use ln_ipc::channeld::{
    ChannelEvent, ChanneldAnnouncementSignatures, ChanneldChannelUpdate, ChanneldFailed,
    ChanneldOfferHtlcReply, ChanneldPersist, ChanneldReestablished, ChanneldShutdownComplete,
    FromChanneld,
};
use ln_ipc::status::{LogLevel, Status, StatusPeerConnectionLost};
use ln_wire::{PeerMessage, WarningMessage};

use std::os::fd::AsFd;

use crate::daemon::{Channeld, End, Waiting};
use crate::{convert, onion_secrets::onion_secrets};

/// BOLT 4 §Failure Messages: `temporary_channel_failure`.
pub(crate) const TEMPORARY_CHANNEL_FAILURE: u16 = 0x1007;

impl Channeld {
    //~ Each action remembers the last state before it. lightningd says how far the disk has got, and what that covers goes out, in order. So the
    //~ machine never waits, and yet no word leaves before its state is durable. On to lightningd's side: `channels/persist.rs`.
    /// Takes the actions of one step: a state goes to lightningd at once, everything else waits for the states before it.
    pub(crate) fn perform(&mut self, actions: Vec<Action>) -> Result<(), FrameError> {
        for action in actions {
            match action {
                Action::Persist(notices) => self.persist(notices)?,
                Action::Forward(notice) => self.untold.push(notice),
                Action::ShutdownComplete
                | Action::Disconnect
                | Action::FailChannel { .. }
                | Action::Send(_)
                | Action::OfferRefused { .. }
                | Action::Reestablished
                | Action::Announce { .. }
                | Action::ChannelUpdate(_)
                | Action::Log(_) => {
                    self.closing |= matches!(
                        action,
                        Action::ShutdownComplete | Action::Disconnect | Action::FailChannel { .. }
                    );
                    let sequence = self.sequence;
                    self.waiting.push_back(Waiting { sequence, action });
                }
            }
        }
        Ok(())
    }

    /// Tells lightningd what it has not been told, with the state as it is now.
    pub(crate) fn tell(&mut self) -> Result<(), FrameError> {
        if self.untold.is_empty() {
            return Ok(());
        }
        self.persist(Vec::new())
    }

    fn persist(&mut self, news: Vec<Notice>) -> Result<(), FrameError> {
        let mut notices = std::mem::take(&mut self.untold);
        notices.extend(news);
        let secrets = match onion_secrets(&notices, &*self.signer) {
            Ok(secrets) => secrets,
            Err(error) => self.shell.fail(format!("hsmd: {error}")),
        };
        let mut secrets = secrets.into_iter();
        let events: Vec<ChannelEvent> = notices
            .into_iter()
            .map(|notice| convert::event(notice, &mut secrets))
            .collect();
        self.sequence = self.sequence.saturating_add(1);
        self.shell.send(&FromChanneld::from(ChanneldPersist {
            sequence: self.sequence,
            state: LongBytes(self.channel.state().to_bytes()),
            events,
        }))
    }

    /// Carries out what waits for nothing any more; messages in a row go out with one system call.
    pub(crate) fn carry_on(&mut self) -> Result<Option<End>, FrameError> {
        let mut messages = Vec::new();
        while let Some(waiting) = self.waiting.pop_front() {
            if waiting.sequence > self.durable {
                self.waiting.push_front(waiting);
                break;
            }
            if let Action::Send(message) = &waiting.action {
                messages.push(message.to_bytes());
                continue;
            }
            self.send_to_peer(&mut messages);
            if let Some(end) = self.act(waiting.action)? {
                return Ok(Some(end));
            }
        }
        self.send_to_peer(&mut messages);
        Ok(None)
    }

    /// A peer that does not take messages any more is noticed when we read from it.
    fn send_to_peer(&mut self, messages: &mut Vec<Vec<u8>>) {
        if !messages.is_empty() && self.peer.send(messages).is_err() {
            self.shell
                .log(LogLevel::Debug, "peer's connection is closed");
        }
        messages.clear();
    }

    fn act(&mut self, action: Action) -> Result<Option<End>, FrameError> {
        let message: FromChanneld = match action {
            // Both are taken care of by those who call us.
            Action::Send(_) | Action::Persist(_) | Action::Forward(_) => return Ok(None),
            Action::OfferRefused { request, error } => refusal(request, &error).into(),
            Action::Reestablished => ChanneldReestablished {}.into(),
            Action::Announce { scid, announcement } => {
                self.standing.announced = true;
                ChanneldAnnouncementSignatures {
                    scid,
                    announcement: PeerMessage::from(*announcement).to_bytes(),
                }
                .into()
            }
            Action::ChannelUpdate(update) => ChanneldChannelUpdate {
                message: PeerMessage::from(*update).to_bytes(),
            }
            .into(),
            Action::Log(line) => {
                self.shell.log(LogLevel::Unusual, line);
                return Ok(None);
            }
            Action::Disconnect => return self.peer_gone().map(Some),
            Action::ShutdownComplete => {
                let unread = self.peer.drain()?.into_iter().map(LongBytes).collect();
                let message = FromChanneld::from(ChanneldShutdownComplete { unread });
                self.shell.send_with_fds(&message, &[self.peer.as_fd()])?;
                return Ok(Some(End::Done));
            }
            Action::FailChannel { error, broadcast } => {
                self.failed(&error, true, broadcast)?;
                return Ok(Some(End::Done));
            }
        };
        self.shell.send(&message)?;
        Ok(None)
    }

    /// The peer said something.
    pub(crate) fn on_peer(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        match PeerMessage::from_bytes(bytes) {
            Ok(message) => self.step(Event::Message(Box::new(message))),
            Err(DecodeError::UnknownTag { tag, .. })
                if PeerMessage::peek_number(bytes)
                    .is_some_and(|number| u64::from(number) == tag && number % 2 == 1) =>
            {
                Ok(())
            }
            Err(error) => {
                // BOLT 1 §Lightning Message Format: a message we know that can't be read, or an unknown even one, closes the connection.
                let number = PeerMessage::peek_number(bytes).unwrap_or_default();
                let text = format!("message {number} can't be read: {error}");
                self.shell.log(LogLevel::Unusual, text.as_str());
                let id = self.channel.state().params.channel_id;
                self.perform(vec![
                    Action::Send(WarningMessage::new(id, &text).into()),
                    Action::Disconnect,
                ])
            }
        }
    }

    /// An event that the machine did not take.
    pub(crate) fn broken(&mut self, error: &ChannelError) -> Result<(), FrameError> {
        if let ChannelError::Signer(text) = error {
            self.shell.fail(format!("hsmd: {text}"));
        }
        let level = match error.class() {
            ErrorClass::Bug => LogLevel::Broken,
            ErrorClass::PeerViolation
            | ErrorClass::PeerIncompatible
            | ErrorClass::Refused
            | ErrorClass::Unavailable => LogLevel::Unusual,
        };
        self.shell.log(level, error.to_string());
        let actions = self.channel.respond(error);
        if actions.contains(&Action::Disconnect) {
            self.failed(error, false, false)?;
        }
        self.perform(actions)
    }

    fn failed(
        &mut self,
        error: &ChannelError,
        unilateral_close: bool,
        broadcast: bool,
    ) -> Result<(), FrameError> {
        // A preimage is needed on chain, too.
        self.tell()?;
        self.shell.send(&FromChanneld::from(ChanneldFailed {
            channel_id: self.channel.state().params.channel_id,
            reason: error.to_string(),
            by_peer: matches!(error, ChannelError::PeerError { .. }),
            unilateral_close,
            broadcast,
        }))
    }

    /// The connection is over: offers nobody committed to are lost.
    pub(crate) fn peer_gone(&mut self) -> Result<End, FrameError> {
        self.tell()?;
        let Self {
            channel,
            init,
            signer,
            ..
        } = self;
        let actions = channel.step(Event::LinkDown, &crate::daemon::env(init, &**signer));
        for action in actions.unwrap_or_default() {
            if let Action::OfferRefused { request, error } = action {
                let reply = refusal(request, &error);
                self.shell.send(&FromChanneld::from(reply))?;
            }
        }
        self.shell
            .send(&Status::from(StatusPeerConnectionLost {}))?;
        Ok(End::PeerGone)
    }
}

/// The answer to an offer that came to nothing.
pub(crate) fn refusal(request: u64, error: &ChannelError) -> ChanneldOfferHtlcReply {
    ChanneldOfferHtlcReply {
        request,
        error: error.to_string(),
        failure_code: TEMPORARY_CHANNEL_FAILURE,
    }
}
