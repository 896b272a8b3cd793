//! The opened secret and what was agreed about it.

use bitcoin::NetworkKind;
use bitcoin::secp256k1::PublicKey;
use ln_codec::WireString;
use ln_ipc::hsmd::{
    ExtKey, HSMD_MAX_VERSION, HSMD_MIN_VERSION, HSMD_NO_OLD_SECRET_VERSION, HsmdInit,
    HsmdInitReplyFailure, HsmdInitReplyV4, HsmdInitReplyV4Tlvs,
};
use ln_keys::{ForcedKeys, HsmSecret, HsmSecretError, HsmSecretKind, NodeKeys, public_key};
use ln_signer::NodeSigner;
use zeroize::Zeroizing;

/// Developer switches.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DevSwitches {
    /// Refuse every `preapprove` request.
    pub(crate) fail_preapprove: bool,
    /// Do not offer `preapprove_*_check`.
    pub(crate) no_preapprove_check: bool,
    /// Complain of signatures shorter than most.
    pub(crate) warn_on_overgrind: bool,
}

/// The newer requests we know, which lightningd asks for before it uses them.
const CAPABILITIES: [u32; 11] = [28, 56, 142, 147, 149, 29, 32, 34, 40, 41, 45];
/// Those of them that a developer can take away.
const PREAPPROVE_CAPABILITIES: [u32; 2] = [51, 52];

/// An opened secret.
#[derive(Debug)]
pub(crate) struct Hsm {
    pub(crate) signer: NodeSigner,
    pub(crate) dev: DevSwitches,
    kind: HsmSecretKind,
    version: u32,
}

/// The version both sides speak, if there is one.
pub(crate) fn negotiate(init: &HsmdInit) -> Result<u32, String> {
    let (min, max) = (init.hsm_wire_min_version, init.hsm_wire_max_version);
    if HSMD_MIN_VERSION > max || HSMD_MAX_VERSION < min {
        return Err(format!(
            "Version {min}-{max} not valid: we need {HSMD_MIN_VERSION}-{HSMD_MAX_VERSION}"
        ));
    }
    Ok(max.min(HSMD_MAX_VERSION))
}

/// The keys a developer forces upon us.
pub(crate) fn forced_keys(init: &HsmdInit) -> ForcedKeys {
    ForcedKeys {
        node: init.dev_force_privkey,
        bip32_seed: init
            .dev_force_bip32_seed
            .as_ref()
            .map(|seed| Zeroizing::new(seed.0)),
        channel_secrets: init.dev_force_channel_secrets.clone(),
        shachain_seed: init.dev_force_channel_secrets_shaseed.clone(),
    }
}

impl Hsm {
    /// Opens the secret in `file`.
    pub(crate) fn open(
        file: &[u8],
        init: &HsmdInit,
        network: NetworkKind,
        version: u32,
        dev: DevSwitches,
    ) -> Result<Self, HsmSecretError> {
        let passphrase = init.tlvs.hsm_passphrase.as_ref();
        let secret = HsmSecret::parse(file, passphrase.map(ln_ipc::hsmd::Passphrase::as_str))?;
        let keys = NodeKeys::new(&secret, network, forced_keys(init));
        Ok(Self {
            signer: NodeSigner::new(keys),
            dev,
            kind: secret.kind(),
            version,
        })
    }

    /// Whether a per-commitment point still comes with the secret two before it.
    pub(crate) fn gives_old_secrets(&self) -> bool {
        self.version < HSMD_NO_OLD_SECRET_VERSION
    }

    /// What lightningd gets to know.
    pub(crate) fn init_reply(&self) -> HsmdInitReplyV4 {
        let keys = self.signer.keys();
        let wallet = keys.wallet_base();
        let mut hsm_capabilities = CAPABILITIES.to_vec();
        if !self.dev.no_preapprove_check {
            hsm_capabilities.extend(PREAPPROVE_CAPABILITIES);
        }
        let bolt12: PublicKey = public_key(keys.bolt12_secret());
        HsmdInitReplyV4 {
            hsm_version: self.version,
            hsm_capabilities,
            node_id: keys.node_id(),
            bip32: ExtKey(wallet.legacy),
            bolt12,
            tlvs: HsmdInitReplyV4Tlvs {
                hsm_secret_type: Some(self.kind.number()),
                bip86_base: wallet.bip86.map(ExtKey),
            },
        }
    }
}

/// What lightningd gets when the secret can't be opened.
pub(crate) fn init_failure(code: u32, text: &str) -> HsmdInitReplyFailure {
    HsmdInitReplyFailure {
        error_code: code,
        error_message: WireString(text.to_owned()),
    }
}
