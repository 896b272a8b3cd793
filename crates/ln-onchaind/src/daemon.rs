//! The loop.

use ln_channel::ChannelState;
use ln_codec::{Decode, Encode, LongBytes};
use ln_daemon::Shell;
use ln_ipc::FrameError;
use ln_ipc::onchaind::{
    FromOnchaind, OnchaindEventReply, OnchaindInit, OnchaindInitReply, OnchaindStarted, ToOnchaind,
};
use ln_ipc::status::LogLevel;
use ln_onchain::{Action, Env, Event, FundingSpend, Resolution, identify};
use ln_signer::Signer;

use crate::convert::{channel_of, htlcs_of};
use crate::describe::{action_lines, funding_lines};

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything is resolved for good.
    Resolved,
    /// lightningd wants no more of us before that.
    Abandoned,
}

/// Why the daemon cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnchaindError {
    /// lightningd is gone.
    #[error("lightningd is gone")]
    Master(#[from] FrameError),
    /// lightningd said something out of turn.
    #[error("{0} out of turn")]
    OutOfTurn(&'static str),
    /// An event that cannot be read.
    #[error("an event can't be read")]
    Event(#[from] ln_codec::DecodeError),
}

/// The daemon of one channel.
#[derive(Debug)]
pub struct Onchaind {
    shell: Shell,
    machine: Resolution,
    env: Env,
    resolved: bool,
}

impl Onchaind {
    /// Tells what the closing transaction is, learns the HTLCs, and begins.
    pub fn start(
        mut shell: Shell,
        signer: &dyn Signer,
        init: OnchaindInit,
        state: &ChannelState,
    ) -> Result<Self, OnchaindError> {
        let our_point = match signer.per_commitment_point(state.commitments.local_number) {
            Ok(point) => Some(point),
            Err(error) => {
                let text = format!("our own commitment can't be recognised: {error}");
                shell.log(LogLevel::Broken, text);
                None
            }
        };
        let channel = channel_of(state, our_point);
        let spend = identify(&channel, &init.tx);
        let txid = init.tx.compute_txid();
        let newest = spend.number() == Some(state.commitments.remote_number);
        for line in funding_lines(&spend, txid, newest) {
            shell.log(line.level, line.text);
        }
        shell.billboard(true, spend.billboard());
        shell.send(&FromOnchaind::from(OnchaindInitReply {
            commitment_number: spend.number(),
            revoked: matches!(
                spend,
                FundingSpend::TheirsRevoked { .. } | FundingSpend::OursRevoked { .. }
            ),
            text: spend.billboard().to_owned(),
        }))?;
        let told = match shell.recv()? {
            ToOnchaind::Htlcs(told) => told.htlcs,
            ToOnchaind::Init(_) => return Err(OnchaindError::OutOfTurn("init")),
            ToOnchaind::Event(_) => return Err(OnchaindError::OutOfTurn("event")),
        };
        let env = Env {
            tip: init.tip,
            reasonable_depth: init.reasonable_depth,
        };
        let htlcs = htlcs_of(state, &told);
        let (machine, actions) =
            Resolution::start(channel, spend, &init.tx, init.height, &htlcs, &env);
        let mut this = Self {
            shell,
            machine,
            env,
            resolved: false,
        };
        let actions = this.report(&actions);
        this.shell
            .send(&FromOnchaind::from(OnchaindStarted { actions }))?;
        Ok(this)
    }

    /// Serves lightningd until it closes the connection.
    pub fn serve(mut self) -> Result<End, OnchaindError> {
        loop {
            let event = match self.shell.recv() {
                Ok(ToOnchaind::Event(event)) => event,
                Ok(ToOnchaind::Init(_)) => return Err(OnchaindError::OutOfTurn("init")),
                Ok(ToOnchaind::Htlcs(_)) => return Err(OnchaindError::OutOfTurn("htlcs")),
                Err(FrameError::Closed) if self.resolved => return Ok(End::Resolved),
                Err(FrameError::Closed) => return Ok(End::Abandoned),
                Err(error) => return Err(error.into()),
            };
            self.env.tip = event.tip;
            let actions = self
                .machine
                .step(Event::from_bytes(&event.event.0)?, &self.env);
            let actions = self.report(&actions);
            self.shell
                .send(&FromOnchaind::from(OnchaindEventReply { actions }))?;
        }
    }

    /// Writes to the log what the actions mean, and encodes them.
    fn report(&mut self, actions: &[Action]) -> Vec<LongBytes> {
        let missing = actions
            .iter()
            .filter(|action| matches!(action, Action::HtlcMissing { .. }))
            .count();
        if missing > 0 {
            let text = format!("Sending {missing} missing htlc messages");
            self.shell.log(LogLevel::Debug, text);
        }
        for action in actions {
            for line in action_lines(action, self.env.reasonable_depth) {
                self.shell.log(line.level, line.text);
            }
            self.resolved |= matches!(action, Action::Forget);
        }
        self.shell
            .billboard(false, self.machine.summary(self.env.tip));
        actions
            .iter()
            .map(|action| LongBytes(action.to_bytes()))
            .collect()
    }
}
