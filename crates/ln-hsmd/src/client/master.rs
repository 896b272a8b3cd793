//! What lightningd asks.

use std::os::fd::OwnedFd;

use bitcoin::hashes::sha256;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::{PublicKey, ecdsa, schnorr};
use ln_codec::WireString;
use ln_ipc::hsmd::{
    BitcoinTx, FromHsmd, HsmUtxo, HsmdBip137SignMessage, HsmdCheckBip86Pubkey, HsmdCheckPubkey,
    HsmdClientHsmfd, HsmdCupdateSigReq, HsmdDeriveSecret, HsmdDevPreinit, HsmdDevPreinitTlvs,
    HsmdEcdhReq, HsmdForgetChannel, HsmdGetChannelBasepoints, HsmdInit, HsmdInitReplyV4,
    HsmdNewChannel, HsmdNodeAnnouncementSigReq, HsmdPreapproveInvoiceCheck,
    HsmdPreapproveKeysendCheck, HsmdSignAnchorspend, HsmdSignAnyCannouncementReq,
    HsmdSignBolt12Two, HsmdSignCommitmentTx, HsmdSignHtlcTxMingle, HsmdSignInvoice,
    HsmdSignMessage, HsmdSignWithdrawal, ToHsmd, WirePsbt,
};
use ln_keys::Basepoints;
use ln_signer::{AnnouncementSignatures, Capabilities, SharedSecret, SignerError};
use ln_types::{CommitmentNumber, Msat, NodeId, PaymentHash};
use zeroize::Zeroizing;

use super::connection::{HsmConnection, counted, reply};

/// Why hsmd did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The secret can't be opened.
    #[error("{message}")]
    Secret {
        /// Why: lightningd's exit code.
        code: u32,
        /// Why, for people.
        message: String,
    },
    /// hsmd did not answer as it should.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// lightningd's connection to hsmd.
#[derive(Debug)]
pub struct MasterClient {
    connection: HsmConnection,
}

impl MasterClient {
    /// Speaks over the descriptor that is hsmd's number 3.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            connection: HsmConnection::new(socket),
        }
    }

    /// Sets developer switches, before [`Self::init`].
    pub fn dev_preinit(&self, tlvs: HsmdDevPreinitTlvs) -> Result<(), SignerError> {
        self.connection.tell(HsmdDevPreinit { tlvs })
    }

    /// Opens the secret.
    pub fn init(&self, init: HsmdInit) -> Result<HsmdInitReplyV4, InitError> {
        self.connection.ask(init, |reply| {
            if let FromHsmd::InitReplyFailure(failure) = reply {
                let message = failure.error_message.0;
                let code = failure.error_code;
                return Some(Err(InitError::Secret { code, message }));
            }
            reply!(InitReplyV4)(reply).map(Ok)
        })?
    }

    /// Opens a connection for a daemon.
    pub fn new_client(
        &self,
        peer: NodeId,
        dbid: u64,
        capabilities: Capabilities,
    ) -> Result<OwnedFd, SignerError> {
        let request = HsmdClientHsmfd {
            id: peer,
            dbid,
            permissions: capabilities.bits(),
        };
        self.connection.ask_for_fd(request, |reply| {
            matches!(reply, FromHsmd::ClientHsmfdReply(_)).then_some(())
        })
    }

    /// Tells of a new channel.
    pub fn new_channel(&self, peer: NodeId, dbid: u64) -> Result<(), SignerError> {
        let request = HsmdNewChannel { id: peer, dbid };
        self.connection
            .ask(request, reply!(NewChannelReply))
            .map(|_| ())
    }

    /// Tells that a channel is over.
    pub fn forget_channel(&self, peer: NodeId, dbid: u64) -> Result<(), SignerError> {
        let request = HsmdForgetChannel { id: peer, dbid };
        self.connection
            .ask(request, reply!(ForgetChannelReply))
            .map(|_| ())
    }

    /// A channel's public keys.
    pub fn channel_basepoints(&self, peer: NodeId, dbid: u64) -> Result<Basepoints, SignerError> {
        let request = HsmdGetChannelBasepoints {
            peer_id: peer,
            dbid,
        };
        let reply = self
            .connection
            .ask(request, reply!(GetChannelBasepointsReply))?;
        Ok(reply.basepoints.with_funding(reply.funding_pubkey))
    }

    /// The secrets the node's key shares with each point.
    pub fn ecdh(&self, points: &[PublicKey]) -> Result<Vec<SharedSecret>, SignerError> {
        let requests = points
            .iter()
            .map(|point| HsmdEcdhReq { point: *point }.into());
        let replies = self.connection.ask_many(requests, reply!(EcdhResp))?;
        Ok(replies
            .into_iter()
            .map(|reply| SharedSecret(reply.ss.0))
            .collect())
    }

    /// `makesecret`.
    pub fn derive_secret(&self, info: &[u8]) -> Result<Zeroizing<[u8; 32]>, SignerError> {
        let request = HsmdDeriveSecret {
            info: counted("name of the secret", info)?,
        };
        let reply = self.connection.ask(request, reply!(DeriveSecretReply))?;
        Ok(Zeroizing::new(reply.secret.0))
    }

    /// Signs our `node_announcement`.
    pub fn sign_node_announcement(
        &self,
        announcement: &[u8],
    ) -> Result<ecdsa::Signature, SignerError> {
        let request = HsmdNodeAnnouncementSigReq {
            announcement: counted("node_announcement", announcement)?,
        };
        let reply = self
            .connection
            .ask(request, reply!(NodeAnnouncementSigReply))?;
        Ok(reply.signature)
    }

    /// Fills the signature into a `channel_update`.
    pub fn sign_channel_update(&self, update: &[u8]) -> Result<Vec<u8>, SignerError> {
        let request = HsmdCupdateSigReq {
            cu: counted("channel_update", update)?,
        };
        let reply = self.connection.ask(request, reply!(CupdateSigReply))?;
        Ok(reply.cu)
    }

    /// Signs a channel's `channel_announcement`.
    pub fn sign_channel_announcement(
        &self,
        announcement: &[u8],
        peer: NodeId,
        dbid: u64,
    ) -> Result<AnnouncementSignatures, SignerError> {
        let request = HsmdSignAnyCannouncementReq {
            ca: counted("channel_announcement", announcement)?,
            peer_id: peer,
            channel_dbid: dbid,
        };
        let reply = self
            .connection
            .ask(request, reply!(SignAnyCannouncementReply))?;
        Ok(AnnouncementSignatures {
            node: reply.node_signature,
            bitcoin: reply.bitcoin_signature,
        })
    }

    /// Signs a BOLT 11 invoice: its human-readable part and its data in five-bit groups.
    pub fn sign_invoice(
        &self,
        hrp: &str,
        groups: &[u8],
    ) -> Result<ecdsa::RecoverableSignature, SignerError> {
        let request = HsmdSignInvoice {
            u5bytes: counted("invoice", groups)?,
            hrp: counted("invoice", hrp.as_bytes())?,
        };
        let reply = self.connection.ask(request, reply!(SignInvoiceReply))?;
        Ok(reply.sig.0)
    }

    /// Signs a BOLT 12 message by the node's key, or by its alias for (`info`, `tweak`) when `tweak` is not empty.
    pub fn sign_bolt12(
        &self,
        message_name: &str,
        field_name: &str,
        merkle_root: sha256::Hash,
        info: &[u8],
        tweak: &[u8],
    ) -> Result<schnorr::Signature, SignerError> {
        let request = HsmdSignBolt12Two {
            messagename: WireString(message_name.to_owned()),
            fieldname: WireString(field_name.to_owned()),
            merkleroot: merkle_root,
            info: counted("name of the secret", info)?,
            publictweak: counted("tweak", tweak)?,
        };
        let reply = self.connection.ask(request, reply!(SignBolt12TwoReply))?;
        Ok(reply.sig)
    }

    /// `signmessage`.
    pub fn sign_message(&self, text: &[u8]) -> Result<ecdsa::RecoverableSignature, SignerError> {
        let request = HsmdSignMessage {
            msg: counted("message", text)?,
        };
        let reply = self.connection.ask(request, reply!(SignMessageReply))?;
        Ok(reply.sig.0)
    }

    /// `signmessagewithkey`.
    pub fn sign_message_with_address(
        &self,
        text: &[u8],
        key_index: u32,
    ) -> Result<ecdsa::RecoverableSignature, SignerError> {
        let request = HsmdBip137SignMessage {
            msg: counted("message", text)?,
            key_index,
        };
        let reply = self
            .connection
            .ask(request, reply!(Bip137SignMessageReply))?;
        Ok(reply.sig.0)
    }

    /// Whether an invoice may be paid.
    pub fn preapprove_invoice(&self, invoice: &str, check_only: bool) -> Result<bool, SignerError> {
        let request = HsmdPreapproveInvoiceCheck {
            invstring: WireString(invoice.to_owned()),
            check_only,
        };
        let reply = self
            .connection
            .ask(request, reply!(PreapproveInvoiceCheckReply))?;
        Ok(reply.approved)
    }

    /// Whether a payment without invoice may be made.
    pub fn preapprove_keysend(
        &self,
        destination: NodeId,
        payment_hash: PaymentHash,
        amount: Msat,
        check_only: bool,
    ) -> Result<bool, SignerError> {
        let request = HsmdPreapproveKeysendCheck {
            destination,
            payment_hash,
            amount_msat: amount,
            check_only,
        };
        let reply = self
            .connection
            .ask(request, reply!(PreapproveKeysendCheckReply))?;
        Ok(reply.approved)
    }

    /// Signs our own commitment, to broadcast it.
    pub fn sign_commitment(
        &self,
        peer: NodeId,
        dbid: u64,
        tx: BitcoinTx,
        remote_funding_key: PublicKey,
        number: CommitmentNumber,
    ) -> Result<ecdsa::Signature, SignerError> {
        let request = HsmdSignCommitmentTx {
            peer_id: peer,
            channel_dbid: dbid,
            tx,
            remote_funding_key,
            commit_num: number,
        };
        let reply = self
            .connection
            .ask(request, reply!(SignCommitmentTxReply))?;
        Ok(reply.sig.signature)
    }

    /// One of the requests that lightningd makes on onchaind's behalf (`hsmd_sign_any_*`), and its signature.
    pub fn sign_any(&self, request: impl Into<ToHsmd>) -> Result<ecdsa::Signature, SignerError> {
        let reply = self.connection.ask(request, reply!(SignTxReply))?;
        Ok(reply.sig.signature)
    }

    /// Signs the wallet's coins in a PSBT. Those that can't be signed come back without signature.
    pub fn sign_withdrawal(&self, psbt: Psbt, coins: Vec<HsmUtxo>) -> Result<Psbt, SignerError> {
        let request = HsmdSignWithdrawal {
            inputs: coins,
            psbt: WirePsbt(psbt),
        };
        let reply = self.connection.ask(request, reply!(SignWithdrawalReply))?;
        Ok(reply.psbt.0)
    }

    /// Signs the spend of a channel's anchor and the wallet's coins in it.
    pub fn sign_anchorspend(
        &self,
        peer: NodeId,
        dbid: u64,
        psbt: Psbt,
        coins: Vec<HsmUtxo>,
    ) -> Result<Psbt, SignerError> {
        let request = HsmdSignAnchorspend {
            peer_id: peer,
            channel_dbid: dbid,
            inputs: coins,
            psbt: WirePsbt(psbt),
        };
        let reply = self.connection.ask(request, reply!(SignAnchorspendReply))?;
        Ok(reply.psbt.0)
    }

    /// Signs the wallet's coins that were added to an HTLC transaction.
    pub fn sign_htlc_tx_mingle(
        &self,
        peer: NodeId,
        dbid: u64,
        psbt: Psbt,
        coins: Vec<HsmUtxo>,
    ) -> Result<Psbt, SignerError> {
        let request = HsmdSignHtlcTxMingle {
            peer_id: peer,
            channel_dbid: dbid,
            inputs: coins,
            psbt: WirePsbt(psbt),
        };
        let reply = self
            .connection
            .ask(request, reply!(SignHtlcTxMingleReply))?;
        Ok(reply.psbt.0)
    }

    /// Makes hsmd derive the same wallet key: of the BIP 86 tree, or of the old one.
    pub fn check_wallet_key(
        &self,
        bip86: bool,
        index: u32,
        pubkey: PublicKey,
    ) -> Result<bool, SignerError> {
        if bip86 {
            let request = HsmdCheckBip86Pubkey { index, pubkey };
            let reply = self
                .connection
                .ask(request, reply!(CheckBip86PubkeyReply))?;
            return Ok(reply.ok);
        }
        let request = HsmdCheckPubkey { index, pubkey };
        let reply = self.connection.ask(request, reply!(CheckPubkeyReply))?;
        Ok(reply.ok)
    }
}
