//! Key derivation: BIP 44, 49, 84 and 86 accounts under one seed.

use bitcoin::bip32::{ChildNumber, Xpriv};
use bitcoin::key::{CompressedPublicKey, Keypair, TapTweak};
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use bitcoin::{Address, KnownHrp, Network, NetworkKind, PublicKey, ScriptBuf};
use std::collections::HashMap;

/// The form of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressKind {
    /// Pay to public key hash.
    Legacy,
    /// Pay to witness public key hash inside pay to script hash.
    P2shSegwit,
    /// Pay to witness public key hash.
    Bech32,
    /// Pay to taproot, key path.
    Bech32m,
}

impl AddressKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Legacy, Self::P2shSegwit, Self::Bech32, Self::Bech32m];

    /// The kind with the name that `getnewaddress` uses.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name that `getnewaddress` uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::P2shSegwit => "p2sh-segwit",
            Self::Bech32 => "bech32",
            Self::Bech32m => "bech32m",
        }
    }

    /// The purpose level of its derivation path.
    pub fn purpose(self) -> u32 {
        match self {
            Self::Legacy => 44,
            Self::P2shSegwit => 49,
            Self::Bech32 => 84,
            Self::Bech32m => 86,
        }
    }
}

/// Which key of the seed: `m/purpose'/1'/0'/change/index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPath {
    /// Form of the address, which decides the purpose level.
    pub kind: AddressKind,
    /// Whether it is on the internal chain.
    pub change: bool,
    /// Position on its chain.
    pub index: u32,
}

impl KeyPath {
    /// The path as text, with `h` for hardened steps.
    pub fn text(self) -> String {
        format!(
            "m/{}h/1h/0h/{}/{}",
            self.kind.purpose(),
            u8::from(self.change),
            self.index
        )
    }
}

/// The keys of a wallet.
#[derive(Debug)]
pub struct KeyRing {
    secp: Secp256k1<All>,
    master: Xpriv,
    chains: HashMap<(AddressKind, bool), Xpriv>,
    next: HashMap<(AddressKind, bool), u32>,
}

impl KeyRing {
    /// The keys under a 32-byte seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        let secp = Secp256k1::new();
        let master =
            Xpriv::new_master(Network::Regtest, seed).expect("a 32-byte seed has a master key");
        let mut chains = HashMap::new();
        for kind in AddressKind::ALL {
            for change in [false, true] {
                let hardened = |index| ChildNumber::Hardened { index };
                let path = [
                    hardened(kind.purpose()),
                    hardened(1),
                    hardened(0),
                    ChildNumber::Normal {
                        index: u32::from(change),
                    },
                ];
                let chain = master
                    .derive_priv(&secp, &path)
                    .expect("depth 4 is within bounds");
                chains.insert((kind, change), chain);
            }
        }
        Self {
            secp,
            master,
            chains,
            next: HashMap::new(),
        }
    }

    /// The signing context.
    pub fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }

    /// Fingerprint of the master key.
    pub fn fingerprint(&self) -> bitcoin::bip32::Fingerprint {
        self.master.fingerprint(&self.secp)
    }

    /// The first path of a chain that was not given out.
    pub fn next(&self, kind: AddressKind, change: bool) -> KeyPath {
        let index = self.next.get(&(kind, change)).copied().unwrap_or(0);
        KeyPath {
            kind,
            change,
            index,
        }
    }

    /// Marks a path as given out.
    pub fn advance_past(&mut self, path: KeyPath) {
        let next = self.next.entry((path.kind, path.change)).or_insert(0);
        *next = (*next).max(path.index.saturating_add(1));
    }

    /// The secret key at a path.
    pub fn secret(&self, path: KeyPath) -> SecretKey {
        let chain = self
            .chains
            .get(&(path.kind, path.change))
            .unwrap_or(&self.master);
        let index = ChildNumber::Normal {
            index: path.index & 0x7fff_ffff,
        };
        chain
            .derive_priv(&self.secp, &[index])
            .expect("depth 5 is within bounds")
            .private_key
    }

    /// The public key at a path.
    pub fn public(&self, path: KeyPath) -> CompressedPublicKey {
        CompressedPublicKey(self.secret(path).public_key(&self.secp))
    }

    /// The key pair that spends a taproot output at a path: tweaked, without scripts.
    pub fn tweaked(&self, path: KeyPath) -> Keypair {
        let pair = Keypair::from_secret_key(&self.secp, &self.secret(path));
        pair.tap_tweak(&self.secp, None).to_keypair()
    }

    /// The address at a path.
    pub fn address(&self, path: KeyPath) -> Address {
        let key = self.public(path);
        match path.kind {
            AddressKind::Legacy => Address::p2pkh(PublicKey::from(key), NetworkKind::Test),
            AddressKind::P2shSegwit => Address::p2shwpkh(&key, NetworkKind::Test),
            AddressKind::Bech32 => Address::p2wpkh(&key, KnownHrp::Regtest),
            AddressKind::Bech32m => Address::p2tr(&self.secp, key.into(), None, KnownHrp::Regtest),
        }
    }

    /// The output script at a path.
    pub fn script(&self, path: KeyPath) -> ScriptBuf {
        self.address(path).script_pubkey()
    }
}
