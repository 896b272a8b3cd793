//! From the root secret to the node's own keys: identity, wallet, offers, derived secrets.

use std::fmt;

use bitcoin::NetworkKind;
use bitcoin::bip32::{ChildNumber, Xpriv, Xpub};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{PublicKey, Scalar, SecretKey};
use hkdf::Hkdf;
use ln_types::NodeId;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::basepoints::BasepointSecrets;
use crate::channel_keys::ChannelKeys;
use crate::derive::{public_key, secp};
use crate::hsm_secret::HsmSecret;
use crate::per_commitment::ShachainSeed;

/// Purpose of the branch that holds the old offer payer key.
const LIGHTNING_PURPOSE: u32 = 9735;
/// The first unhardened child.
const ZERO: ChildNumber = ChildNumber::Normal { index: 0 };

/// Fills `N` bytes by HKDF-SHA256.
pub(crate) fn hkdf<const N: usize>(
    salt: Option<&[u8]>,
    input: &[u8],
    info: &[u8],
) -> Zeroizing<[u8; N]> {
    let mut output = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(salt, input)
        .expand(info, &mut *output)
        .expect("every length asked for is under 255 hashes");
    output
}

/// Keys a developer may force upon a node (`--dev-force-*`), instead of those its secret gives.
#[derive(Clone, Default)]
pub struct ForcedKeys {
    /// The node's key.
    pub node: Option<SecretKey>,
    /// The seed of the wallet's BIP 32 tree; the mnemonic's own tree (BIP 86) is not replaced.
    pub bip32_seed: Option<Zeroizing<[u8; 32]>>,
    /// The basepoint secrets of every channel.
    pub channel_secrets: Option<BasepointSecrets>,
    /// The shachain seed of every channel.
    pub shachain_seed: Option<ShachainSeed>,
}

/// Why keys could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Wallet indexes end where hardened ones begin.
    #[error("wallet key index {index} is too great: the last one is 2147483647")]
    IndexTooGreat {
        /// The index asked for.
        index: u32,
    },
    /// The secret has no BIP 86 tree.
    #[error("bip86 keys need a secret made from a mnemonic")]
    NotMnemonic,
    /// A tweak made a key impossible.
    #[error("the tweak gives no key")]
    BadTweak,
}

/// All keys of a node.
pub struct NodeKeys {
    secret: Zeroizing<Vec<u8>>,
    node: SecretKey,
    /// m/0/0 of the HKDF-made tree.
    legacy_wallet: Xpriv,
    /// m/86'/0'/0' of the mnemonic's tree.
    bip86: Option<Xpriv>,
    bolt12: SecretKey,
    derived_base: Zeroizing<[u8; 32]>,
    channel_base: Zeroizing<[u8; 32]>,
    forced: ForcedKeys,
}

/// The public side of the wallet's keys: what hsmd tells lightningd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletBase {
    /// m/0/0 of the HKDF-made tree.
    pub legacy: Xpub,
    /// m/86'/0'/0' of a mnemonic's tree; when there, all addresses come from it.
    pub bip86: Option<Xpub>,
}

impl WalletBase {
    /// The public key of address `index`.
    pub fn public_key(&self, index: u32) -> Result<PublicKey, KeyError> {
        let child = child_number(index)?;
        let derived = match &self.bip86 {
            Some(base) => base.derive_pub(secp(), &[ZERO, child]),
            None => self.legacy.derive_pub(secp(), &[child]),
        };
        derived
            .map(|xpub| xpub.public_key)
            .map_err(|_| KeyError::BadTweak)
    }
}

fn child_number(index: u32) -> Result<ChildNumber, KeyError> {
    ChildNumber::from_normal_idx(index).map_err(|_| KeyError::IndexTooGreat { index })
}

fn hardened(index: u32) -> ChildNumber {
    ChildNumber::from_hardened_idx(index).expect("a constant below 2^31")
}

/// The keys that HKDF gives for salts 0, 1, 2…, until `make` takes one. In practice it takes the first.
fn first_valid<T>(input: &[u8], info: &[u8], make: impl Fn(&[u8; 32]) -> Option<T>) -> T {
    (0_u32..)
        .find_map(|salt| make(&hkdf(Some(&salt.to_le_bytes()), input, info)))
        .expect("one in 2^127 hashes is not a key")
}

/// The root of the HKDF-made tree.
fn legacy_root(secret: &[u8], network: NetworkKind) -> Xpriv {
    first_valid(secret, b"bip32 seed", |seed| {
        Xpriv::new_master(network, seed).ok()
    })
}

impl NodeKeys {
    /// The keys of a secret, with extended keys printed for `network`.
    pub fn new(secret: &HsmSecret, network: NetworkKind, forced: ForcedKeys) -> Self {
        const VALID: &str = "a child key is invalid only by a chosen hash";
        let bytes = secret.bytes();
        let first_half = bytes.get(..32).unwrap_or(bytes);
        let node = forced.node.unwrap_or_else(|| {
            first_valid(first_half, b"nodeid", |key| SecretKey::from_slice(key).ok())
        });
        let master = match &forced.bip32_seed {
            Some(seed) => Xpriv::new_master(network, &**seed).expect(VALID),
            None => legacy_root(bytes, network),
        };
        let derive = |path: &[ChildNumber]| master.derive_priv(secp(), &path).expect(VALID);
        let bip86 = secret.mnemonic().is_some().then(|| {
            Xpriv::new_master(network, bytes)
                .and_then(|root| {
                    root.derive_priv(secp(), &[hardened(86), hardened(0), hardened(0)])
                })
                .expect(VALID)
        });
        Self {
            node,
            legacy_wallet: derive(&[ZERO, ZERO]),
            bip86,
            bolt12: derive(&[hardened(LIGHTNING_PURPOSE)]).private_key,
            derived_base: hkdf(None, bytes, b"derived secrets"),
            channel_base: hkdf(None, first_half, b"peer seed"),
            secret: Zeroizing::new(bytes.to_vec()),
            forced,
        }
    }

    /// The node's secret key.
    pub fn node_secret(&self) -> &SecretKey {
        &self.node
    }

    /// The node's id.
    pub fn node_id(&self) -> NodeId {
        NodeId::from(public_key(&self.node))
    }

    /// The root secret: 32 bytes, or 64 from a mnemonic.
    pub fn root_secret(&self) -> &[u8] {
        &self.secret
    }

    /// The old base of offer payer keys.
    pub fn bolt12_secret(&self) -> &SecretKey {
        &self.bolt12
    }

    /// The wallet's public side.
    pub fn wallet_base(&self) -> WalletBase {
        WalletBase {
            legacy: Xpub::from_priv(secp(), &self.legacy_wallet),
            bip86: self
                .bip86
                .as_ref()
                .map(|base| Xpub::from_priv(secp(), base)),
        }
    }

    /// The key that descriptors of the wallet start from, and the path from there to its addresses: the root of the HKDF-made tree, or
    /// m/86'/0'/0' of a mnemonic's.
    pub fn descriptor_base(&self) -> (Xpriv, &'static str) {
        match self.bip86 {
            Some(base) => (base, "0"),
            None => (legacy_root(&self.secret, self.legacy_wallet.network), "0/0"),
        }
    }

    /// Whether addresses come from the mnemonic's BIP 86 tree.
    pub fn uses_bip86(&self) -> bool {
        self.bip86.is_some()
    }

    /// The secret key of address `index`.
    pub fn wallet_secret(&self, index: u32) -> Result<SecretKey, KeyError> {
        if self.bip86.is_some() {
            self.bip86_secret(index)
        } else {
            self.legacy_wallet_secret(index)
        }
    }

    /// The secret key `index` of the HKDF-made tree, whatever kind the secret is.
    pub fn legacy_wallet_secret(&self, index: u32) -> Result<SecretKey, KeyError> {
        derive_secret(&self.legacy_wallet, &[child_number(index)?])
    }

    /// The secret key 86'/0'/0'/0/`index` of the mnemonic's tree.
    pub fn bip86_secret(&self, index: u32) -> Result<SecretKey, KeyError> {
        let base = self.bip86.as_ref().ok_or(KeyError::NotMnemonic)?;
        derive_secret(base, &[ZERO, child_number(index)?])
    }

    /// The secret named `info`, as `makesecret` gives it.
    pub fn derived_secret(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        hkdf(None, &*self.derived_base, info)
    }

    /// The node key tweaked by SHA256(derived secret `info`, then `tweak`): the key behind an offer's alias.
    pub fn alias_secret(&self, info: &[u8], tweak: &[u8]) -> Result<SecretKey, KeyError> {
        let base = self.derived_secret(info);
        add_hash(&self.node, &[&*base, tweak])
    }

    /// The old payer key: the offer base tweaked by SHA256(its public key, then `tweak`).
    pub fn payer_secret(&self, tweak: &[u8]) -> Result<SecretKey, KeyError> {
        let base = public_key(&self.bolt12).serialize();
        add_hash(&self.bolt12, &[&base, tweak])
    }

    /// The keys of the channel with this peer and database id.
    pub fn channel(&self, peer: &NodeId, dbid: u64) -> ChannelKeys {
        let mut salt = peer.to_bytes().to_vec();
        // The number is little-endian, as it was on the machines Core Lightning began on.
        salt.extend_from_slice(&dbid.to_le_bytes());
        let seed = hkdf(Some(&salt), &*self.channel_base, b"per-peer seed");
        let mut keys = ChannelKeys::from_seed(&seed);
        if let Some(secrets) = &self.forced.channel_secrets {
            keys.secrets = secrets.clone();
        }
        if let Some(seed) = &self.forced.shachain_seed {
            keys.shachain_seed = seed.clone();
        }
        keys
    }
}

fn derive_secret(base: &Xpriv, path: &[ChildNumber]) -> Result<SecretKey, KeyError> {
    base.derive_priv(secp(), &path)
        .map(|xpriv| xpriv.private_key)
        .map_err(|_| KeyError::BadTweak)
}

/// `secret` plus the SHA256 of `parts` in a row.
fn add_hash(secret: &SecretKey, parts: &[&[u8]]) -> Result<SecretKey, KeyError> {
    let mut engine = sha256::Hash::engine();
    for part in parts {
        engine.input(part);
    }
    let tweak = sha256::Hash::from_engine(engine).to_byte_array();
    Scalar::from_be_bytes(tweak)
        .ok()
        .and_then(|tweak| secret.add_tweak(&tweak).ok())
        .ok_or(KeyError::BadTweak)
}

/// The public key of [`NodeKeys::alias_secret`]: what an offer shows instead of the node id.
///
/// `base` is the derived secret, which lightningd may know.
pub fn alias_public_key(
    node: &NodeId,
    base: &[u8; 32],
    tweak: &[u8],
) -> Result<PublicKey, KeyError> {
    let mut engine = sha256::Hash::engine();
    engine.input(base);
    engine.input(tweak);
    let tweak = sha256::Hash::from_engine(engine).to_byte_array();
    Scalar::from_be_bytes(tweak)
        .ok()
        .and_then(|tweak| node.public_key().add_exp_tweak(secp(), &tweak).ok())
        .ok_or(KeyError::BadTweak)
}

impl fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKeys")
            .field("node_id", &self.node_id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ForcedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForcedKeys(..)")
    }
}

impl Drop for NodeKeys {
    fn drop(&mut self) {
        self.secret.zeroize();
        self.node.non_secure_erase();
        self.bolt12.non_secure_erase();
        self.legacy_wallet.private_key.non_secure_erase();
        if let Some(base) = &mut self.bip86 {
            base.private_key.non_secure_erase();
        }
    }
}
