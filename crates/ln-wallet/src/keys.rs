//! From the extended keys that hsmd tells to scripts and addresses.

use bitcoin::bip32::{ChildNumber, Xpub};
use bitcoin::key::TapTweak;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, WPubkeyHash};
use ln_keys::secp;

/// The kinds of addresses of the wallet. All share one space of indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressKind {
    /// `bech32`: P2WPKH.
    P2wpkh,
    /// `p2tr`: taproot, key path only.
    P2tr,
    /// P2SH-wrapped P2WPKH, which old versions gave out.
    P2shP2wpkh,
}

/// The public side of the wallet's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletKeys {
    /// A node without a mnemonic: the extended key at m/0/0, children k.
    Legacy {
        /// `hsmd_init_reply`'s `bip32`.
        base: Xpub,
    },
    /// A node with a mnemonic: the extended key at m/86'/0'/0', children 0/k, for every kind of address.
    Bip86 {
        /// `hsmd_init_reply`'s `bip86_base`.
        base: Xpub,
    },
}

/// A key index that BIP 32 reserves for hardened derivation, which public keys cannot follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key index {0} is past 2^31: the wallet has run out of addresses")]
pub struct KeysExhausted(pub u32);

impl WalletKeys {
    /// The public key of an index.
    pub fn public_key(&self, index: u32) -> Result<PublicKey, KeysExhausted> {
        let child = ChildNumber::from_normal_idx(index).map_err(|_| KeysExhausted(index))?;
        let derived = match self {
            Self::Legacy { base } => base.derive_pub(secp(), &[child]),
            Self::Bip86 { base } => {
                let receive = ChildNumber::from_normal_idx(0).map_err(|_| KeysExhausted(0))?;
                base.derive_pub(secp(), &[receive, child])
            }
        };
        // The only failure left is a child number past the depth of BIP 32 or a hash no one can find.
        derived
            .map(|xpub| xpub.public_key)
            .map_err(|_| KeysExhausted(index))
    }

    /// The script of an address.
    pub fn script_pubkey(&self, kind: AddressKind, index: u32) -> Result<ScriptBuf, KeysExhausted> {
        self.public_key(index).map(|key| script_of(kind, &key))
    }
}

/// The script that pays a key with a kind of address.
pub fn script_of(kind: AddressKind, key: &PublicKey) -> ScriptBuf {
    let p2wpkh = || ScriptBuf::new_p2wpkh(&WPubkeyHash::from(bitcoin::CompressedPublicKey(*key)));
    match kind {
        AddressKind::P2wpkh => p2wpkh(),
        AddressKind::P2tr => {
            let (output_key, _) = key.x_only_public_key().0.tap_tweak(secp(), None);
            ScriptBuf::new_p2tr_tweaked(output_key)
        }
        AddressKind::P2shP2wpkh => p2wpkh().to_p2sh(),
    }
}
