//! Shared secrets and the keys and streams made from them.

use std::fmt;
use std::sync::LazyLock;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::secp256k1::{All, PublicKey, Scalar, Secp256k1, SecretKey, ecdh};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use ln_codec::{Decode, Encode};

/// What a sender and one hop both know: the SHA256 of the product of a key and an ephemeral key.
///
/// BOLT 4 §Shared Secret.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SharedSecret(
    /// The secret.
    pub [u8; 32],
);

/// Not shown: it opens the onion.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

impl SharedSecret {
    /// From one side's secret key and the other side's public key.
    pub fn ecdh(theirs: &PublicKey, ours: &SecretKey) -> Self {
        Self(ecdh::SharedSecret::new(theirs, ours).secret_bytes())
    }

    /// The key of one purpose, such as `rho`.
    // BOLT 4 §Key Generation: the purpose is the HMAC's key and the secret its message.
    pub(crate) fn key(&self, purpose: &[u8]) -> [u8; 32] {
        hmac(purpose, &[&self.0])
    }

    /// `SHA256(point || secret)`, by which the ephemeral key changes from hop to hop.
    // BOLT 4 §Blinding Ephemeral Onion Keys
    pub(crate) fn blinding_factor(&self, point: &PublicKey) -> Option<Scalar> {
        let mut engine = sha256::Hash::engine();
        engine.input(&point.serialize());
        engine.input(&self.0);
        Scalar::from_be_bytes(sha256::Hash::from_engine(engine).to_byte_array()).ok()
    }

    /// The point of the next hop.
    pub(crate) fn next_point(&self, point: &PublicKey) -> Option<PublicKey> {
        let factor = self.blinding_factor(point)?;
        point.mul_tweak(secp(), &factor).ok()
    }
}

/// HMAC-SHA256 of the parts joined.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    for part in parts {
        engine.input(part);
    }
    Hmac::from_engine(engine).to_byte_array()
}

/// The pseudo-random stream of a key.
// BOLT 4 §Pseudo Random Byte Stream: ChaCha20 with a zero nonce; no key is used twice.
pub(crate) fn stream(key: &[u8; 32]) -> ChaCha20 {
    ChaCha20::new(&(*key).into(), &[0; 12].into())
}

/// XORs the beginning of a key's stream into `bytes`.
pub(crate) fn apply_stream(key: &[u8; 32], bytes: &mut [u8]) {
    stream(key).apply_keystream(bytes);
}

/// Whether two codes are equal, in a time that does not tell where they differ.
pub(crate) fn same_code(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && difference == 0
}

/// The tables of the curve: constants, built on first use.
pub(crate) fn secp() -> &'static Secp256k1<All> {
    static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);
    &SECP
}
