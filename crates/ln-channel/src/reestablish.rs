//! `channel_reestablish`: finding out what the peer got, and sending the rest again.

use ln_types::{CommitmentNumber, Side};
use ln_wire::{ChannelReestablish, ChannelReestablishTlvs, ErrorMessage, PeerMessage, UpdateFee};

use crate::commitments::LastSent;
use crate::outbox::Outbox;
use crate::{Action, Channel, ChannelError, Env, HtlcState, Link, signing};

/// Which messages of the dance the peer did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lost {
    commit: bool,
    revoke: bool,
}

impl Channel {
    /// Our side's numbers.
    // BOLT 2 §Message Retransmission: the next commitment and the next revocation we expect, and the last secret we received.
    pub(crate) fn channel_reestablish(
        &self,
        env: &Env<'_>,
    ) -> Result<ChannelReestablish, ChannelError> {
        let commitments = &self.state.commitments;
        let last_secret = commitments
            .remote_unrevoked()
            .previous()
            .and_then(|number| commitments.remote_secrets.secret(number));
        Ok(ChannelReestablish {
            channel_id: self.state.params.channel_id,
            next_commitment_number: commitments.local_number.next(),
            next_revocation_number: commitments.remote_unrevoked(),
            your_last_per_commitment_secret: last_secret.map_or([0; 32], |secret| secret.0),
            my_current_per_commitment_point: signing::point(env, commitments.local_number)?,
            tlvs: ChannelReestablishTlvs::default(),
        })
    }

    pub(crate) fn on_channel_reestablish(
        &mut self,
        message: &ChannelReestablish,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        if self.proves_lost_state(message, env)? {
            self.give_up(message.next_revocation_number, out);
            return Ok(());
        }
        let lost = Lost {
            revoke: self.lost_revoke(message)?,
            commit: self.lost_commit(message)?,
        };
        check_last_secret(message, env)?;
        self.link = Link::Online;
        self.session.fee_due = true;
        // BOLT 2 §Message Retransmission: channel_ready again when no commitment was signed on either side since.
        let commitments = &self.state.commitments;
        let fresh = commitments.local_number == CommitmentNumber::FIRST
            && message.next_commitment_number == CommitmentNumber(1);
        if fresh && self.state.ready.local {
            out.send(self.channel_ready(env)?);
        }
        for again in self.retransmit(lost, env)? {
            out.send(again);
        }
        out.push(Action::Reestablished);
        Ok(())
    }

    /// Whether the peer knows a secret of ours that we do not know to have told: our state is an old one.
    // BOLT 2 §Message Retransmission: next_revocation_number beyond what we sent, with the secret to prove it.
    fn proves_lost_state(
        &self,
        message: &ChannelReestablish,
        env: &Env<'_>,
    ) -> Result<bool, ChannelError> {
        let expected = self.state.commitments.local_number;
        let got = message.next_revocation_number;
        let (true, Some(number)) = (got > expected, got.previous()) else {
            return Ok(false);
        };
        if signing::is_our_secret(env, number, &message.your_last_per_commitment_secret)? {
            return Ok(true);
        }
        Err(ChannelError::BadNextRevocation { expected, got })
    }

    /// Never broadcasts anything again; asks the peer to close.
    fn give_up(&mut self, next_revocation: CommitmentNumber, out: &mut Outbox) {
        self.state.lost_state = true;
        let channel_id = self.state.params.channel_id;
        let text = "we lost state of this channel: please close it";
        out.send_durable(ErrorMessage::new(channel_id, text));
        out.push_durable(Action::FailChannel {
            error: ChannelError::BadNextRevocation {
                expected: self.state.commitments.local_number,
                got: next_revocation,
            },
            broadcast: false,
        });
    }

    /// Whether our last `revoke_and_ack` has to be sent again.
    fn lost_revoke(&self, message: &ChannelReestablish) -> Result<bool, ChannelError> {
        let expected = self.state.commitments.local_number;
        let got = message.next_revocation_number;
        if got == expected {
            Ok(false)
        } else if Some(got) == expected.previous() {
            Ok(true)
        } else {
            Err(ChannelError::BadNextRevocation { expected, got })
        }
    }

    /// Whether our last `commitment_signed` has to be sent again.
    fn lost_commit(&self, message: &ChannelReestablish) -> Result<bool, ChannelError> {
        let commitments = &self.state.commitments;
        let got = message.next_commitment_number;
        let expected = commitments.remote_number.next();
        // Zero never comes here: remote_number 0 was signed at opening, and nothing is awaited then.
        if got == expected {
            Ok(false)
        } else if got == commitments.remote_number && commitments.awaits_revoke() {
            Ok(true)
        } else {
            Err(ChannelError::BadNextCommitment { expected, got })
        }
    }

    /// The lost messages of the dance, with the updates they are about.
    // BOLT 2 §Message Retransmission: revoke_and_ack and commitment_signed in the order they were first sent in.
    fn retransmit(&self, lost: Lost, env: &Env<'_>) -> Result<Vec<PeerMessage>, ChannelError> {
        let commitments = &self.state.commitments;
        let mut messages = Vec::new();
        if lost.commit {
            messages.extend(self.signed_updates());
            let commit = commitments.sign_again(&self.state.params, env)?;
            messages.push(commit.into());
        }
        if lost.revoke {
            let revoke = commitments.revoke(&self.state.params, env)?.into();
            match commitments.last_sent {
                LastSent::Revoke => messages.push(revoke),
                LastSent::Commit => messages.insert(0, revoke),
            }
        }
        Ok(messages)
    }

    /// The updates of ours that our last `commitment_signed` was the first to contain: those that give room before those that take it, for
    /// the peer checks each of them.
    fn signed_updates(&self) -> Vec<PeerMessage> {
        let commitments = &self.state.commitments;
        let mut messages = Vec::new();
        for htlc in commitments.htlcs.offered_by(Side::Remote) {
            if htlc.state == HtlcState::SentRemoveCommit {
                messages.extend(self.update_remove(htlc));
            }
        }
        if let Some(feerate) = commitments.feerates.in_state(HtlcState::SentAddCommit) {
            messages.push(
                UpdateFee {
                    channel_id: self.state.params.channel_id,
                    feerate_per_kw: feerate,
                }
                .into(),
            );
        }
        for htlc in commitments.htlcs.offered_by(Side::Local) {
            if htlc.state == HtlcState::SentAddCommit {
                messages.push(self.update_add_htlc(htlc));
            }
        }
        messages
    }
}

// BOLT 2 §Message Retransmission: your_last_per_commitment_secret must be the one we sent last, as far as the peer got.
fn check_last_secret(message: &ChannelReestablish, env: &Env<'_>) -> Result<(), ChannelError> {
    let Some(number) = message.next_revocation_number.previous() else {
        return Ok(());
    };
    if signing::is_our_secret(env, number, &message.your_last_per_commitment_secret)? {
        return Ok(());
    }
    Err(ChannelError::BadLastSecret { number })
}
