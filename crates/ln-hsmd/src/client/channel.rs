//! A channel daemon's signer.

use std::os::fd::OwnedFd;

use bitcoin::secp256k1::{PublicKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{ScriptBuf, Transaction, TxOut};
use ln_ipc::hsmd::{
    BitcoinSignature, BitcoinTx, HsmHtlc, HsmdBasepoints, HsmdCannouncementSigReq,
    HsmdCheckFutureSecret, HsmdCupdateSigReq, HsmdEcdhReq, HsmdGetPerCommitmentPoint,
    HsmdRevokeCommitmentTx, HsmdSetupChannel, HsmdSignMutualCloseTx, HsmdSignRemoteCommitmentTx,
    HsmdSignRemoteHtlcTx, HsmdSignSpliceTx, HsmdValidateCommitmentTx, HsmdValidateRevocation,
    ToHsmd,
};
use ln_keys::{Basepoints, PerCommitmentSecret};
use ln_signer::{
    AnnouncementSignatures, ChannelSetup, Revocation, SharedSecret, Signer, SignerError,
};
use ln_tx::script::funding_script;
use ln_tx::{CommitmentOutput, CommitmentSignatures, CommitmentTx, HtlcTx, Verified};
use ln_types::{CommitmentNumber, Sat, Side};

use super::connection::{HsmConnection, counted, reply};

/// The signer of one channel, in hsmd. Its connection must have the capabilities for what is asked.
#[derive(Debug)]
pub struct HsmClient {
    connection: HsmConnection,
    basepoints: Basepoints,
}

fn p2wsh_output(value: Sat, witness_script: &ScriptBuf) -> TxOut {
    TxOut {
        value: value.into(),
        script_pubkey: witness_script.to_p2wsh(),
    }
}

/// A spend of the funding output.
fn funding_spend(tx: &Transaction, amount: Sat, script: &ScriptBuf) -> BitcoinTx {
    BitcoinTx::new(tx.clone(), [p2wsh_output(amount, script)])
        .with_input_scripts([Some(script.clone())])
}

fn output_script(output: &CommitmentOutput) -> Option<ScriptBuf> {
    match output {
        CommitmentOutput::ToLocal { witness_script }
        | CommitmentOutput::LocalAnchor { witness_script }
        | CommitmentOutput::RemoteAnchor { witness_script }
        | CommitmentOutput::Htlc { witness_script, .. } => Some(witness_script.clone()),
        CommitmentOutput::ToRemote { witness_script } => witness_script.clone(),
    }
}

fn commitment_tx(commitment: &CommitmentTx) -> BitcoinTx {
    funding_spend(
        commitment.unsigned(),
        commitment.params().funding_amount,
        &commitment.funding_script(),
    )
    .with_output_scripts(commitment.outputs().iter().map(output_script))
}

/// The HTLCs of a commitment that `holder` can broadcast.
fn htlcs(commitment: &CommitmentTx, holder: Side) -> Vec<HsmHtlc> {
    commitment
        .htlcs()
        .map(|output| HsmHtlc {
            side: if output.htlc.offered_by_holder {
                holder
            } else {
                !holder
            },
            amount: output.htlc.amount,
            payment_hash: output.htlc.payment_hash,
            cltv_expiry: output.htlc.cltv_expiry,
        })
        .collect()
}

fn htlc_request(commitment: &CommitmentTx, htlc: &HtlcTx) -> ToHsmd {
    let spent = p2wsh_output(htlc.spent_value(), htlc.spent_script());
    let tx = BitcoinTx::new(htlc.unsigned().clone(), [spent])
        .with_input_scripts([Some(htlc.spent_script().clone())])
        .with_output_scripts([Some(htlc.output_script().clone())]);
    let params = commitment.params();
    HsmdSignRemoteHtlcTx {
        tx,
        wscript: htlc.spent_script().clone(),
        remote_per_commit_point: params.keys.per_commitment_point,
        option_anchor_outputs: params.format.has_anchors(),
    }
    .into()
}

impl HsmClient {
    /// Signs over the connection lightningd handed out; `basepoints` are ours, as lightningd got them from hsmd.
    pub fn new(socket: OwnedFd, basepoints: Basepoints) -> Self {
        Self {
            connection: HsmConnection::new(socket),
            basepoints,
        }
    }

    /// Sends requests whose replies are signatures of transactions.
    fn sign(
        &self,
        requests: impl IntoIterator<Item = ToHsmd>,
    ) -> Result<Vec<ecdsa::Signature>, SignerError> {
        let replies = self.connection.ask_many(requests, reply!(SignTxReply))?;
        Ok(replies
            .into_iter()
            .map(|reply| reply.sig.signature)
            .collect())
    }

    fn sign_one(&self, request: impl Into<ToHsmd>) -> Result<ecdsa::Signature, SignerError> {
        let reply = self.connection.ask(request, reply!(SignTxReply))?;
        Ok(reply.sig.signature)
    }
}

impl Signer for HsmClient {
    fn basepoints(&self) -> &Basepoints {
        &self.basepoints
    }

    fn setup_channel(&self, setup: &ChannelSetup) -> Result<(), SignerError> {
        let index = u16::try_from(setup.funding.vout).map_err(|_| {
            SignerError::Unavailable("its messages hold output indexes of 16 bits only".to_owned())
        })?;
        let request = HsmdSetupChannel {
            is_outbound: setup.is_outbound,
            channel_value: setup.channel_value,
            push_value: setup.push_value,
            funding_txid: setup.funding.txid,
            funding_txout: index,
            local_to_self_delay: setup.local_to_self_delay,
            local_shutdown_script: setup.local_shutdown_script.clone(),
            local_shutdown_wallet_index: setup.local_shutdown_wallet_index,
            remote_basepoints: HsmdBasepoints::from(&setup.remote_basepoints),
            remote_funding_pubkey: setup.remote_basepoints.funding,
            remote_to_self_delay: setup.remote_to_self_delay,
            remote_shutdown_script: setup.remote_shutdown_script.clone(),
            channel_type: setup.channel_type.clone(),
        };
        self.connection
            .ask(request, reply!(SetupChannelReply))
            .map(|_| ())
    }

    fn per_commitment_point(&self, number: CommitmentNumber) -> Result<PublicKey, SignerError> {
        let request = HsmdGetPerCommitmentPoint { n: number };
        let reply = self
            .connection
            .ask(request, reply!(GetPerCommitmentPointReply))?;
        Ok(reply.per_commitment_point)
    }

    fn validate_commitment(&self, commitment: &Verified<CommitmentTx>) -> Result<(), SignerError> {
        let htlc_sighash = if commitment.params().format.has_anchors() {
            EcdsaSighashType::SinglePlusAnyoneCanPay
        } else {
            EcdsaSighashType::All
        };
        let signatures = commitment.signatures();
        let request = HsmdValidateCommitmentTx {
            tx: commitment_tx(commitment),
            htlcs: htlcs(commitment, Side::Local),
            commit_num: commitment.number(),
            feerate: commitment.feerate(),
            sig: BitcoinSignature {
                signature: signatures.commitment,
                sighash: EcdsaSighashType::All,
            },
            htlc_sigs: signatures
                .htlcs
                .iter()
                .map(|signature| BitcoinSignature {
                    signature: *signature,
                    sighash: htlc_sighash,
                })
                .collect(),
        };
        self.connection
            .ask(request, reply!(ValidateCommitmentTxReply))
            .map(|_| ())
    }

    fn revoke(&self, number: CommitmentNumber) -> Result<Revocation, SignerError> {
        let request = HsmdRevokeCommitmentTx { commit_num: number };
        let reply = self
            .connection
            .ask(request, reply!(RevokeCommitmentTxReply))?;
        Ok(Revocation {
            secret: reply.old_commitment_secret,
            next_point: reply.next_per_commitment_point,
        })
    }

    fn validate_revocation(
        &self,
        number: CommitmentNumber,
        secret: &PerCommitmentSecret,
    ) -> Result<(), SignerError> {
        let request = HsmdValidateRevocation {
            revoke_num: number,
            per_commitment_secret: secret.clone(),
        };
        self.connection
            .ask(request, reply!(ValidateRevocationReply))
            .map(|_| ())
    }

    fn check_future_secret(
        &self,
        number: CommitmentNumber,
        secret: &PerCommitmentSecret,
    ) -> Result<bool, SignerError> {
        let request = HsmdCheckFutureSecret {
            n: number,
            commitment_secret: secret.clone(),
        };
        let reply = self
            .connection
            .ask(request, reply!(CheckFutureSecretReply))?;
        Ok(reply.correct)
    }

    fn sign_remote_commitment(
        &self,
        commitment: &CommitmentTx,
    ) -> Result<CommitmentSignatures, SignerError> {
        let params = commitment.params();
        if params.other_funding_key != self.basepoints.funding {
            return Err(SignerError::ForeignChannel);
        }
        let first = ToHsmd::from(HsmdSignRemoteCommitmentTx {
            tx: commitment_tx(commitment),
            remote_funding_key: params.holder_funding_key,
            remote_per_commit: params.keys.per_commitment_point,
            option_static_remotekey: true,
            commit_num: commitment.number(),
            htlcs: htlcs(commitment, Side::Remote),
            feerate: commitment.feerate(),
        });
        let rest = commitment
            .htlc_txs()
            .map(|htlc| htlc_request(commitment, &htlc));
        let mut signatures = self.sign(std::iter::once(first).chain(rest))?.into_iter();
        let commitment = signatures
            .next()
            .ok_or_else(|| SignerError::Unavailable("no signature".to_owned()))?;
        Ok(CommitmentSignatures {
            commitment,
            htlcs: signatures.collect(),
        })
    }

    fn sign_mutual_close(
        &self,
        tx: &Transaction,
        funding_amount: Sat,
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        let script = funding_script(&self.basepoints.funding, remote_funding_key);
        self.sign_one(HsmdSignMutualCloseTx {
            tx: funding_spend(tx, funding_amount, &script),
            remote_funding_key: *remote_funding_key,
        })
    }

    fn sign_splice(
        &self,
        tx: &Transaction,
        index: usize,
        spent: &[TxOut],
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError> {
        let count = tx.input.len();
        self.sign_one(HsmdSignSpliceTx {
            tx: BitcoinTx::new(tx.clone(), spent.iter().cloned()),
            remote_funding_key: *remote_funding_key,
            input_index: u32::try_from(index)
                .map_err(|_| SignerError::NoSuchInput { index, count })?,
        })
    }

    fn sign_channel_announcement(
        &self,
        announcement: &[u8],
    ) -> Result<AnnouncementSignatures, SignerError> {
        let request = HsmdCannouncementSigReq {
            ca: counted("channel_announcement", announcement)?,
        };
        let reply = self
            .connection
            .ask(request, reply!(CannouncementSigReply))?;
        Ok(AnnouncementSignatures {
            node: reply.node_signature,
            bitcoin: reply.bitcoin_signature,
        })
    }

    fn sign_channel_update(&self, update: &[u8]) -> Result<Vec<u8>, SignerError> {
        let request = HsmdCupdateSigReq {
            cu: counted("channel_update", update)?,
        };
        let reply = self.connection.ask(request, reply!(CupdateSigReply))?;
        Ok(reply.cu)
    }

    fn ecdh(&self, points: &[PublicKey]) -> Result<Vec<SharedSecret>, SignerError> {
        let requests = points
            .iter()
            .map(|point| HsmdEcdhReq { point: *point }.into());
        let replies = self.connection.ask_many(requests, reply!(EcdhResp))?;
        Ok(replies
            .into_iter()
            .map(|reply| SharedSecret(reply.ss.0))
            .collect())
    }
}
