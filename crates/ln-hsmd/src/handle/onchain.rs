//! Spends of a closed channel's outputs: asked by onchaind for its channel, or by lightningd for any.

use bitcoin::secp256k1::{PublicKey, SecretKey};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{Script, Transaction};
use ln_ipc::hsmd::{
    BitcoinTx, HsmdSignAnyDelayedPaymentToUs, HsmdSignAnyLocalHtlcTx, HsmdSignAnyPenaltyToUs,
    HsmdSignAnyRemoteHtlcToUs, HsmdSignDelayedPaymentToUs, HsmdSignPenaltyToUs,
    HsmdSignRemoteHtlcToUs,
};
use ln_signer::{ChannelSigner, InputSpend, SignerError};
use ln_types::CommitmentNumber;

use super::channel::{signed, spent_amount};
use super::{Answer, Identity, Refusal};
use crate::hsm::Hsm;

/// A spend as the signer takes it.
fn spend<'a>(
    tx: &'a BitcoinTx,
    input: u32,
    witness_script: &'a Script,
) -> Result<InputSpend<'a>, SignerError> {
    let index = usize::try_from(input).unwrap_or(usize::MAX);
    let transaction: &Transaction = &tx.tx;
    Ok(InputSpend {
        tx: transaction,
        index,
        amount: spent_amount(tx, index)?,
        witness_script,
    })
}

fn delayed(
    channel: &ChannelSigner,
    spend: &InputSpend<'_>,
    number: CommitmentNumber,
) -> Result<Answer, Refusal> {
    let signature = channel.sign_delayed_payment_to_us(spend, number)?;
    Ok(signed(signature, EcdsaSighashType::All))
}

fn remote_htlc(
    channel: &ChannelSigner,
    spend: &InputSpend<'_>,
    point: &PublicKey,
    option_anchors: bool,
) -> Result<Answer, Refusal> {
    let (signature, sighash) = channel.sign_remote_htlc_to_us(spend, point, option_anchors)?;
    Ok(signed(signature, sighash))
}

fn penalty(
    channel: &ChannelSigner,
    spend: &InputSpend<'_>,
    secret: &SecretKey,
) -> Result<Answer, Refusal> {
    let signature = channel.sign_penalty_to_us(spend, secret)?;
    Ok(signed(signature, EcdsaSighashType::All))
}

/// For the client's own channel.
impl Identity {
    pub(super) fn sign_delayed_payment_to_us(
        &self,
        request: &HsmdSignDelayedPaymentToUs,
    ) -> Result<Answer, Refusal> {
        let spend = spend(&request.tx, 0, &request.wscript)?;
        delayed(self.channel()?, &spend, request.commit_num)
    }

    pub(super) fn sign_remote_htlc_to_us(
        &self,
        request: &HsmdSignRemoteHtlcToUs,
    ) -> Result<Answer, Refusal> {
        let spend = spend(&request.tx, 0, &request.wscript)?;
        let point = &request.remote_per_commitment_point;
        remote_htlc(
            self.channel()?,
            &spend,
            point,
            request.option_anchor_outputs,
        )
    }

    pub(super) fn sign_penalty_to_us(
        &self,
        request: &HsmdSignPenaltyToUs,
    ) -> Result<Answer, Refusal> {
        let spend = spend(&request.tx, 0, &request.wscript)?;
        penalty(self.channel()?, &spend, &request.revocation_secret)
    }
}

/// For any channel.
impl Hsm {
    pub(super) fn sign_any_delayed_payment_to_us(
        &self,
        request: &HsmdSignAnyDelayedPaymentToUs,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let spend = spend(&request.tx, request.input, &request.wscript)?;
        delayed(&channel, &spend, request.commit_num)
    }

    pub(super) fn sign_any_remote_htlc_to_us(
        &self,
        request: &HsmdSignAnyRemoteHtlcToUs,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let spend = spend(&request.tx, request.input, &request.wscript)?;
        let point = &request.remote_per_commitment_point;
        remote_htlc(&channel, &spend, point, request.option_anchor_outputs)
    }

    pub(super) fn sign_any_penalty_to_us(
        &self,
        request: &HsmdSignAnyPenaltyToUs,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let spend = spend(&request.tx, request.input, &request.wscript)?;
        penalty(&channel, &spend, &request.revocation_secret)
    }

    pub(super) fn sign_any_local_htlc_tx(
        &self,
        request: &HsmdSignAnyLocalHtlcTx,
    ) -> Result<Answer, Refusal> {
        let channel = self.signer.channel(&request.peer_id, request.channel_dbid);
        let spend = spend(&request.tx, request.input, &request.wscript)?;
        let (signature, sighash) = channel.sign_local_htlc_tx(
            &spend,
            request.commit_num,
            request.option_anchor_outputs,
        )?;
        Ok(signed(signature, sighash))
    }
}
