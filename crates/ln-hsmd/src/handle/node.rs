//! What the node's key signs, and secrets derived for others.

use ln_ipc::hsmd::{
    HsmdBip137SignMessage, HsmdBip137SignMessageReply, HsmdDeriveSecret, HsmdDeriveSecretReply,
    HsmdEcdhReq, HsmdEcdhResp, HsmdNodeAnnouncementSigReply, HsmdNodeAnnouncementSigReq,
    HsmdSignBolt12, HsmdSignBolt12Reply, HsmdSignBolt12Two, HsmdSignBolt12TwoReply,
    HsmdSignInvoice, HsmdSignInvoiceReply, HsmdSignMessage, HsmdSignMessageReply,
    HsmdSignOptionWillFundOffer, HsmdSignOptionWillFundOfferReply, RecoverableSignature, Secret,
};

use super::{Answer, Refusal};
use crate::hsm::Hsm;

impl Hsm {
    pub(super) fn ecdh(&self, request: &HsmdEcdhReq) -> Answer {
        let ss = Secret(self.signer.ecdh(&request.point).0);
        HsmdEcdhResp { ss }.into()
    }

    pub(super) fn node_announcement_sig(
        &self,
        request: &HsmdNodeAnnouncementSigReq,
    ) -> Result<Answer, Refusal> {
        let signature = self.signer.sign_node_announcement(&request.announcement)?;
        Ok(HsmdNodeAnnouncementSigReply { signature }.into())
    }

    pub(super) fn sign_invoice(&self, request: &HsmdSignInvoice) -> Answer {
        let sig = self.signer.sign_invoice(&request.hrp, &request.u5bytes);
        HsmdSignInvoiceReply {
            sig: RecoverableSignature(sig),
        }
        .into()
    }

    pub(super) fn sign_message(&self, request: &HsmdSignMessage) -> Answer {
        let sig = RecoverableSignature(self.signer.sign_message(&request.msg));
        HsmdSignMessageReply { sig }.into()
    }

    pub(super) fn bip137_sign_message(
        &self,
        request: &HsmdBip137SignMessage,
    ) -> Result<Answer, Refusal> {
        let sig = self
            .signer
            .sign_message_with_address(&request.msg, request.key_index)?;
        Ok(HsmdBip137SignMessageReply {
            sig: RecoverableSignature(sig),
        }
        .into())
    }

    pub(super) fn sign_bolt12(&self, request: &HsmdSignBolt12) -> Result<Answer, Refusal> {
        let sig = self.signer.sign_bolt12_as_payer(
            &request.messagename.0,
            &request.fieldname.0,
            &request.merkleroot,
            &request.publictweak,
        )?;
        Ok(HsmdSignBolt12Reply { sig }.into())
    }

    pub(super) fn sign_bolt12_two(&self, request: &HsmdSignBolt12Two) -> Result<Answer, Refusal> {
        let sig = self.signer.sign_bolt12(
            &request.messagename.0,
            &request.fieldname.0,
            &request.merkleroot,
            &request.info,
            &request.publictweak,
        )?;
        Ok(HsmdSignBolt12TwoReply { sig }.into())
    }

    pub(super) fn sign_option_will_fund_offer(
        &self,
        request: &HsmdSignOptionWillFundOffer,
    ) -> Answer {
        let rsig = self.signer.sign_will_fund(
            &request.funding_pubkey,
            request.blockheight.0,
            request.channel_fee_base_max_msat,
            request.channel_fee_proportional_basis_max,
        );
        HsmdSignOptionWillFundOfferReply { rsig }.into()
    }

    pub(super) fn derive_secret(&self, request: &HsmdDeriveSecret) -> Answer {
        let secret = self.signer.keys().derived_secret(&request.info);
        HsmdDeriveSecretReply {
            secret: Secret(*secret),
        }
        .into()
    }
}
