//! What the daemons of a channel ask.

use bitcoin::secp256k1::ecdsa;
use bitcoin::sighash::EcdsaSighashType;
use ln_ipc::hsmd::{
    BitcoinSignature, BitcoinTx, HsmdBasepoints, HsmdCannouncementSigReply,
    HsmdCannouncementSigReq, HsmdCheckFutureSecret, HsmdCheckFutureSecretReply,
    HsmdCupdateSigReply, HsmdCupdateSigReq, HsmdGetChannelBasepoints,
    HsmdGetChannelBasepointsReply, HsmdGetPerCommitmentPoint, HsmdGetPerCommitmentPointReply,
    HsmdRevokeCommitmentTx, HsmdRevokeCommitmentTxReply, HsmdSignAnyCannouncementReply,
    HsmdSignAnyCannouncementReq, HsmdSignCommitmentTx, HsmdSignCommitmentTxReply,
    HsmdSignMutualCloseTx, HsmdSignRemoteCommitmentTx, HsmdSignRemoteHtlcTx, HsmdSignSpliceTx,
    HsmdSignTxReply, HsmdValidateCommitmentTx, HsmdValidateCommitmentTxReply,
};
use ln_signer::{InputSpend, SignerError};
use ln_types::{CommitmentNumber, Sat};

use super::{Answer, Identity, Refusal};
use crate::hsm::Hsm;

/// What input `index` spends holds.
pub(super) fn spent_amount(tx: &BitcoinTx, index: usize) -> Result<Sat, SignerError> {
    let count = tx.tx.input.len();
    if index >= count {
        return Err(SignerError::NoSuchInput { index, count });
    }
    tx.spent_output(index)
        .map(|output| output.value.into())
        .ok_or(SignerError::UnknownSpent { index })
}

/// A reply with one signature.
pub(super) fn signed(signature: ecdsa::Signature, sighash: EcdsaSighashType) -> Answer {
    HsmdSignTxReply {
        sig: BitcoinSignature { signature, sighash },
    }
    .into()
}

/// For the client's own channel.
impl Identity {
    pub(super) fn check_future_secret(
        &self,
        request: &HsmdCheckFutureSecret,
    ) -> Result<Answer, Refusal> {
        let secret = self.channel()?.per_commitment_secret(request.n)?;
        // Every byte is looked at, so that time tells nothing about how many were right.
        let difference = secret
            .0
            .iter()
            .zip(request.commitment_secret.0)
            .fold(0, |difference, (ours, theirs)| difference | (ours ^ theirs));
        Ok(HsmdCheckFutureSecretReply {
            correct: difference == 0,
        }
        .into())
    }

    pub(super) fn validate_commitment_tx(
        &self,
        request: &HsmdValidateCommitmentTx,
    ) -> Result<Answer, Refusal> {
        Ok(HsmdValidateCommitmentTxReply {
            old_commitment_secret: None,
            next_per_commitment_point: self
                .channel()?
                .per_commitment_point(request.commit_num.next())?,
        }
        .into())
    }

    pub(super) fn revoke_commitment_tx(
        &self,
        request: &HsmdRevokeCommitmentTx,
    ) -> Result<Answer, Refusal> {
        let revocation = self.channel()?.revoke(request.commit_num)?;
        Ok(HsmdRevokeCommitmentTxReply {
            old_commitment_secret: revocation.secret,
            next_per_commitment_point: revocation.next_point,
        }
        .into())
    }

    pub(super) fn sign_remote_commitment_tx(
        &self,
        request: &HsmdSignRemoteCommitmentTx,
    ) -> Result<Answer, Refusal> {
        let amount = spent_amount(&request.tx, 0)?;
        let signature =
            self.channel()?
                .sign_commitment(&request.tx.tx, amount, &request.remote_funding_key)?;
        Ok(signed(signature, EcdsaSighashType::All))
    }

    pub(super) fn sign_remote_htlc_tx(
        &self,
        request: &HsmdSignRemoteHtlcTx,
    ) -> Result<Answer, Refusal> {
        let spend = InputSpend {
            tx: &request.tx.tx,
            index: 0,
            amount: spent_amount(&request.tx, 0)?,
            witness_script: &request.wscript,
        };
        let (signature, sighash) = self.channel()?.sign_remote_htlc_tx(
            &spend,
            &request.remote_per_commit_point,
            request.option_anchor_outputs,
        )?;
        Ok(signed(signature, sighash))
    }

    pub(super) fn sign_mutual_close_tx(
        &self,
        request: &HsmdSignMutualCloseTx,
    ) -> Result<Answer, Refusal> {
        let amount = spent_amount(&request.tx, 0)?;
        let signature = self.channel()?.sign_funding_spend(
            &request.tx.tx,
            0,
            amount,
            &request.remote_funding_key,
        )?;
        Ok(signed(signature, EcdsaSighashType::All))
    }

    pub(super) fn sign_splice_tx(&self, request: &HsmdSignSpliceTx) -> Result<Answer, Refusal> {
        let index = usize::try_from(request.input_index).unwrap_or(usize::MAX);
        let amount = spent_amount(&request.tx, index)?;
        let signature = self.channel()?.sign_funding_spend(
            &request.tx.tx,
            index,
            amount,
            &request.remote_funding_key,
        )?;
        Ok(signed(signature, EcdsaSighashType::All))
    }
}

impl Hsm {
    pub(super) fn channel_basepoints(&self, request: &HsmdGetChannelBasepoints) -> Answer {
        let channel = self.signer.channel(&request.peer_id, request.dbid);
        HsmdGetChannelBasepointsReply {
            basepoints: HsmdBasepoints::from(channel.basepoints()),
            funding_pubkey: channel.basepoints().funding,
        }
        .into()
    }

    pub(super) fn per_commitment_point(
        &self,
        client: &Identity,
        request: &HsmdGetPerCommitmentPoint,
    ) -> Result<Answer, Refusal> {
        let channel = client.channel()?;
        let two_before = request.n.previous().and_then(CommitmentNumber::previous);
        let old_commitment_secret = match two_before.filter(|_| self.gives_old_secrets()) {
            Some(number) => Some(channel.per_commitment_secret(number)?),
            None => None,
        };
        Ok(HsmdGetPerCommitmentPointReply {
            per_commitment_point: channel.per_commitment_point(request.n)?,
            old_commitment_secret,
        }
        .into())
    }

    pub(super) fn sign_commitment_tx(
        &self,
        request: &HsmdSignCommitmentTx,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let amount = spent_amount(&request.tx, 0)?;
        let signature =
            channel.sign_commitment(&request.tx.tx, amount, &request.remote_funding_key)?;
        Ok(HsmdSignCommitmentTxReply {
            sig: BitcoinSignature {
                signature,
                sighash: EcdsaSighashType::All,
            },
        }
        .into())
    }

    pub(super) fn sign_any_cannouncement(
        &self,
        request: &HsmdSignAnyCannouncementReq,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let signatures = self
            .signer
            .sign_channel_announcement(&channel, &request.ca)?;
        Ok(HsmdSignAnyCannouncementReply {
            node_signature: signatures.node,
            bitcoin_signature: signatures.bitcoin,
        }
        .into())
    }

    pub(super) fn cupdate_sig(&self, request: &HsmdCupdateSigReq) -> Result<Answer, Refusal> {
        Ok(HsmdCupdateSigReply {
            cu: self.signer.sign_channel_update(&request.cu)?,
        }
        .into())
    }

    pub(super) fn cannouncement_sig(
        &self,
        client: &Identity,
        request: &HsmdCannouncementSigReq,
    ) -> Result<Answer, Refusal> {
        let signatures = self
            .signer
            .sign_channel_announcement(client.channel()?, &request.ca)?;
        Ok(HsmdCannouncementSigReply {
            node_signature: signatures.node,
            bitcoin_signature: signatures.bitcoin,
        }
        .into())
    }
}
