//! Messages of lightning_hsmd: Core Lightning's, byte for byte, so that remote and validating signers can take its place.
//!
//! Unlike the other daemons' messages these are not ours to change. A reply has its request's number plus 100, with the exceptions
//! the tables below show; `signature` is the reply to every request for one signature of a transaction.

mod channel;
mod init;
mod node;
mod parts;
mod sign_any;
mod sign_tx;
#[cfg(test)]
mod tests;
mod wallet;

use ln_codec::messages;

pub use channel::*;
pub use init::*;
pub use node::*;
pub use parts::*;
pub use sign_any::*;
pub use sign_tx::*;
pub use wallet::*;

/// The oldest version of these messages our hsmd speaks.
pub const HSMD_MIN_VERSION: u32 = 4;
/// The newest version we speak.
pub const HSMD_MAX_VERSION: u32 = 6;
/// The oldest version lightningd accepts from a signer: before it there is no `hsmd_revoke_commitment_tx`.
pub const LIGHTNINGD_MIN_HSMD_VERSION: u32 = 5;
/// From this version on `hsmd_get_per_commitment_point_reply` holds no secret.
pub const HSMD_NO_OLD_SECRET_VERSION: u32 = 6;

messages! {
    /// A client (lightningd, or a daemon it gave a connection) to hsmd.
    pub enum ToHsmd {
        1 => EcdhReq(HsmdEcdhReq),
        2 => CannouncementSigReq(HsmdCannouncementSigReq),
        3 => CupdateSigReq(HsmdCupdateSigReq),
        4 => SignAnyCannouncementReq(HsmdSignAnyCannouncementReq),
        5 => SignCommitmentTx(HsmdSignCommitmentTx),
        6 => NodeAnnouncementSigReq(HsmdNodeAnnouncementSigReq),
        7 => SignWithdrawal(HsmdSignWithdrawal),
        8 => SignInvoice(HsmdSignInvoice),
        9 => ClientHsmfd(HsmdClientHsmfd),
        10 => GetChannelBasepoints(HsmdGetChannelBasepoints),
        11 => Init(HsmdInit),
        12 => SignDelayedPaymentToUs(HsmdSignDelayedPaymentToUs),
        13 => SignRemoteHtlcToUs(HsmdSignRemoteHtlcToUs),
        14 => SignPenaltyToUs(HsmdSignPenaltyToUs),
        18 => GetPerCommitmentPoint(HsmdGetPerCommitmentPoint),
        19 => SignRemoteCommitmentTx(HsmdSignRemoteCommitmentTx),
        20 => SignRemoteHtlcTx(HsmdSignRemoteHtlcTx),
        21 => SignMutualCloseTx(HsmdSignMutualCloseTx),
        22 => CheckFutureSecret(HsmdCheckFutureSecret),
        23 => SignMessage(HsmdSignMessage),
        24 => GetOutputScriptpubkey(HsmdGetOutputScriptpubkey),
        25 => SignBolt12(HsmdSignBolt12),
        26 => SignOptionWillFundOffer(HsmdSignOptionWillFundOffer),
        27 => DeriveSecret(HsmdDeriveSecret),
        28 => CheckPubkey(HsmdCheckPubkey),
        29 => SignSpliceTx(HsmdSignSpliceTx),
        30 => NewChannel(HsmdNewChannel),
        31 => SetupChannel(HsmdSetupChannel),
        32 => CheckOutpoint(HsmdCheckOutpoint),
        33 => DevMemleak(HsmdDevMemleak),
        34 => ForgetChannel(HsmdForgetChannel),
        35 => ValidateCommitmentTx(HsmdValidateCommitmentTx),
        36 => ValidateRevocation(HsmdValidateRevocation),
        37 => LockOutpoint(HsmdLockOutpoint),
        38 => PreapproveInvoice(HsmdPreapproveInvoice),
        39 => PreapproveKeysend(HsmdPreapproveKeysend),
        40 => RevokeCommitmentTx(HsmdRevokeCommitmentTx),
        41 => SignBolt12Two(HsmdSignBolt12Two),
        45 => Bip137SignMessage(HsmdBip137SignMessage),
        51 => PreapproveInvoiceCheck(HsmdPreapproveInvoiceCheck),
        52 => PreapproveKeysendCheck(HsmdPreapproveKeysendCheck),
        56 => CheckBip86Pubkey(HsmdCheckBip86Pubkey),
        99 => DevPreinit(HsmdDevPreinit),
        142 => SignAnyDelayedPaymentToUs(HsmdSignAnyDelayedPaymentToUs),
        143 => SignAnyRemoteHtlcToUs(HsmdSignAnyRemoteHtlcToUs),
        144 => SignAnyPenaltyToUs(HsmdSignAnyPenaltyToUs),
        146 => SignAnyLocalHtlcTx(HsmdSignAnyLocalHtlcTx),
        147 => SignAnchorspend(HsmdSignAnchorspend),
        149 => SignHtlcTxMingle(HsmdSignHtlcTxMingle),
    }
}

messages! {
    /// hsmd to a client.
    pub enum FromHsmd {
        100 => EcdhResp(HsmdEcdhResp),
        102 => CannouncementSigReply(HsmdCannouncementSigReply),
        103 => CupdateSigReply(HsmdCupdateSigReply),
        104 => SignAnyCannouncementReply(HsmdSignAnyCannouncementReply),
        105 => SignCommitmentTxReply(HsmdSignCommitmentTxReply),
        106 => NodeAnnouncementSigReply(HsmdNodeAnnouncementSigReply),
        107 => SignWithdrawalReply(HsmdSignWithdrawalReply),
        108 => SignInvoiceReply(HsmdSignInvoiceReply),
        109 => ClientHsmfdReply(HsmdClientHsmfdReply),
        110 => GetChannelBasepointsReply(HsmdGetChannelBasepointsReply),
        112 => SignTxReply(HsmdSignTxReply),
        114 => InitReplyV4(HsmdInitReplyV4),
        115 => InitReplyFailure(HsmdInitReplyFailure),
        118 => GetPerCommitmentPointReply(HsmdGetPerCommitmentPointReply),
        122 => CheckFutureSecretReply(HsmdCheckFutureSecretReply),
        123 => SignMessageReply(HsmdSignMessageReply),
        124 => GetOutputScriptpubkeyReply(HsmdGetOutputScriptpubkeyReply),
        125 => SignBolt12Reply(HsmdSignBolt12Reply),
        126 => SignOptionWillFundOfferReply(HsmdSignOptionWillFundOfferReply),
        127 => DeriveSecretReply(HsmdDeriveSecretReply),
        128 => CheckPubkeyReply(HsmdCheckPubkeyReply),
        130 => NewChannelReply(HsmdNewChannelReply),
        131 => SetupChannelReply(HsmdSetupChannelReply),
        132 => CheckOutpointReply(HsmdCheckOutpointReply),
        133 => DevMemleakReply(HsmdDevMemleakReply),
        134 => ForgetChannelReply(HsmdForgetChannelReply),
        135 => ValidateCommitmentTxReply(HsmdValidateCommitmentTxReply),
        136 => ValidateRevocationReply(HsmdValidateRevocationReply),
        137 => LockOutpointReply(HsmdLockOutpointReply),
        138 => PreapproveInvoiceReply(HsmdPreapproveInvoiceReply),
        139 => PreapproveKeysendReply(HsmdPreapproveKeysendReply),
        140 => RevokeCommitmentTxReply(HsmdRevokeCommitmentTxReply),
        141 => SignBolt12TwoReply(HsmdSignBolt12TwoReply),
        145 => Bip137SignMessageReply(HsmdBip137SignMessageReply),
        148 => SignAnchorspendReply(HsmdSignAnchorspendReply),
        150 => SignHtlcTxMingleReply(HsmdSignHtlcTxMingleReply),
        151 => PreapproveInvoiceCheckReply(HsmdPreapproveInvoiceCheckReply),
        152 => PreapproveKeysendCheckReply(HsmdPreapproveKeysendCheckReply),
        156 => CheckBip86PubkeyReply(HsmdCheckBip86PubkeyReply),
    }
}

messages! {
    /// hsmd to lightningd, on the status socket, besides what every daemon says there.
    pub enum HsmdStatus {
        1000 => ClientBadRequest(HsmstatusClientBadRequest),
    }
}
