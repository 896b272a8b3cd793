//! What lightningd says.

use ln_channel::{Action, Event};
use ln_ipc::FrameError;
use ln_ipc::channeld::{
    ChanneldOfferHtlc, ChanneldOfferHtlcReply, ChanneldResolveHtlc, FromChanneld, ToChanneld,
};
use ln_ipc::status::LogLevel;
use ln_wire::ErrorMessage;

use crate::convert;
use crate::daemon::{Channeld, End, env};
use crate::interpret::{TEMPORARY_CHANNEL_FAILURE, refusal};

impl Channeld {
    pub(crate) fn on_master(&mut self, message: ToChanneld) -> Result<Option<End>, FrameError> {
        match message {
            ToChanneld::Init(_) => self.shell.fail("a second init"),
            ToChanneld::Persisted(persisted) => {
                self.durable = self.durable.max(persisted.sequence);
            }
            ToChanneld::OfferHtlc(offer) => self.offer(&offer)?,
            ToChanneld::ResolveHtlc(resolve) => self.resolve(resolve)?,
            ToChanneld::Block(block) => {
                let place = convert::funding_place(&block);
                self.init.chain = block;
                self.step(Event::Block(place))?;
            }
            ToChanneld::Feerates(feerates) => {
                self.init.feerates = feerates;
                self.step(Event::Feerates)?;
            }
            ToChanneld::Shutdown(shutdown) => self.shut_down(shutdown.script)?,
            ToChanneld::SendError(error) => {
                let id = self.channel.state().params.channel_id;
                let message = ErrorMessage::new(id, &error.reason);
                self.perform(vec![Action::Send(message.into()), Action::Disconnect])?;
            }
            ToChanneld::DevReenableCommit(_) => {
                self.channel.allow_commits();
                // Whatever happens makes the machine look for what is to be committed.
                self.step(Event::Feerates)?;
            }
        }
        Ok(None)
    }

    fn offer(&mut self, offer: &ChanneldOfferHtlc) -> Result<(), FrameError> {
        let Some(event) = convert::offer(offer).map(Event::OfferHtlc) else {
            let reply = ChanneldOfferHtlcReply {
                request: offer.request,
                error: format!("the onion has {} bytes, not 1366", offer.onion.len()),
                failure_code: TEMPORARY_CHANNEL_FAILURE,
            };
            return self.shell.send(&FromChanneld::from(reply));
        };
        let Self {
            channel,
            init,
            signer,
            ..
        } = self;
        match channel.step(event, &env(init, &**signer)) {
            Ok(actions) => self.perform(actions),
            Err(error) => {
                let reply = refusal(offer.request, &error);
                self.shell.send(&FromChanneld::from(reply))
            }
        }
    }

    /// A resolution that can't be: lightningd and the machine disagree about the HTLC, which the log must tell.
    fn resolve(&mut self, resolve: ChanneldResolveHtlc) -> Result<(), FrameError> {
        let event = Event::ResolveHtlc {
            id: resolve.id,
            removal: convert::removal(resolve.resolution),
        };
        self.step_or_log(event)
    }

    fn shut_down(&mut self, script: bitcoin::ScriptBuf) -> Result<(), FrameError> {
        self.step_or_log(Event::Shutdown { script })
    }

    fn step_or_log(&mut self, event: Event) -> Result<(), FrameError> {
        let Self {
            channel,
            init,
            signer,
            ..
        } = self;
        match channel.step(event, &env(init, &**signer)) {
            Ok(actions) => self.perform(actions),
            Err(error) => {
                self.shell.log(LogLevel::Broken, error.to_string());
                Ok(())
            }
        }
    }
}
