//! Which message goes where.

use ln_wire::PeerMessage;

use crate::outbox::Outbox;
use crate::{Action, Channel, ChannelError, Env};

impl Channel {
    /// One line per message.
    pub(crate) fn dispatch(
        &mut self,
        message: PeerMessage,
        env: &Env<'_>,
        out: &mut Outbox,
    ) -> Result<(), ChannelError> {
        use PeerMessage as M;
        match message {
            M::Error(error) => return Err(ChannelError::PeerError { text: error.text() }),
            M::Warning(warning) => out.log(format!("peer warns: {}", warning.text())),
            M::ChannelReady(ready) => self.on_channel_ready(&ready, out),
            M::Shutdown(shutdown) => self.on_shutdown(&shutdown, env, out)?,
            M::UpdateAddHtlc(add) => self.on_update_add_htlc(&add, env)?,
            M::UpdateFulfillHtlc(fulfill) => self.on_update_fulfill_htlc(&fulfill, out)?,
            M::UpdateFailHtlc(fail) => self.on_update_fail_htlc(&fail)?,
            M::UpdateFailMalformedHtlc(fail) => self.on_update_fail_malformed_htlc(&fail)?,
            M::UpdateFee(fee) => self.on_update_fee(&fee, env)?,
            M::CommitmentSigned(commit) => self.on_commitment_signed(&commit, env, out)?,
            M::RevokeAndAck(revoke) => self.on_revoke_and_ack(&revoke, env, out)?,
            M::ChannelReestablish(theirs) => self.on_channel_reestablish(&theirs, env, out)?,
            M::AnnouncementSignatures(theirs) => {
                self.on_announcement_signatures(&theirs, env, out)?;
            }
            M::ChannelUpdate(update) => out.push(Action::ChannelUpdate(Box::new(update))),
            // BOLT 2 §Batching channel messages: a batch of one funding transaction's commitment_signed is that message.
            M::StartBatch(_) => {}
            other @ (M::Stfu(_)
            | M::SpliceInit(_)
            | M::SpliceAck(_)
            | M::SpliceLocked(_)
            | M::TxAddInput(_)
            | M::TxAddOutput(_)
            | M::TxRemoveInput(_)
            | M::TxRemoveOutput(_)
            | M::TxComplete(_)
            | M::TxSignatures(_)
            | M::TxInitRbf(_)
            | M::TxAckRbf(_)
            | M::TxAbort(_)
            | M::UpdateBlockheight(_)
            | M::PeerStorage(_)
            | M::PeerStorageRetrieval(_)
            | M::Init(_)
            | M::Ping(_)
            | M::Pong(_)
            | M::OpenChannel(_)
            | M::AcceptChannel(_)
            | M::FundingCreated(_)
            | M::FundingSigned(_)
            | M::ClosingSigned(_)
            | M::ClosingComplete(_)
            | M::ClosingSig(_)
            | M::OpenChannel2(_)
            | M::AcceptChannel2(_)
            | M::ChannelAnnouncement(_)
            | M::NodeAnnouncement(_)
            | M::QueryShortChannelIds(_)
            | M::ReplyShortChannelIdsEnd(_)
            | M::QueryChannelRange(_)
            | M::ReplyChannelRange(_)
            | M::GossipTimestampFilter(_)
            | M::OnionMessage(_)) => return Err(refused(&other)),
        }
        Ok(())
    }
}

/// A message that has no place in an open channel, or belongs to a feature we do not have.
fn refused(message: &PeerMessage) -> ChannelError {
    use PeerMessage as M;
    let opens_or_closes = matches!(
        message,
        M::OpenChannel(_)
            | M::AcceptChannel(_)
            | M::FundingCreated(_)
            | M::FundingSigned(_)
            | M::ClosingSigned(_)
    );
    let message = message.name();
    if opens_or_closes {
        let why = "the channel is open";
        ChannelError::OutOfPlace { message, why }
    } else {
        ChannelError::Unsupported { message }
    }
}
