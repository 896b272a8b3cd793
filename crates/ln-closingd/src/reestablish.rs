//! `channel_reestablish` and `shutdown` once more, before the negotiation starts anew.

use ln_channel::{Action, BySide, Channel, Env, Event, FeerateBounds};
use ln_ipc::status::LogLevel;
use ln_types::{BlockHeight, Msat};

use crate::daemon::{Closingd, Ended};

impl Closingd {
    /// Runs the channel's own machine until it hands over again.
    pub(crate) fn reestablish(&mut self) -> Result<(), Ended> {
        let mut channel = Channel::new(self.state.clone(), None);
        let mut event = Event::LinkUp { first: false };
        loop {
            let actions = match channel.step(event, &self.env()) {
                Ok(actions) => actions,
                Err(error) => return Err(self.broken(&error)),
            };
            for action in actions {
                match action {
                    Action::Send(message) => self.send(message)?,
                    Action::ShutdownComplete => return Ok(()),
                    Action::FailChannel { error, .. } => return Err(self.broken(&error)),
                    Action::Log(line) => self.shell.log(LogLevel::Unusual, line),
                    // Nothing durable changes any more: the state is shut down and quiet.
                    Action::Persist(_)
                    | Action::Forward(_)
                    | Action::OfferRefused { .. }
                    | Action::Reestablished
                    | Action::Announce { .. }
                    | Action::ChannelUpdate(_)
                    | Action::Disconnect => {}
                }
            }
            event = Event::Message(Box::new(self.hear_from_peer()?));
        }
    }

    fn env(&self) -> Env<'_> {
        let feerate = self.state.feerate();
        Env {
            height: BlockHeight::default(),
            feerates: FeerateBounds {
                desired: feerate,
                min: feerate,
                max: feerate,
            },
            max_dust_exposure: Msat::ZERO,
            our_features: &self.init.our_features,
            their_features: &self.init.their_features,
            // Only announcements name them, and a channel that is shutting down is not announced.
            node_ids: BySide {
                local: self.init.peer_id,
                remote: self.init.peer_id,
            },
            chain_hash: self.init.network.chain_hash(),
            signer: &*self.signer,
        }
    }
}
