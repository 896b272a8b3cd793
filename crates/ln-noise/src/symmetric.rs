//! What both sides keep during the handshake.

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use zeroize::Zeroizing;

use crate::cipher::{BadTag, Key, hkdf2, sha256};
use crate::{Act, HandshakeError, Session, transport};

const PROTOCOL_NAME: &[u8] = b"Noise_XK_secp256k1_ChaChaPoly_SHA256";
const PROLOGUE: &[u8] = b"lightning";

/// The handshake digest `h`, the chaining key `ck` and the current `temp_k`.
pub(crate) struct Symmetric {
    hash: [u8; 32],
    chaining_key: Zeroizing<[u8; 32]>,
    key: Key,
}

impl Symmetric {
    // BOLT 8 §Handshake State Initialization: both sides start with the responder's static key mixed in.
    pub(crate) fn new(responder: &PublicKey) -> Self {
        let protocol = sha256(PROTOCOL_NAME, &[]);
        let hash = sha256(&sha256(&protocol, PROLOGUE), &responder.serialize());
        Self {
            hash,
            chaining_key: Zeroizing::new(protocol),
            key: Key::new(&protocol), // replaced by the first mix_secret, before any use
        }
    }

    pub(crate) fn mix_hash(&mut self, bytes: &[u8]) {
        self.hash = sha256(&self.hash, bytes);
    }

    pub(crate) fn mix_secret(&mut self, secret: &SharedSecret) {
        let (chaining_key, key) = hkdf2(&self.chaining_key, secret.as_ref());
        self.chaining_key = chaining_key;
        self.key = Key::new(&key);
    }

    /// Encrypts `bytes` in place, returns the tag, and mixes both into the digest.
    pub(crate) fn seal(&mut self, nonce: u64, bytes: &mut [u8]) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(self.key.seal(nonce, &self.hash, bytes).as_ref());
        let mut sealed = bytes.to_vec();
        sealed.extend_from_slice(&tag);
        self.mix_hash(&sealed);
        tag
    }

    /// Decrypts ciphertext and tag in place and mixes what was received into the digest.
    pub(crate) fn open<'a>(
        &mut self,
        nonce: u64,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], BadTag> {
        let hash_after = sha256(&self.hash, sealed);
        let opened = self.key.open(nonce, &self.hash, sealed)?;
        self.hash = hash_after;
        Ok(opened)
    }

    /// The end of the handshake: the session of the initiator, or of the responder.
    pub(crate) fn into_session(self, remote: PublicKey, initiator: bool) -> Session {
        let (first, second) = hkdf2(&self.chaining_key, &[]);
        let (sending, receiving) = if initiator {
            (first, second)
        } else {
            (second, first)
        };
        Session {
            remote,
            encryptor: transport::Encryptor::new(&sending, &self.chaining_key),
            decryptor: transport::Decryptor::new(&receiving, &self.chaining_key),
        }
    }

    // BOLT 8 §Handshake Exchange: acts one and two are built alike, from our fresh key and what it shares with theirs.
    pub(crate) fn write_ephemeral(
        &mut self,
        ours: &SecretKey,
        theirs: &PublicKey,
    ) -> [u8; crate::ACT_ONE_LENGTH] {
        let public = public_key(ours).serialize();
        self.mix_hash(&public);
        self.mix_secret(&SharedSecret::new(theirs, ours));
        let tag = self.seal(0, &mut []);
        let mut act = [0; crate::ACT_ONE_LENGTH];
        let (head, tail) = act.split_at_mut(34);
        if let Some((_version, key)) = head.split_first_mut() {
            key.copy_from_slice(&public);
        }
        tail.copy_from_slice(&tag);
        act
    }
}

/// The public half of an ephemeral key.
pub(crate) fn public_key(secret: &SecretKey) -> PublicKey {
    PublicKey::from_secret_key(&Secp256k1::signing_only(), secret)
}

/// Checks length and version of an act and returns what follows the version byte.
pub(crate) fn open_act<const N: usize>(act: Act, bytes: &[u8]) -> Result<&[u8], HandshakeError> {
    let length = HandshakeError::Length {
        act,
        got: bytes.len(),
        expected: N,
    };
    let (version, body) = bytes.split_first().ok_or(length.clone())?;
    if bytes.len() != N {
        return Err(length);
    }
    // BOLT 8 §Handshake Versioning: whoever speaks another version is not answered.
    if *version != 0 {
        return Err(HandshakeError::Version {
            act,
            version: *version,
        });
    }
    Ok(body)
}

/// An act of an ephemeral key and a tag, read but not yet authenticated.
pub(crate) struct EphemeralAct {
    pub(crate) key: PublicKey,
    pub(crate) tag: [u8; 16],
}

pub(crate) fn read_ephemeral(act: Act, bytes: &[u8]) -> Result<EphemeralAct, HandshakeError> {
    let body = open_act::<{ crate::ACT_ONE_LENGTH }>(act, bytes)?;
    let (key, rest) = body.split_at(33);
    let mut tag = [0; 16];
    tag.copy_from_slice(rest);
    let key = PublicKey::from_slice(key).map_err(|_| HandshakeError::PublicKey { act })?;
    Ok(EphemeralAct { key, tag })
}
