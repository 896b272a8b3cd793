//! hsmd, as lightningd uses it.

use std::os::fd::OwnedFd;

use anyhow::{Context as _, bail};
use bitcoin::bip32::Xpub;
use bitcoin::psbt::Psbt;
use bitcoin::secp256k1::ecdsa::RecoverableSignature;
use ln_codec::Decode;
use ln_invoice::UnsignedInvoice;
use ln_ipc::hsmd::{
    Bip32KeyVersion, ChainParams, FromHsmd, HSMD_MAX_VERSION, HsmUtxo, HsmdClientHsmfd,
    HsmdDeriveSecret, HsmdDevPreinit, HsmdDevPreinitTlvs, HsmdGetChannelBasepoints, HsmdInit,
    HsmdInitTlvs, HsmdNewChannel, HsmdSignInvoice, HsmdSignMessage, HsmdSignWithdrawal, HsmdStatus,
    LIGHTNINGD_MIN_HSMD_VERSION, Passphrase, ToHsmd, WirePsbt,
};
use ln_ipc::{AsyncStream, FrameError, Stream};
use ln_keys::Basepoints;
use ln_types::{Network, NodeId};
use tokio::sync::Mutex;

use crate::log::{Logger, Origin};
use crate::options::DevConfig;
use crate::subd::{Subd, SubdStart};

/// Names the reply wanted out of hsmd's answer.
macro_rules! hsm_reply {
    ($reply:expr, $variant:ident) => {
        match $reply? {
            ln_ipc::hsmd::FromHsmd::$variant(reply) => Ok(reply),
            other => Err(anyhow::anyhow!("hsmd answered with {}", other.name())),
        }
    };
}
pub(crate) use hsm_reply;

/// What a client of hsmd may ask (compat: Core Lightning's capability bits).
pub(crate) mod capability {
    /// Diffie-Hellman with the node's key.
    pub(crate) const ECDH: u64 = 1;
    /// Gossip signatures.
    pub(crate) const SIGN_GOSSIP: u64 = 2;
    /// Transactions on chain.
    pub(crate) const SIGN_ONCHAIN_TX: u64 = 4;
    /// Points and secrets of our commitments.
    pub(crate) const COMMITMENT_POINT: u64 = 8;
    /// The peer's commitments and HTLC transactions.
    pub(crate) const SIGN_REMOTE_TX: u64 = 16;
    /// Mutual closes.
    pub(crate) const SIGN_CLOSING_TX: u64 = 32;
    /// Splices.
    pub(crate) const SIGN_SPLICE_TX: u64 = 128;
    /// Locked outpoints.
    pub(crate) const LOCK_OUTPOINT: u64 = 256;

    /// connectd.
    pub(crate) const CONNECTD: u64 = ECDH;
    /// openingd.
    pub(crate) const OPENINGD: u64 = COMMITMENT_POINT | SIGN_REMOTE_TX;
    /// channeld.
    pub(crate) const CHANNELD: u64 = SIGN_GOSSIP
        | ECDH
        | COMMITMENT_POINT
        | SIGN_REMOTE_TX
        | SIGN_ONCHAIN_TX
        | SIGN_CLOSING_TX
        | SIGN_SPLICE_TX
        | LOCK_OUTPOINT;
    /// closingd.
    pub(crate) const CLOSINGD: u64 = SIGN_CLOSING_TX | COMMITMENT_POINT;
    /// onchaind.
    pub(crate) const ONCHAIND: u64 = SIGN_ONCHAIN_TX | COMMITMENT_POINT;
}

/// What hsmd says of itself.
#[derive(Debug, Clone)]
pub(crate) struct HsmIdentity {
    /// Our node id.
    pub(crate) node_id: NodeId,
    /// The wallet's extended public key of a node with a legacy secret.
    pub(crate) bip32: Xpub,
    /// The wallet's extended public key of a node with a mnemonic.
    pub(crate) bip86: Option<Xpub>,
    /// Whether it can be asked if it would approve of a payment, without consequences.
    pub(crate) checks_approval: bool,
}

/// hsmd. Requests are answered in order.
#[derive(Debug)]
pub(crate) struct Hsm {
    requests: Mutex<AsyncStream>,
    /// Who we are.
    pub(crate) identity: HsmIdentity,
}

/// hsmd refused the secret, with the exit code that tells why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HsmRefusal {
    /// lightningd's exit code.
    pub(crate) code: i32,
    message: String,
}

/// The number of `preapprove_invoice_check`, which signers name if they know it.
const PREAPPROVE_INVOICE_CHECK: u32 = 51;

/// What hsmd is told for developers, if there is anything: not every signer knows such words.
fn dev_switches(dev: &DevConfig) -> Option<HsmdDevPreinit> {
    let switch = |on: bool| on.then_some(true);
    let tlvs = HsmdDevPreinitTlvs {
        fail_preapprove: switch(dev.hsmd_fail_preapprove),
        no_preapprove_check: switch(dev.hsmd_no_preapprove_check),
        warn_on_overgrind: switch(dev.warn_on_overgrind),
    };
    (tlvs != HsmdDevPreinitTlvs::default()).then_some(HsmdDevPreinit { tlvs })
}

impl Hsm {
    /// Starts hsmd and unlocks the secret. Returns the process too, so that its end is noticed.
    pub(crate) async fn start(
        log: &Logger,
        network: Network,
        program: Option<&str>,
        passphrase: Option<String>,
        dev: &DevConfig,
    ) -> anyhow::Result<(Self, Subd)> {
        let (ours, theirs) = Stream::pair()?;
        let origin = Origin::of("hsmd");
        let mut subd = Subd::start(
            log,
            SubdStart {
                name: "hsmd",
                program,
                origin,
                fds: vec![theirs],
            },
        )?;
        let mut requests = AsyncStream::new(ours)?;
        subd.also_ends_on(&requests);
        if let Some(switches) = dev_switches(dev) {
            requests.send(&ToHsmd::DevPreinit(switches)).await?;
        }
        let forced = &dev.force_secrets;
        let (channel_secrets, shachain_seed) = forced.channel.clone().unzip();
        let init = ToHsmd::Init(HsmdInit {
            bip32_key_version: Bip32KeyVersion::from(network),
            chain_params: ChainParams(network),
            hsm_encryption_key: None,
            dev_force_privkey: forced.node,
            dev_force_bip32_seed: forced.bip32_seed.clone(),
            dev_force_channel_secrets: channel_secrets,
            dev_force_channel_secrets_shaseed: shachain_seed,
            hsm_wire_min_version: LIGHTNINGD_MIN_HSMD_VERSION,
            hsm_wire_max_version: HSMD_MAX_VERSION,
            tlvs: HsmdInitTlvs {
                hsm_passphrase: passphrase.as_deref().map(Passphrase::from),
            },
        });
        requests.send(&init).await?;
        let reply = match requests.recv::<FromHsmd>().await {
            Ok(reply) => reply,
            // How it ended, or what it said last, tells more.
            Err(error) => match subd.next::<HsmdStatus>().await {
                Err(end) => bail!("hsmd failed: {end}"),
                Ok(_) => return Err(error).context("hsmd answered init badly"),
            },
        };
        let identity = match reply {
            FromHsmd::InitReplyV4(reply) => HsmIdentity {
                node_id: reply.node_id,
                bip32: reply.bip32.0,
                bip86: reply.tlvs.bip86_base.map(|base| base.0),
                checks_approval: reply.hsm_capabilities.contains(&PREAPPROVE_INVOICE_CHECK),
            },
            FromHsmd::InitReplyFailure(failure) => {
                let code = i32::try_from(failure.error_code).unwrap_or(1);
                return Err(HsmRefusal {
                    code,
                    message: failure.error_message.0,
                }
                .into());
            }
            other => bail!("hsmd answered init with {}", other.name()),
        };
        Ok((
            Self {
                requests: Mutex::new(requests),
                identity,
            },
            subd,
        ))
    }

    /// Asks something.
    pub(crate) async fn request(&self, request: impl Into<ToHsmd>) -> anyhow::Result<FromHsmd> {
        let request = request.into();
        let mut stream = self.requests.lock().await;
        stream.send(&request).await?;
        let reply = stream
            .recv_raw()
            .await
            .with_context(|| format!("hsmd is gone (asked {})", request.name()))?;
        Ok(FromHsmd::from_bytes(&reply)?)
    }

    /// A connection to hsmd for another helper, which may only ask what `permissions` say, about this channel.
    pub(crate) async fn client_fd(
        &self,
        id: NodeId,
        dbid: u64,
        permissions: u64,
    ) -> anyhow::Result<OwnedFd> {
        let mut stream = self.requests.lock().await;
        stream
            .send(&ToHsmd::ClientHsmfd(HsmdClientHsmfd {
                id,
                dbid,
                permissions,
            }))
            .await?;
        match stream.recv::<FromHsmd>().await? {
            FromHsmd::ClientHsmfdReply(_) => Ok(stream.recv_fd().await?),
            other => bail!("hsmd answered client_hsmfd with {}", other.name()),
        }
    }

    /// Announces a channel to the signer and learns our keys in it.
    pub(crate) async fn new_channel(
        &self,
        peer_id: NodeId,
        dbid: u64,
    ) -> anyhow::Result<Basepoints> {
        hsm_reply!(
            self.request(HsmdNewChannel { id: peer_id, dbid }).await,
            NewChannelReply
        )?;
        let request = HsmdGetChannelBasepoints { peer_id, dbid };
        let reply = hsm_reply!(self.request(request).await, GetChannelBasepointsReply)?;
        Ok(reply.basepoints.with_funding(reply.funding_pubkey))
    }

    /// Signs the hash of an invoice.
    pub(crate) async fn sign_invoice(
        &self,
        invoice: &UnsignedInvoice,
    ) -> anyhow::Result<RecoverableSignature> {
        let request = HsmdSignInvoice {
            u5bytes: invoice.words.clone(),
            hrp: invoice.hrp.clone().into_bytes(),
        };
        let reply = hsm_reply!(self.request(request).await, SignInvoiceReply)?;
        Ok(reply.sig.0)
    }

    /// Signs a text with the node's key.
    pub(crate) async fn sign_message(&self, msg: Vec<u8>) -> anyhow::Result<RecoverableSignature> {
        let reply = hsm_reply!(
            self.request(HsmdSignMessage { msg }).await,
            SignMessageReply
        )?;
        Ok(reply.sig.0)
    }

    /// The secret that belongs to `info`.
    pub(crate) async fn derive_secret(&self, info: Vec<u8>) -> anyhow::Result<[u8; 32]> {
        let reply = hsm_reply!(
            self.request(HsmdDeriveSecret { info }).await,
            DeriveSecretReply
        )?;
        Ok(reply.secret.0)
    }

    /// Signs our inputs of a wallet transaction.
    pub(crate) async fn sign_withdrawal(
        &self,
        inputs: Vec<HsmUtxo>,
        psbt: Psbt,
    ) -> anyhow::Result<Psbt> {
        match self
            .request(HsmdSignWithdrawal {
                inputs,
                psbt: WirePsbt(psbt),
            })
            .await?
        {
            FromHsmd::SignWithdrawalReply(reply) => Ok(reply.psbt.0),
            other => bail!("hsmd answered sign_withdrawal with {}", other.name()),
        }
    }
}

impl From<FrameError> for HsmRefusal {
    fn from(error: FrameError) -> Self {
        Self {
            code: 20,
            message: error.to_string(),
        }
    }
}
