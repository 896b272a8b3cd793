//! Requests become replies: one line per request here, one function per request in the files below.

mod channel;
mod node;
mod onchain;
mod wallet;

use ln_ipc::hsmd::{FromHsmd, HsmUtxo, ToHsmd};
use ln_signer::{Capabilities, ChannelSigner, CloseInfo, SignerError, WalletCoin};
use ln_types::NodeId;

use crate::hsm::Hsm;

/// Who asks.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The peer; lightningd itself has none.
    pub(crate) peer: Option<NodeId>,
    /// The channel; 0 for none.
    pub(crate) dbid: u64,
    /// What it may ask for.
    pub(crate) capabilities: Capabilities,
    /// The signer of its channel.
    pub(crate) channel: Option<ChannelSigner>,
}

impl Identity {
    /// Its channel's signer: daemons without a channel have no business with one.
    fn channel(&self) -> Result<&ChannelSigner, Refusal> {
        self.channel
            .as_ref()
            .ok_or_else(|| Refusal::BadRequest("client has no channel".to_owned()))
    }
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The client is disconnected; if it is lightningd, we end.
    #[error("{0}")]
    BadRequest(String),
    /// lightningd and we disagree about keys: we end, so that nobody uses them.
    #[error("{0}")]
    Disagreement(String),
}

impl From<SignerError> for Refusal {
    fn from(error: SignerError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

/// A reply, and lines for the log.
pub(crate) struct Answer {
    pub(crate) reply: FromHsmd,
    pub(crate) remarks: Vec<String>,
}

impl<T: Into<FromHsmd>> From<T> for Answer {
    fn from(reply: T) -> Self {
        Self {
            reply: reply.into(),
            remarks: Vec::new(),
        }
    }
}

/// A coin as the signer takes it.
fn wallet_coin(coin: &HsmUtxo) -> WalletCoin {
    WalletCoin {
        outpoint: coin.outpoint,
        amount: coin.amount,
        key_index: coin.key_index,
        script_pubkey: coin.script_pubkey.clone(),
        close_info: coin.close_info.as_ref().map(|close| CloseInfo {
            channel_dbid: close.channel_dbid,
            peer_id: close.peer_id,
            commitment_point: close.commitment_point,
            option_anchors: close.option_anchors,
            csv: close.csv,
        }),
    }
}

impl Hsm {
    /// Answers a request whose capability was checked.
    #[rustfmt::skip]
    pub(crate) fn answer(&self, client: &Identity, request: &ToHsmd) -> Result<Answer, Refusal> {
        match request {
            ToHsmd::EcdhReq(request) => Ok(self.ecdh(request)),
            ToHsmd::CannouncementSigReq(request) => self.cannouncement_sig(client, request),
            ToHsmd::CupdateSigReq(request) => self.cupdate_sig(request),
            ToHsmd::SignAnyCannouncementReq(request) => self.sign_any_cannouncement(request),
            ToHsmd::SignCommitmentTx(request) => self.sign_commitment_tx(request),
            ToHsmd::NodeAnnouncementSigReq(request) => self.node_announcement_sig(request),
            ToHsmd::SignWithdrawal(request) => Ok(self.sign_withdrawal(request)),
            ToHsmd::SignInvoice(request) => Ok(self.sign_invoice(request)),
            ToHsmd::GetChannelBasepoints(request) => Ok(self.channel_basepoints(request)),
            ToHsmd::SignDelayedPaymentToUs(request) => client.sign_delayed_payment_to_us(request),
            ToHsmd::SignRemoteHtlcToUs(request) => client.sign_remote_htlc_to_us(request),
            ToHsmd::SignPenaltyToUs(request) => client.sign_penalty_to_us(request),
            ToHsmd::GetPerCommitmentPoint(request) => self.per_commitment_point(client, request),
            ToHsmd::SignRemoteCommitmentTx(request) => client.sign_remote_commitment_tx(request),
            ToHsmd::SignRemoteHtlcTx(request) => client.sign_remote_htlc_tx(request),
            ToHsmd::SignMutualCloseTx(request) => client.sign_mutual_close_tx(request),
            ToHsmd::CheckFutureSecret(request) => client.check_future_secret(request),
            ToHsmd::SignMessage(request) => Ok(self.sign_message(request)),
            ToHsmd::GetOutputScriptpubkey(request) => Ok(self.output_scriptpubkey(request)),
            ToHsmd::SignBolt12(request) => self.sign_bolt12(request),
            ToHsmd::SignOptionWillFundOffer(request) => Ok(self.sign_option_will_fund_offer(request)),
            ToHsmd::DeriveSecret(request) => Ok(self.derive_secret(request)),
            ToHsmd::CheckPubkey(request) => self.check_pubkey(request),
            ToHsmd::SignSpliceTx(request) => client.sign_splice_tx(request),
            ToHsmd::NewChannel(_) => Ok(ln_ipc::hsmd::HsmdNewChannelReply {}.into()),
            ToHsmd::SetupChannel(_) => Ok(ln_ipc::hsmd::HsmdSetupChannelReply {}.into()),
            // We do not follow the chain: what lightningd sees buried is buried.
            ToHsmd::CheckOutpoint(_) => Ok(ln_ipc::hsmd::HsmdCheckOutpointReply { is_buried: true }.into()),
            ToHsmd::DevMemleak(_) => Ok(ln_ipc::hsmd::HsmdDevMemleakReply { leak: false }.into()),
            ToHsmd::ForgetChannel(_) => Ok(ln_ipc::hsmd::HsmdForgetChannelReply {}.into()),
            ToHsmd::ValidateCommitmentTx(request) => client.validate_commitment_tx(request),
            ToHsmd::ValidateRevocation(_) => Ok(ln_ipc::hsmd::HsmdValidateRevocationReply {}.into()),
            ToHsmd::LockOutpoint(_) => Ok(ln_ipc::hsmd::HsmdLockOutpointReply {}.into()),
            ToHsmd::PreapproveInvoice(_) => Ok(ln_ipc::hsmd::HsmdPreapproveInvoiceReply { approved: self.approves() }.into()),
            ToHsmd::PreapproveKeysend(_) => Ok(ln_ipc::hsmd::HsmdPreapproveKeysendReply { approved: self.approves() }.into()),
            ToHsmd::RevokeCommitmentTx(request) => client.revoke_commitment_tx(request),
            ToHsmd::SignBolt12Two(request) => self.sign_bolt12_two(request),
            ToHsmd::Bip137SignMessage(request) => self.bip137_sign_message(request),
            ToHsmd::PreapproveInvoiceCheck(_) => Ok(ln_ipc::hsmd::HsmdPreapproveInvoiceCheckReply { approved: self.approves() }.into()),
            ToHsmd::PreapproveKeysendCheck(_) => Ok(ln_ipc::hsmd::HsmdPreapproveKeysendCheckReply { approved: self.approves() }.into()),
            ToHsmd::CheckBip86Pubkey(request) => self.check_bip86_pubkey(request),
            ToHsmd::SignAnyDelayedPaymentToUs(request) => self.sign_any_delayed_payment_to_us(request),
            ToHsmd::SignAnyRemoteHtlcToUs(request) => self.sign_any_remote_htlc_to_us(request),
            ToHsmd::SignAnyPenaltyToUs(request) => self.sign_any_penalty_to_us(request),
            ToHsmd::SignAnyLocalHtlcTx(request) => self.sign_any_local_htlc_tx(request),
            ToHsmd::SignAnchorspend(request) => Ok(self.sign_anchorspend(request)),
            ToHsmd::SignHtlcTxMingle(request) => Ok(self.sign_htlc_tx_mingle(request)),
            ToHsmd::Init(_) | ToHsmd::DevPreinit(_) | ToHsmd::ClientHsmfd(_) => {
                Err(Refusal::BadRequest(format!("{} at the wrong time", request.name())))
            }
        }
    }

    fn approves(&self) -> bool {
        !self.dev.fail_preapprove
    }
}
