//! `shutdown`.

use bitcoin::{Script, ScriptBuf};
use ln_types::{FeatureBit, Features};
use ln_wire::{Shutdown, ShutdownTlvs};

use crate::outbox::Outbox;
use crate::{Action, Channel, ChannelError, Env, Notice};

/// What the two sides' features allow as script of a mutual close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownScripts {
    /// `option_shutdown_anysegwit` is negotiated.
    pub any_segwit: bool,
    /// `option_simple_close` is negotiated.
    pub op_return: bool,
}

impl ShutdownScripts {
    /// As negotiated.
    pub fn negotiated(env: &Env<'_>) -> Self {
        Self::of_features(env.our_features, env.their_features)
    }

    /// As two sides' features allow.
    pub fn of_features(ours: &Features, theirs: &Features) -> Self {
        let both = |feature| ours.supports(feature) && theirs.supports(feature);
        Self {
            any_segwit: both(FeatureBit::ShutdownAnysegwit),
            op_return: both(FeatureBit::SimpleClose),
        }
    }

    /// Whether a script may be sent in `shutdown` or as `upfront_shutdown_script`.
    // BOLT 2 §Closing Initiation: `shutdown`: version 0 witness programs of 20 or 32 bytes, with anysegwit versions 1 to 16 of 2 to 40 bytes, with
    // simple_close OP_RETURN with one push of 6 to 80 bytes.
    pub fn allows(self, script: &Script) -> bool {
        match script.as_bytes() {
            [0x00, 20, program @ ..] => program.len() == 20,
            [0x00, 32, program @ ..] => program.len() == 32,
            [0x51..=0x60, length @ 2..=40, program @ ..] => {
                self.any_segwit && program.len() == usize::from(*length)
            }
            [0x6a, length @ 6..=75, data @ ..] => {
                self.op_return && data.len() == usize::from(*length)
            }
            [0x6a, 76, length @ 76..=80, data @ ..] => {
                self.op_return && data.len() == usize::from(*length)
            }
            _ => false,
        }
    }
}

impl Channel {
    /// We are asked to close the channel. Asking again changes nothing.
    pub(crate) fn want_shutdown(
        &mut self,
        script: ScriptBuf,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.state.shutdown.local.is_some() {
            return Ok(());
        }
        // BOLT 2 §Closing Initiation: `shutdown`: the script fixed at opening, if one was.
        let fixed = &self.state.params.sides.local.upfront_shutdown_script;
        let script = fixed.clone().unwrap_or(script);
        if !ShutdownScripts::negotiated(env).allows(&script) {
            return Err(ChannelError::BadShutdownScript);
        }
        self.state.shutdown.local = Some(script);
        out.notice(Notice::ShuttingDown(self.state.shutdown.clone()));
        Ok(())
    }

    pub(crate) fn on_shutdown(
        &mut self,
        message: &Shutdown,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        let state = &mut self.state;
        let script = &message.scriptpubkey;
        if !ShutdownScripts::negotiated(env).allows(script) {
            return Err(ChannelError::BadShutdownScript);
        }
        // BOLT 2 §Closing Initiation: `shutdown`: a script fixed at opening must be kept. One told on an earlier connection is kept too:
        // CLN and others refuse to change it.
        let fixed = &state.params.sides.remote.upfront_shutdown_script;
        let told = [fixed, &state.shutdown.remote];
        if told.into_iter().flatten().any(|told| told != script) {
            return Err(ChannelError::ShutdownScriptChanged);
        }
        // BOLT 2 §Closing Initiation: `shutdown`: not twice.
        if self.session.received_shutdown {
            return Err(ChannelError::OutOfPlace {
                message: "shutdown",
                why: "it was sent before",
            });
        }
        self.session.received_shutdown = true;
        if state.shutdown.remote.is_none() {
            state.shutdown.remote = Some(script.clone());
            out.notice(Notice::ShuttingDown(state.shutdown.clone()));
        }
        Ok(())
    }

    /// Sends `shutdown` as soon as that is allowed.
    // BOLT 2 §Closing Initiation: `shutdown`: not while updates we sent wait for our commitment_signed.
    pub(crate) fn maybe_send_shutdown(&mut self, out: &mut Outbox) {
        let Some(script) = &self.state.shutdown.local else {
            return;
        };
        if self.session.sent_shutdown || self.state.commitments.has_unsigned_sent() {
            return;
        }
        out.send_durable(Shutdown {
            channel_id: self.state.params.channel_id,
            scriptpubkey: script.clone(),
            tlvs: ShutdownTlvs::default(),
        });
        self.session.sent_shutdown = true;
    }

    /// Hands the channel over once both sides sent `shutdown` and nothing is in flight.
    // BOLT 2 §Legacy Closing Negotiation: `closing_signed`: begins when no HTLC, no revocation and no update is outstanding.
    pub(crate) fn maybe_complete_shutdown(&mut self, out: &mut Outbox) {
        let session = &self.session;
        let both = session.sent_shutdown && session.received_shutdown;
        if both && !session.closing && self.state.commitments.is_quiet() {
            self.session.closing = true;
            out.push_durable(Action::ShutdownComplete);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(head: &[u8], length: usize) -> ScriptBuf {
        let tail = vec![7; length];
        ScriptBuf::from_bytes([head, &tail].concat())
    }

    #[test]
    fn only_standard_scripts_are_allowed() {
        let old = ShutdownScripts {
            any_segwit: false,
            op_return: false,
        };
        let new = ShutdownScripts {
            any_segwit: true,
            op_return: true,
        };
        for (head, length) in [(vec![0, 20], 20), (vec![0, 32], 32)] {
            assert!(old.allows(&script(&head, length)));
            assert!(!old.allows(&script(&head, length - 1)));
            assert!(!old.allows(&script(&head, length + 1)));
        }
        for (head, length) in [
            (vec![0x51, 32], 32),
            (vec![0x60, 2], 2),
            (vec![0x60, 40], 40),
            (vec![0x6a, 6], 6),
            (vec![0x6a, 75], 75),
            (vec![0x6a, 76, 80], 80),
        ] {
            assert!(new.allows(&script(&head, length)));
            assert!(!old.allows(&script(&head, length)));
        }
        for (head, length) in [
            (vec![], 0),
            (vec![0, 21], 21),
            (vec![0x51, 1], 1),
            (vec![0x51, 41], 41),
            (vec![0x6a, 5], 5),
            (vec![0x6a, 76, 75], 75),
            (vec![0x6a, 76, 81], 81),
            (vec![0x76, 0xa9, 20], 22),
        ] {
            assert!(!new.allows(&script(&head, length)), "{head:?}");
        }
    }
}
