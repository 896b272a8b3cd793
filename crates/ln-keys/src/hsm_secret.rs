//! The `hsm_secret` file: four kinds, told apart by their size and first bytes.

use std::fmt;

use bip39::{Language, Mnemonic};
use bitcoin::hashes::{Hash, sha256};
use dryoc::classic::crypto_pwhash::{PasswordHashAlgorithm, crypto_pwhash};
use dryoc::classic::crypto_secretstream_xchacha20poly1305::{
    State, crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push, crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
};
use dryoc::constants::{
    CRYPTO_PWHASH_ARGON2ID_MEMLIMIT_MODERATE, CRYPTO_PWHASH_ARGON2ID_OPSLIMIT_MODERATE,
};
use zeroize::Zeroizing;

/// Bytes of a plain secret, and of the check value before a mnemonic.
const SECRET_LEN: usize = 32;
/// Bytes of the stream header that opens an encrypted secret.
const HEADER_LEN: usize = 24;
/// Bytes of an encrypted secret: header, secret, one tag byte and the authenticator.
const ENCRYPTED_LEN: usize = HEADER_LEN + SECRET_LEN + 17;
/// The salt of the passphrase hash.
const SALT: &[u8; 16] = b"c-lightning\0\0\0\0\0";

/// How a secret is kept in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HsmSecretKind {
    /// 32 bytes.
    Plain,
    /// 32 bytes under a passphrase.
    Encrypted,
    /// A BIP 39 mnemonic.
    Mnemonic,
    /// A BIP 39 mnemonic that needs its passphrase.
    MnemonicWithPassphrase,
}

impl HsmSecretKind {
    /// The number hsmd reports in `hsmd_init_reply_v4`.
    pub fn number(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Encrypted => 1,
            Self::Mnemonic => 2,
            Self::MnemonicWithPassphrase => 3,
        }
    }

    /// Which kind a file is; `None` when it is none of them.
    pub fn detect(file: &[u8]) -> Option<Self> {
        match file.len() {
            0..SECRET_LEN => None,
            SECRET_LEN => Some(Self::Plain),
            ENCRYPTED_LEN => Some(Self::Encrypted),
            _ if file.iter().take(SECRET_LEN).all(|byte| *byte == 0) => Some(Self::Mnemonic),
            _ => Some(Self::MnemonicWithPassphrase),
        }
    }

    /// Whether [`HsmSecret::parse`] will want a passphrase.
    pub fn needs_passphrase(self) -> bool {
        matches!(self, Self::Encrypted | Self::MnemonicWithPassphrase)
    }
}

/// Why a secret could not be read or made. [`HsmSecretError::code`] is lightningd's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HsmSecretError {
    /// The file needs a passphrase and none was given.
    #[error("passphrase required but not provided: start with --hsm-passphrase")]
    PassphraseRequired,
    /// The file has none, yet one was given.
    #[error("passphrase provided but not needed: start without --hsm-passphrase")]
    PassphraseNotNeeded,
    /// It does not open the file.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The words are not an English BIP 39 mnemonic with a right checksum, one space between words.
    #[error("invalid mnemonic")]
    InvalidMnemonic,
    /// The secret could not be encrypted.
    #[error("encryption failed")]
    EncryptionFailed,
    /// No seed could be derived.
    #[error("could not derive seed from mnemonic")]
    SeedDerivationFailed,
    /// The file is too short to be any kind.
    #[error("invalid hsm_secret format: {length} bytes, but at least 32 are needed")]
    InvalidFormat {
        /// Its size in bytes.
        length: usize,
    },
}

impl HsmSecretError {
    /// Core Lightning's number for it, in `hsmd_init_reply_failure` and as exit code.
    pub fn code(self) -> u32 {
        match self {
            Self::PassphraseRequired => 1,
            Self::PassphraseNotNeeded => 2,
            Self::WrongPassphrase => 3,
            Self::InvalidMnemonic => 4,
            Self::EncryptionFailed => 5,
            Self::SeedDerivationFailed => 6,
            Self::InvalidFormat { .. } => 7,
        }
    }
}

/// A node's root secret, out of its file.
#[derive(Clone, PartialEq, Eq)]
pub struct HsmSecret {
    kind: HsmSecretKind,
    bytes: Zeroizing<Vec<u8>>,
    mnemonic: Option<Zeroizing<String>>,
}

impl HsmSecret {
    /// Reads a file's contents. A passphrase given for a plain secret is ignored, as Core Lightning does.
    pub fn parse(file: &[u8], passphrase: Option<&str>) -> Result<Self, HsmSecretError> {
        let kind = HsmSecretKind::detect(file)
            .ok_or(HsmSecretError::InvalidFormat { length: file.len() })?;
        match kind {
            HsmSecretKind::Plain => Ok(Self {
                kind,
                bytes: Zeroizing::new(file.to_vec()),
                mnemonic: None,
            }),
            HsmSecretKind::Encrypted => {
                let passphrase = passphrase.ok_or(HsmSecretError::PassphraseRequired)?;
                Ok(Self {
                    kind,
                    bytes: decrypt(file, passphrase)?,
                    mnemonic: None,
                })
            }
            HsmSecretKind::Mnemonic | HsmSecretKind::MnemonicWithPassphrase => {
                Self::parse_mnemonic(kind, file, passphrase)
            }
        }
    }

    fn parse_mnemonic(
        kind: HsmSecretKind,
        file: &[u8],
        passphrase: Option<&str>,
    ) -> Result<Self, HsmSecretError> {
        match (kind.needs_passphrase(), passphrase) {
            (true, None) => return Err(HsmSecretError::PassphraseRequired),
            (false, Some(_)) => return Err(HsmSecretError::PassphraseNotNeeded),
            (true, Some(_)) | (false, None) => {}
        }
        let (check, words) = file.split_at_checked(SECRET_LEN).unwrap_or_default();
        let words = str::from_utf8(words).map_err(|_| HsmSecretError::InvalidMnemonic)?;
        let mnemonic = parse_words(words)?;
        let seed = Zeroizing::new(mnemonic.to_seed_normalized(passphrase.unwrap_or_default()));
        if kind.needs_passphrase() && check != sha256::Hash::hash(&*seed).as_byte_array() {
            return Err(HsmSecretError::WrongPassphrase);
        }
        Ok(Self {
            kind,
            bytes: Zeroizing::new(seed.to_vec()),
            mnemonic: Some(Zeroizing::new(words.to_owned())),
        })
    }

    /// How the file kept it.
    pub fn kind(&self) -> HsmSecretKind {
        self.kind
    }

    /// 32 bytes, or the 64 bytes of a mnemonic's seed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The words, if it has words.
    pub fn mnemonic(&self) -> Option<&str> {
        self.mnemonic.as_ref().map(|words| words.as_str())
    }
}

impl fmt::Debug for HsmSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HsmSecret")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Words as Core Lightning takes them: English, with a right checksum, nothing but one space between them.
fn parse_words(words: &str) -> Result<Mnemonic, HsmSecretError> {
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, words)
        .map_err(|_| HsmSecretError::InvalidMnemonic)?;
    let single_spaces = words.split(' ').eq(mnemonic.words());
    if single_spaces {
        Ok(mnemonic)
    } else {
        Err(HsmSecretError::InvalidMnemonic)
    }
}

/// The contents of a new file: twelve words from 16 random bytes, under `passphrase` if there is one.
pub fn new_hsm_secret_file(
    entropy: &[u8; 16],
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, HsmSecretError> {
    let mnemonic =
        Mnemonic::from_entropy(entropy).map_err(|_| HsmSecretError::SeedDerivationFailed)?;
    let words = Zeroizing::new(mnemonic.to_string());
    mnemonic_file(&words, passphrase)
}

/// The contents of a file for words a user brings.
pub fn mnemonic_file(
    words: &str,
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, HsmSecretError> {
    let mnemonic = parse_words(words)?;
    let check = match passphrase {
        None => [0; SECRET_LEN],
        Some(passphrase) => {
            let seed = Zeroizing::new(mnemonic.to_seed_normalized(passphrase));
            sha256::Hash::hash(&*seed).to_byte_array()
        }
    };
    let mut file = Zeroizing::new(check.to_vec());
    file.extend_from_slice(words.as_bytes());
    Ok(file)
}

/// The key that encrypts an old secret: Argon2id with libsodium's "moderate" cost (256 MiB).
fn encryption_key(passphrase: &str) -> Result<Zeroizing<[u8; 32]>, HsmSecretError> {
    let mut key = Zeroizing::new([0; 32]);
    crypto_pwhash(
        &mut *key,
        passphrase.as_bytes(),
        SALT,
        CRYPTO_PWHASH_ARGON2ID_OPSLIMIT_MODERATE,
        CRYPTO_PWHASH_ARGON2ID_MEMLIMIT_MODERATE,
        PasswordHashAlgorithm::Argon2id13,
    )
    .map_err(|_| HsmSecretError::WrongPassphrase)?;
    Ok(key)
}

fn decrypt(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, HsmSecretError> {
    let (header, cipher) = file
        .split_first_chunk::<HEADER_LEN>()
        .ok_or(HsmSecretError::InvalidFormat { length: file.len() })?;
    let key = encryption_key(passphrase)?;
    let mut state = State::new();
    crypto_secretstream_xchacha20poly1305_init_pull(&mut state, header, &key);
    let mut secret = Zeroizing::new(vec![0; SECRET_LEN]);
    crypto_secretstream_xchacha20poly1305_pull(&mut state, &mut secret, &mut 0, cipher, None)
        .map_err(|_| HsmSecretError::WrongPassphrase)?;
    Ok(secret)
}

/// The contents of an old-style encrypted file, for tools that change a passphrase. The node itself never writes one.
///
/// The stream's header is random: this is the one place of the crate that draws random bytes itself.
pub fn encrypt_plain_secret(
    secret: &[u8; 32],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, HsmSecretError> {
    let key = encryption_key(passphrase).map_err(|_| HsmSecretError::EncryptionFailed)?;
    let mut header = [0; HEADER_LEN];
    let mut state = State::new();
    crypto_secretstream_xchacha20poly1305_init_push(&mut state, &mut header, &key);
    let mut cipher = [0; ENCRYPTED_LEN - HEADER_LEN];
    crypto_secretstream_xchacha20poly1305_push(&mut state, &mut cipher, secret, None, 0)
        .map_err(|_| HsmSecretError::EncryptionFailed)?;
    let mut file = Zeroizing::new(header.to_vec());
    file.extend_from_slice(&cipher);
    Ok(file)
}
