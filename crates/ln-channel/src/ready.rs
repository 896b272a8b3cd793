//! `channel_ready`.

use ln_types::CommitmentNumber;
use ln_wire::{ChannelReady, ChannelReadyTlvs};

use crate::outbox::Outbox;
use crate::{Channel, ChannelError, Env, Notice, signing};

impl Channel {
    /// The message, with our alias.
    pub(crate) fn channel_ready(&self, env: &Env<'_>) -> Result<ChannelReady, ChannelError> {
        Ok(ChannelReady {
            channel_id: self.state.params.channel_id,
            // BOLT 2 §The `channel_ready` Message: the point of commitment 1.
            second_per_commitment_point: signing::point(env, CommitmentNumber(1))?,
            tlvs: ChannelReadyTlvs {
                short_channel_id: self.local_alias,
            },
        })
    }

    /// Sends `channel_ready` once the funding transaction is deep enough.
    // BOLT 2 §The `channel_ready` Message: the accepter waits for minimum_depth; as opener we wait for the same depth, since a peer that
    // has not seen the transaction could not use the channel anyway.
    pub(crate) fn maybe_send_ready(
        &mut self,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.state.ready.local || self.funding.depth < self.state.params.minimum_depth {
            return Ok(());
        }
        self.state.ready.local = true;
        if self.state.ready.remote {
            out.notice(Notice::Ready);
        }
        let message = self.channel_ready(env)?;
        out.send_durable(message);
        Ok(())
    }

    pub(crate) fn on_channel_ready(&mut self, message: &ChannelReady, out: &mut Outbox) {
        let state = &mut self.state;
        let alias = message.tlvs.short_channel_id;
        if state.ready.remote {
            // BOLT 2 §Message Retransmission: redundant ones are ignored, except that the alias may be new.
            if alias.is_some() && alias != state.remote_alias {
                state.remote_alias = alias;
                out.notice(Notice::RemoteReady(alias));
            }
            return;
        }
        state.ready.remote = true;
        state.remote_alias = alias;
        state.commitments.remote_next_point = Some(message.second_per_commitment_point);
        out.notice(Notice::RemoteReady(alias));
        if state.ready.local {
            out.notice(Notice::Ready);
        }
    }
}
