//! The machine of a channel after its opening.

use ln_types::{HtlcId, ShortChannelId};
use ln_wire::{ErrorMessage, PeerMessage, WarningMessage};

use crate::outbox::Outbox;
use crate::{Action, ChannelError, ChannelState, Env, Event, FundingPlace, PeerResponse, Removal};

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// There is none.
    Offline,
    /// We sent `channel_reestablish` and wait for the peer's.
    Reestablishing,
    /// Messages flow.
    Online,
}

/// What is forgotten with the connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// Offers sent and not yet committed to: the HTLC and the offer's number.
    pub(crate) offers: Vec<(HtlcId, u64)>,
    /// Resolutions that came while HTLCs could not be resolved.
    pub(crate) resolutions: Vec<(HtlcId, Removal)>,
    /// Whether the last `commitment_signed` of the peer changed nothing.
    pub(crate) empty_commitment: bool,
    /// Whether we sent `shutdown` on this connection.
    pub(crate) sent_shutdown: bool,
    /// Whether the peer sent `shutdown` on this connection.
    pub(crate) received_shutdown: bool,
    /// Whether we sent `announcement_signatures` on this connection.
    pub(crate) sent_announcement: bool,
    /// Whether the feerate has yet to be compared with what we want.
    pub(crate) fee_due: bool,
    /// Whether the announcement was handed on.
    pub(crate) announced: bool,
    /// How many more `commitment_signed` we may send; nothing means as many as we like. For tests of what happens without.
    pub(crate) commits_left: Option<u32>,
    /// Whether the channel was handed over to the closing negotiation.
    pub(crate) closing: bool,
}

/// A channel after its opening: normal operation, shutdown and reestablishment.
///
/// Holds the durable [`ChannelState`] and what is forgotten with the connection. [`Channel::step`] is the only way to change it.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(crate) state: ChannelState,
    pub(crate) link: Link,
    pub(crate) funding: FundingPlace,
    pub(crate) local_alias: Option<ShortChannelId>,
    pub(crate) session: Session,
}

impl Channel {
    /// A channel as last made durable, without a connection. `local_alias` is what `channel_ready` tells the peer.
    pub fn new(mut state: ChannelState, local_alias: Option<ShortChannelId>) -> Self {
        // It may have been made durable with updates that nobody committed to: those went with the connection.
        state.commitments = state.commitments.disconnect();
        Self {
            state,
            link: Link::Offline,
            funding: FundingPlace::default(),
            local_alias,
            session: Session::default(),
        }
    }

    /// Stops sending `commitment_signed` after this many, until the next connection (`dev-disable-commit-after`).
    pub fn limit_commits(&mut self, commits: u32) {
        self.session.commits_left = Some(commits);
    }

    /// Sends `commitment_signed` again whenever it is due: from the next event on (`dev-reenable-commit`).
    pub fn allow_commits(&mut self) {
        self.session.commits_left = None;
    }

    /// What is durable: encode it at every [`Action::Persist`].
    pub fn state(&self) -> &ChannelState {
        &self.state
    }

    /// Where the connection stands.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Takes an event and says what to do about it. An error changes nothing: [`Channel::respond`] says what the peer gets to hear.
    pub fn step(&mut self, event: Event, env: &Env<'_>) -> Result<Vec<Action>, ChannelError> {
        let mut next = self.clone();
        let mut out = Outbox::default();
        next.on_event(event, env, &mut out)?;
        next.follow_up(env, &mut out)?;
        *self = next;
        Ok(out.into_actions())
    }

    fn on_event(
        &mut self,
        event: Event,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        match event {
            Event::Message(message) => self.on_message(*message, env, out),
            Event::OfferHtlc(offer) => self.offer_htlc(&offer, env, out),
            Event::ResolveHtlc { id, removal } => self.resolve_htlc(id, removal, out),
            Event::Block(place) => {
                self.funding = place;
                Ok(())
            }
            Event::Feerates => {
                self.session.fee_due = true;
                Ok(())
            }
            Event::Shutdown { script } => self.want_shutdown(script, env, out),
            Event::LinkUp { first } => self.link_up(first, env, out),
            Event::LinkDown => {
                self.link_down(out);
                Ok(())
            }
        }
    }

    fn on_message(
        &mut self,
        message: PeerMessage,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        self.check_channel_id(&message)?;
        match (self.link, &message) {
            (
                _,
                PeerMessage::Error(_) | PeerMessage::Warning(_) | PeerMessage::ChannelUpdate(_),
            )
            | (Link::Reestablishing, PeerMessage::ChannelReestablish(_)) => {}
            (Link::Online, PeerMessage::ChannelReestablish(_)) => {
                return Err(ChannelError::OutOfPlace {
                    message: "channel_reestablish",
                    why: "the channel is established",
                });
            }
            (Link::Offline, _) => return Err(ChannelError::Offline),
            (Link::Reestablishing, other) => {
                return Err(ChannelError::OutOfPlace {
                    message: other.name(),
                    why: "channel_reestablish comes first",
                });
            }
            (Link::Online, _) => {}
        }
        self.dispatch(message, env, out)
    }

    /// What an event makes due besides its own effect.
    fn follow_up(&mut self, env: &Env<'_>, out: &mut Outbox) -> Result<(), ChannelError> {
        if self.link != Link::Online || self.state.lost_state {
            return Ok(());
        }
        self.maybe_send_ready(env, out)?;
        self.maybe_announce(env, out)?;
        self.apply_resolutions(out);
        self.maybe_update_fee(env, out);
        self.maybe_commit(env, out)?;
        self.maybe_send_shutdown(out);
        self.maybe_complete_shutdown(out);
        Ok(())
    }

    /// What to do when the peer's message caused an error.
    pub fn respond(&self, error: &ChannelError) -> Vec<Action> {
        let channel_id = self.state.params.channel_id;
        let warning = || {
            let text = error.to_string();
            Action::Send(WarningMessage::new(channel_id, &text).into())
        };
        let fail = Action::FailChannel {
            error: error.clone(),
            broadcast: !self.state.lost_state,
        };
        match error.response() {
            PeerResponse::Ignore => Vec::new(),
            PeerResponse::Warn => vec![warning()],
            PeerResponse::WarnAndDisconnect => vec![warning(), Action::Disconnect],
            PeerResponse::FailChannel => {
                let text = error.to_string();
                let message = ErrorMessage::new(channel_id, &text).into();
                vec![Action::Send(message), fail]
            }
            PeerResponse::CloseUnilaterally => vec![fail],
        }
    }

    fn check_channel_id(&self, message: &PeerMessage) -> Result<(), ChannelError> {
        use ln_types::ChannelId;
        let expected = self.state.params.channel_id;
        match message.channel_id() {
            None => Ok(()),
            Some(id) if id == expected => Ok(()),
            // BOLT 1 §The `error` and `warning` Messages: zero means every channel.
            Some(ChannelId::ALL)
                if matches!(message, PeerMessage::Error(_) | PeerMessage::Warning(_)) =>
            {
                Ok(())
            }
            Some(got) => Err(ChannelError::WrongChannel { expected, got }),
        }
    }

    fn link_up(
        &mut self,
        first: bool,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.link != Link::Offline {
            self.link_down(out);
        }
        if first {
            self.link = Link::Online;
            self.session.fee_due = true;
            out.push(Action::Reestablished);
            return Ok(());
        }
        self.link = Link::Reestablishing;
        out.send(self.channel_reestablish(env)?);
        Ok(())
    }

    /// BOLT 2 §Message Retransmission: updates nobody committed to are reversed, ours as well as the peer's.
    fn link_down(&mut self, out: &mut Outbox) {
        for (_, request) in std::mem::take(&mut self.session.offers) {
            out.push(Action::OfferRefused {
                request,
                error: ChannelError::Offline,
            });
        }
        let resolutions = std::mem::take(&mut self.session.resolutions);
        self.state.commitments = self.state.commitments.disconnect();
        self.link = Link::Offline;
        self.session = Session {
            resolutions,
            announced: self.session.announced,
            ..Session::default()
        };
    }
}
