//! HTLCs, feerates and the dance: the messages and commands of normal operation.

use ln_codec::Decode as _;
use ln_types::{HtlcId, Side};
use ln_wire::{
    CommitmentSigned, OnionPacketBytes, PeerMessage, RevokeAndAck, UpdateAddHtlc,
    UpdateAddHtlcTlvs, UpdateFailHtlc, UpdateFailHtlcTlvs, UpdateFailMalformedHtlc, UpdateFee,
    UpdateFulfillHtlc, UpdateFulfillHtlcTlvs,
};

use crate::outbox::Outbox;
use crate::{Action, Channel, ChannelError, Env, Htlc, Link, Notice, Offer, Removal};

impl Channel {
    /// Fails for updates before both sides sent `channel_ready`.
    fn check_ready(&self, message: &'static str) -> Result<(), ChannelError> {
        if self.state.ready.local && self.state.ready.remote {
            return Ok(());
        }
        Err(ChannelError::OutOfPlace {
            message,
            why: "channel_ready comes first",
        })
    }

    pub(crate) fn on_update_add_htlc(
        &mut self,
        add: &UpdateAddHtlc,
        env: &Env<'_>,
    ) -> Result<(), ChannelError> {
        self.check_ready("update_add_htlc")?;
        // BOLT 2 §Closing Initiation: `shutdown`: no update_add_htlc after one's own shutdown.
        if self.state.shutdown.remote.is_some() {
            return Err(ChannelError::OutOfPlace {
                message: "update_add_htlc",
                why: "the sender sent shutdown before",
            });
        }
        let state = &mut self.state;
        state.commitments = state.commitments.receive_add(add, &state.params, env)?;
        Ok(())
    }

    pub(crate) fn on_update_fulfill_htlc(
        &mut self,
        fulfill: &UpdateFulfillHtlc,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        self.check_ready("update_fulfill_htlc")?;
        self.state.commitments = self.state.commitments.receive_fulfill(fulfill)?;
        // The preimage is worth money at once, whatever becomes of this update.
        out.push(Action::Forward(Notice::Fulfilled {
            id: fulfill.id,
            preimage: fulfill.payment_preimage,
            attribution_data: fulfill.tlvs.attribution_data.clone(),
        }));
        Ok(())
    }

    pub(crate) fn on_update_fail_htlc(
        &mut self,
        fail: &UpdateFailHtlc,
    ) -> Result<(), ChannelError> {
        self.check_ready("update_fail_htlc")?;
        self.state.commitments = self.state.commitments.receive_fail(fail)?;
        Ok(())
    }

    pub(crate) fn on_update_fail_malformed_htlc(
        &mut self,
        fail: &UpdateFailMalformedHtlc,
    ) -> Result<(), ChannelError> {
        self.check_ready("update_fail_malformed_htlc")?;
        self.state.commitments = self.state.commitments.receive_fail_malformed(fail)?;
        Ok(())
    }

    pub(crate) fn on_update_fee(
        &mut self,
        fee: &UpdateFee,
        env: &Env<'_>,
    ) -> Result<(), ChannelError> {
        self.check_ready("update_fee")?;
        let state = &mut self.state;
        state.commitments = state.commitments.receive_fee(fee, &state.params, env)?;
        Ok(())
    }

    pub(crate) fn on_commitment_signed(
        &mut self,
        message: &CommitmentSigned,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        self.check_ready("commitment_signed")?;
        let state = &mut self.state;
        // BOLT 2 §Committing Updates So Far: `commitment_signed`: not without any update; some nodes slip once, none does twice in a row.
        let empty = !state.commitments.has_pending_for(Side::Local);
        if empty && self.session.empty_commitment {
            return Err(ChannelError::EmptyCommitment);
        }
        self.session.empty_commitment = empty;
        let notices = &mut out.notices;
        let (next, revoke) =
            state
                .commitments
                .receive_commit(message, &state.params, env, notices)?;
        state.commitments = next;
        out.send_durable(revoke);
        Ok(())
    }

    pub(crate) fn on_revoke_and_ack(
        &mut self,
        message: &RevokeAndAck,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        let commitments = &self.state.commitments;
        self.state.commitments = commitments.receive_revoke(message, env, &mut out.notices)?;
        out.persist();
        Ok(())
    }

    /// We are asked to offer an HTLC.
    pub(crate) fn offer_htlc(
        &mut self,
        offer: &Offer,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.link != Link::Online || self.state.lost_state {
            return Err(ChannelError::Offline);
        }
        let state = &mut self.state;
        // BOLT 2 §Closing Initiation: `shutdown`: none after our own, and the peer would have no use for one after its own.
        if state.shutdown.local.is_some() || state.shutdown.remote.is_some() {
            return Err(ChannelError::ShuttingDown);
        }
        if !state.ready.local || !state.ready.remote {
            return Err(ChannelError::NotReady);
        }
        let (next, id) = state.commitments.send_add(offer, &state.params, env)?;
        state.commitments = next;
        self.session.offers.push((id, offer.request));
        if let Some(htlc) = self.state.commitments.htlcs.get(Side::Local, id) {
            out.send(self.update_add_htlc(htlc));
        }
        Ok(())
    }

    /// We are asked to resolve an HTLC of the peer's. Kept for later while that is not possible.
    pub(crate) fn resolve_htlc(
        &mut self,
        id: HtlcId,
        removal: Removal,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.link == Link::Online {
            return self.resolve_now(id, removal, out);
        }
        self.session.resolutions.retain(|(other, _)| *other != id);
        self.session.resolutions.push((id, removal));
        Ok(())
    }

    fn resolve_now(
        &mut self,
        id: HtlcId,
        removal: Removal,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        let commitments = &self.state.commitments;
        match commitments.send_removal(id, removal) {
            Ok(next) => self.state.commitments = next,
            // Said before: it is on its way out, or gone.
            Err(ChannelError::HtlcAlreadyResolved { .. }) => return Ok(()),
            Err(ChannelError::UnknownHtlc { id }) if id < commitments.next_htlc_id.remote => {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if let Some(htlc) = self.state.commitments.htlcs.get(Side::Remote, id)
            && let Some(message) = self.update_remove(htlc)
        {
            out.send(message);
        }
        Ok(())
    }

    /// Resolutions that had to wait.
    pub(crate) fn apply_resolutions(&mut self, out: &mut Outbox) {
        for (id, removal) in std::mem::take(&mut self.session.resolutions) {
            if let Err(error) = self.resolve_now(id, removal, out) {
                out.log(format!("htlc {id} can't be resolved: {error}"));
            }
        }
    }

    /// As opener, sets the feerate we want.
    pub(crate) fn maybe_update_fee(&mut self, env: &Env<'_>, out: &mut Outbox) {
        let state = &mut self.state;
        let ready = state.ready.local && state.ready.remote;
        let closing = state.shutdown.local.is_some() || state.shutdown.remote.is_some();
        // One change at a time, and none when there is nothing left to pay for.
        let due = self.session.fee_due;
        if !due || !ready || closing || state.commitments.feerates.updates().len() > 1 {
            return;
        }
        self.session.fee_due = false;
        let wanted = env.feerates.desired;
        if let Some((next, feerate)) = state.commitments.send_fee(wanted, &state.params) {
            state.commitments = next;
            out.send(UpdateFee {
                channel_id: state.params.channel_id,
                feerate_per_kw: feerate,
            });
        }
    }

    /// Signs the peer's next commitment when something is pending and the last one is acknowledged: at once when idle, otherwise all
    /// that has gathered meanwhile.
    pub(crate) fn maybe_commit(
        &mut self,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        let state = &mut self.state;
        let commitments = &state.commitments;
        if commitments.awaits_revoke() || !commitments.has_pending_for(Side::Remote) {
            return Ok(());
        }
        match &mut self.session.commits_left {
            Some(0) => return Ok(()),
            Some(left) => *left = left.saturating_sub(1),
            None => {}
        }
        let (next, message) = commitments.sign_next(&state.params, env, &mut out.notices)?;
        state.commitments = next;
        for (id, request) in std::mem::take(&mut self.session.offers) {
            out.notice(Notice::Offered { id, request });
        }
        out.send_durable(message);
        Ok(())
    }

    /// The message that offers an HTLC of ours.
    pub(crate) fn update_add_htlc(&self, htlc: &Htlc) -> PeerMessage {
        let onion = htlc.onion.as_ref().map_or([0; 1366], |onion| *onion.0);
        UpdateAddHtlc {
            channel_id: self.state.params.channel_id,
            id: htlc.id,
            amount_msat: htlc.amount,
            payment_hash: htlc.payment_hash,
            cltv_expiry: htlc.cltv_expiry,
            onion_routing_packet: OnionPacketBytes(Box::new(onion)),
            tlvs: UpdateAddHtlcTlvs {
                blinded_path: htlc.path_key,
                ..UpdateAddHtlcTlvs::from_bytes(&htlc.extra_tlvs).unwrap_or_default()
            },
        }
        .into()
    }

    /// The message that resolves an HTLC of the peer's.
    pub(crate) fn update_remove(&self, htlc: &Htlc) -> Option<PeerMessage> {
        let channel_id = self.state.params.channel_id;
        let id = htlc.id;
        Some(match htlc.removal.clone()? {
            Removal::Fulfilled {
                preimage,
                attribution_data,
            } => UpdateFulfillHtlc {
                channel_id,
                id,
                payment_preimage: preimage,
                tlvs: UpdateFulfillHtlcTlvs { attribution_data },
            }
            .into(),
            Removal::Failed {
                reason,
                attribution_data,
            } => UpdateFailHtlc {
                channel_id,
                id,
                reason,
                tlvs: UpdateFailHtlcTlvs { attribution_data },
            }
            .into(),
            Removal::Malformed {
                sha256_of_onion,
                failure_code,
            } => UpdateFailMalformedHtlc {
                channel_id,
                id,
                sha256_of_onion,
                failure_code,
            }
            .into(),
        })
    }
}
