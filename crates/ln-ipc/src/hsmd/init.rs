//! Starting hsmd, and connections for its other clients.

use super::{Bip32KeyVersion, ChainParams, ExtKey, Passphrase, Secret};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode, Tlv, WireString};
use ln_keys::{BasepointSecrets, ShachainSeed};
use ln_types::NodeId;

/// Developer switches, before `hsmd_init`. There is no reply.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdDevPreinit {
    /// The switches.
    pub tlvs: HsmdDevPreinitTlvs,
}

/// Switches of [`HsmdDevPreinit`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct HsmdDevPreinitTlvs {
    /// Refuse every `preapprove` request.
    #[tlv(1)]
    pub fail_preapprove: Option<bool>,
    /// Pretend not to know `preapprove_*_check`.
    #[tlv(3)]
    pub no_preapprove_check: Option<bool>,
    /// Log signatures that are shorter than they should be.
    #[tlv(5)]
    pub warn_on_overgrind: Option<bool>,
}

/// Opens the secret. lightningd's first message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdInit {
    /// How extended keys are printed.
    pub bip32_key_version: Bip32KeyVersion,
    /// The chain.
    pub chain_params: ChainParams,
    /// Unused since the passphrase goes with the TLVs.
    pub hsm_encryption_key: Option<Secret>,
    /// A node key to use instead of the secret's.
    pub dev_force_privkey: Option<SecretKey>,
    /// A wallet seed to use instead of the secret's.
    pub dev_force_bip32_seed: Option<Secret>,
    /// Basepoint secrets for every channel.
    pub dev_force_channel_secrets: Option<BasepointSecrets>,
    /// A shachain seed for every channel.
    pub dev_force_channel_secrets_shaseed: Option<ShachainSeed>,
    /// The oldest version of these messages lightningd accepts.
    pub hsm_wire_min_version: u32,
    /// The newest it knows.
    pub hsm_wire_max_version: u32,
    /// Later additions.
    pub tlvs: HsmdInitTlvs,
}

/// Additions to [`HsmdInit`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct HsmdInitTlvs {
    /// Opens the secret file, or protects a new one.
    #[tlv(1)]
    pub hsm_passphrase: Option<Passphrase>,
}

/// The secret is open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdInitReplyV4 {
    /// The version of these messages that both sides speak.
    pub hsm_version: u32,
    /// Numbers of the newer messages hsmd knows.
    pub hsm_capabilities: Vec<u32>,
    /// The node's id.
    pub node_id: NodeId,
    /// m/0/0 of the wallet.
    pub bip32: ExtKey,
    /// The old base of offer payer keys.
    pub bolt12: PublicKey,
    /// Later additions.
    pub tlvs: HsmdInitReplyV4Tlvs,
}

/// Additions to [`HsmdInitReplyV4`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct HsmdInitReplyV4Tlvs {
    /// What kind of secret file it is.
    #[tlv(1)]
    pub hsm_secret_type: Option<u8>,
    /// m/86'/0'/0' of a mnemonic's wallet.
    #[tlv(2)]
    pub bip86_base: Option<ExtKey>,
}

/// The secret can't be opened; hsmd ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdInitReplyFailure {
    /// Why, and lightningd's exit code.
    pub error_code: u32,
    /// Why, for people.
    pub error_message: WireString,
}

/// Gives a new client a connection. The descriptor follows the reply.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdClientHsmfd {
    /// The peer it may sign for.
    pub id: NodeId,
    /// The channel it may sign for; 0 for none.
    pub dbid: u64,
    /// What it may ask for: a set of capability bits.
    pub permissions: u64,
}

/// The descriptor follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdClientHsmfdReply {}

/// Developer: look for leaked memory.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdDevMemleak {}

/// Whether memory leaks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdDevMemleakReply {
    /// It does.
    pub leak: bool,
}

/// A client asked for what it may not have, or for nonsense, and was disconnected.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmstatusClientBadRequest {
    /// The peer of that client.
    pub id: NodeId,
    /// What was wrong.
    pub description: WireString,
    /// The request.
    pub msg: Vec<u8>,
}
