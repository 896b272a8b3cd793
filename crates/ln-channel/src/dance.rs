//! `commitment_signed` and `revoke_and_ack`.

use ln_keys::PerCommitmentSecret;
use ln_tx::{CommitmentSignatures, CommitmentTx, SignatureError, Verified, build_commitment};
use ln_types::{CommitmentNumber, Side};
use ln_wire::{CommitmentSigned, CommitmentSignedTlvs, RevokeAndAck};

use bitcoin::secp256k1::PublicKey;

use crate::commitments::{LastSent, LocalSignatures};
use crate::{ChannelError, ChannelParams, CommitStep, Commitments, Env, Notice, Which, signing};

impl Commitments {
    /// A commitment of `holder`, not signed.
    pub(crate) fn build(
        &self,
        params: &ChannelParams,
        holder: Side,
        number: CommitmentNumber,
        point: &PublicKey,
    ) -> Result<CommitmentTx, ChannelError> {
        self.build_which(params, (holder, Which::Signed), number, point)
    }

    fn build_which(
        &self,
        params: &ChannelParams,
        (holder, which): (Side, Which),
        number: CommitmentNumber,
        point: &PublicKey,
    ) -> Result<CommitmentTx, ChannelError> {
        let view = self
            .reduce(params, holder, which)
            .ok_or(ChannelError::Overdrawn)?;
        build_commitment(&params.commitment_params(holder, point), &view.spec(number))
            .map_err(|_| ChannelError::Overdrawn)
    }

    /// The peer's oldest commitment that it has not revoked, [`Commitments::remote_txid`].
    pub fn unrevoked_commitment(
        &self,
        params: &ChannelParams,
    ) -> Result<CommitmentTx, ChannelError> {
        let (number, point) = (self.remote_unrevoked(), &self.remote_point);
        self.build_which(params, (Side::Remote, Which::Unrevoked), number, point)
    }

    /// Our newest commitment (number [`Commitments::local_number`], whose point is given), with the proof that the peer signed it:
    /// what may be broadcast.
    pub fn local_commitment(
        &self,
        params: &ChannelParams,
        point: &PublicKey,
    ) -> Result<Verified<CommitmentTx>, ChannelError> {
        let signatures = CommitmentSignatures {
            commitment: self.local_signatures.commitment,
            htlcs: self.local_signatures.htlcs.clone(),
        };
        self.build(params, Side::Local, self.local_number, point)?
            .verify(signatures)
            .map_err(|error| bad_signature(&error, self.local_number))
    }

    /// Signs the peer's next commitment, with all pending updates.
    // BOLT 2 §Committing Updates So Far: `commitment_signed`: not without any update, and one at a time.
    pub fn sign_next(
        &self,
        params: &ChannelParams,
        env: &Env<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<(Self, CommitmentSigned), ChannelError> {
        let point = self.remote_next_point.ok_or(ChannelError::NotReady)?;
        let mut next = self.clone();
        next.advance(CommitStep::SentCommit, notices);
        next.remote_number = self.remote_number.next();
        next.last_sent = LastSent::Commit;
        let commitment = next.build(params, Side::Remote, next.remote_number, &point)?;
        next.remote_next_txid = Some(commitment.txid());
        let message = commitment_signed(&commitment, params, env)?;
        Ok((next, message))
    }

    /// Signs the peer's newest commitment again, after a reconnection.
    pub fn sign_again(
        &self,
        params: &ChannelParams,
        env: &Env<'_>,
    ) -> Result<CommitmentSigned, ChannelError> {
        let point = self.remote_next_point.ok_or(ChannelError::NotReady)?;
        let commitment = self.build(params, Side::Remote, self.remote_number, &point)?;
        commitment_signed(&commitment, params, env)
    }

    /// The peer signed our next commitment: checks it, then revokes the one before.
    pub fn receive_commit(
        &self,
        message: &CommitmentSigned,
        params: &ChannelParams,
        env: &Env<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<(Self, RevokeAndAck), ChannelError> {
        // BOLT 2 §Committing Updates So Far: `commitment_signed`: a funding_txid must be that of this channel; there is no other while no
        // splice is pending.
        if let Some(got) = message.tlvs.funding_txid
            && got != params.funding.txid
        {
            return Err(ChannelError::WrongFundingTxid { got });
        }
        let mut next = self.clone();
        next.advance(CommitStep::RcvdCommit, notices);
        next.local_number = self.local_number.next();
        let point = match self.local_next_point {
            Some(point) => point,
            None => signing::point(env, next.local_number)?,
        };
        let signatures = CommitmentSignatures {
            commitment: message.signature,
            htlcs: message.htlc_signature.clone(),
        };
        let commitment = next
            .build(params, Side::Local, next.local_number, &point)?
            .verify(signatures)
            .map_err(|error| bad_signature(&error, next.local_number))?;
        env.signer
            .validate_commitment(&commitment)
            .map_err(signing::failed)?;
        next.local_signatures = LocalSignatures {
            commitment: message.signature,
            htlcs: message.htlc_signature.clone(),
        };
        next.local_point = Some(point);
        // BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`: we hold a better commitment now.
        next.advance(CommitStep::SentRevoke, notices);
        next.last_sent = LastSent::Revoke;
        let revoke = next.revoke(params, env)?;
        next.local_next_point = Some(revoke.next_per_commitment_point);
        Ok((next, revoke))
    }

    /// The `revoke_and_ack` for the commitment before our newest.
    pub fn revoke(
        &self,
        params: &ChannelParams,
        env: &Env<'_>,
    ) -> Result<RevokeAndAck, ChannelError> {
        let revoked = self
            .local_number
            .previous()
            .ok_or(ChannelError::UnexpectedRevoke)?;
        let revocation = env.signer.revoke(revoked).map_err(signing::failed)?;
        Ok(RevokeAndAck {
            channel_id: params.channel_id,
            per_commitment_secret: revocation.secret.0,
            next_per_commitment_point: revocation.next_point,
        })
    }

    /// The peer revoked its older commitment.
    pub fn receive_revoke(
        &self,
        message: &RevokeAndAck,
        env: &Env<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, ChannelError> {
        if !self.awaits_revoke() {
            return Err(ChannelError::UnexpectedRevoke);
        }
        let (Some(point), Some(txid)) = (self.remote_next_point, self.remote_next_txid) else {
            return Err(ChannelError::UnexpectedRevoke);
        };
        let number = self.remote_unrevoked();
        let secret = PerCommitmentSecret(message.per_commitment_secret);
        // BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`: the secret must be that of the commitment's point,
        // and of the same tree as all before.
        if secret.point() != Some(self.remote_point) {
            return Err(ChannelError::WrongSecret { number });
        }
        let mut next = self.clone();
        next.remote_secrets
            .insert(number, secret.clone())
            .map_err(|_| ChannelError::SecretOutOfChain { number })?;
        env.signer
            .validate_revocation(number, &secret)
            .map_err(signing::failed)?;
        notices.push(Notice::Revoked {
            number,
            txid: self.remote_txid,
        });
        next.remote_point = point;
        next.remote_txid = txid;
        next.remote_next_point = Some(message.next_per_commitment_point);
        next.remote_next_txid = None;
        next.advance(CommitStep::RcvdRevoke, notices);
        Ok(next)
    }
}

fn commitment_signed(
    commitment: &CommitmentTx,
    params: &ChannelParams,
    env: &Env<'_>,
) -> Result<CommitmentSigned, ChannelError> {
    let signatures = env
        .signer
        .sign_remote_commitment(commitment)
        .map_err(signing::failed)?;
    Ok(CommitmentSigned {
        channel_id: params.channel_id,
        signature: signatures.commitment,
        htlc_signature: signatures.htlcs,
        tlvs: CommitmentSignedTlvs {
            funding_txid: Some(params.funding.txid),
        },
    })
}

fn bad_signature(error: &SignatureError, number: CommitmentNumber) -> ChannelError {
    match *error {
        SignatureError::HtlcCount { expected, got } => {
            ChannelError::WrongSignatureCount { expected, got }
        }
        SignatureError::Htlc { index, .. } => ChannelError::BadHtlcSignature { number, index },
        SignatureError::Transaction { .. } => ChannelError::BadCommitmentSignature { number },
        // The enum may grow: whatever is wrong with the signatures, they are not good.
        _ => ChannelError::BadCommitmentSignature { number },
    }
}
