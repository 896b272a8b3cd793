//! ChaCha20-Poly1305 with BOLT 8's nonces, SHA-256 and HKDF.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::{digest, hkdf};
use zeroize::Zeroizing;

/// The authentication tag did not match.
#[derive(Debug)]
pub(crate) struct BadTag;

/// An encryption key.
pub(crate) struct Key(LessSafeKey);

impl Key {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, secret).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts in place and returns the tag.
    pub(crate) fn seal(&self, nonce: u64, data: &[u8], bytes: &mut [u8]) -> Tag {
        self.0
            .seal_in_place_separate_tag(encode_nonce(nonce), Aad::from(data), bytes)
            .expect("messages are far below ChaCha20's limit of 256 GiB")
    }

    /// Decrypts `bytes`, which end with the tag, in place and returns the cleartext part.
    pub(crate) fn open<'a>(
        &self,
        nonce: u64,
        data: &[u8],
        bytes: &'a mut [u8],
    ) -> Result<&'a mut [u8], BadTag> {
        self.0
            .open_in_place(encode_nonce(nonce), Aad::from(data), bytes)
            .map_err(|_| BadTag)
    }
}

// BOLT 8 §Handshake State: the nonce is 32 zero bits, then the counter, little-endian for once.
fn encode_nonce(nonce: u64) -> Nonce {
    let mut bytes = [0; 12];
    if let Some(counter) = bytes.last_chunk_mut() {
        *counter = nonce.to_le_bytes();
    }
    Nonce::assume_unique_for_key(bytes)
}

/// SHA-256 over the concatenation of two strings.
pub(crate) fn sha256(first: &[u8], second: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(first);
    context.update(second);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

struct TwoSecrets;

impl hkdf::KeyType for TwoSecrets {
    fn len(&self) -> usize {
        64
    }
}

/// BOLT 8's HKDF: two secrets from a chaining key and more key material.
pub(crate) fn hkdf2(
    chaining_key: &[u8; 32],
    material: &[u8],
) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
    let mut both = Zeroizing::new([0; 64]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, chaining_key)
        .extract(material)
        .expand(&[], TwoSecrets)
        .and_then(|okm| okm.fill(both.as_mut()))
        .expect("64 bytes are two blocks, below HKDF's limit of 255");
    let (mut first, mut second) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    let (left, right) = both.split_at(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    (first, second)
}
