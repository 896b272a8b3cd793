//! Encryption of messages after the handshake.

use std::fmt;

use bitcoin::secp256k1::PublicKey;
use zeroize::Zeroizing;

use crate::TransportError;
use crate::cipher::{BadTag, Key, hkdf2};

/// Bytes of the encrypted length prefix with its tag.
pub const HEADER_LENGTH: usize = 18;
/// Bytes of the tag after a message.
pub const TAG_LENGTH: usize = 16;
/// The longest message a frame can carry.
pub const MAX_MESSAGE_LENGTH: usize = 65535;

/// BOLT 8 §Lightning Message Key Rotation: a key serves this many encryptions.
const ROTATION_INTERVAL: u64 = 1000;

/// What a finished handshake yields.
pub struct Session {
    /// The other side's node id, proven.
    pub remote: PublicKey,
    /// For what we send.
    pub encryptor: Encryptor,
    /// For what we receive.
    pub decryptor: Decryptor,
}

/// A key with its nonce and the chaining key for its successors.
struct RotatingKey {
    secret: Zeroizing<[u8; 32]>,
    key: Key,
    chaining_key: Zeroizing<[u8; 32]>,
    nonce: u64,
}

impl RotatingKey {
    fn new(secret: &[u8; 32], chaining_key: &[u8; 32]) -> Self {
        Self {
            secret: Zeroizing::new(*secret),
            key: Key::new(secret),
            chaining_key: Zeroizing::new(*chaining_key),
            nonce: 0,
        }
    }

    // BOLT 8 §Lightning Message Key Rotation: at nonce 1000 the next key is derived and the nonce starts again.
    fn advance(&mut self) {
        self.nonce = self.nonce.saturating_add(1);
        if self.nonce == ROTATION_INTERVAL {
            let (chaining_key, secret) = hkdf2(&self.chaining_key, self.secret.as_ref());
            self.key = Key::new(&secret);
            self.secret = secret;
            self.chaining_key = chaining_key;
            self.nonce = 0;
        }
    }

    fn seal(&mut self, bytes: &mut [u8]) -> [u8; TAG_LENGTH] {
        let mut tag = [0; TAG_LENGTH];
        tag.copy_from_slice(self.key.seal(self.nonce, &[], bytes).as_ref());
        self.advance();
        tag
    }

    fn open<'a>(&mut self, bytes: &'a mut [u8]) -> Result<&'a mut [u8], BadTag> {
        let opened = self.key.open(self.nonce, &[], bytes)?;
        self.advance();
        Ok(opened)
    }
}

/// Encrypts the messages we send.
pub struct Encryptor(RotatingKey);

impl Encryptor {
    /// From a sending key and the chaining key at the end of the handshake.
    pub fn new(key: &[u8; 32], chaining_key: &[u8; 32]) -> Self {
        Self(RotatingKey::new(key, chaining_key))
    }

    /// Appends the frame of one message to `out`.
    pub fn encrypt(&mut self, message: &[u8], out: &mut Vec<u8>) -> Result<(), TransportError> {
        // A message that does not fit must not cost a copy either.
        if message.len() > MAX_MESSAGE_LENGTH {
            return Err(TransportError::TooLong {
                length: message.len(),
            });
        }
        out.reserve(
            HEADER_LENGTH
                .saturating_add(message.len())
                .saturating_add(TAG_LENGTH),
        );
        self.encrypt_with(out, |out| out.extend_from_slice(message))
    }

    /// Appends the frame of the message that `write` appends to its argument, encrypted where it was written. When the message is too
    /// long nothing is appended, and the session can go on.
    pub fn encrypt_with(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), TransportError> {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LENGTH]);
        write(out);
        let frame = out.get_mut(start..).unwrap_or_default();
        let (header, message) = frame
            .split_at_mut_checked(HEADER_LENGTH)
            .unwrap_or_default();
        let Ok(length) = u16::try_from(message.len()) else {
            let length = message.len();
            out.truncate(start);
            return Err(TransportError::TooLong { length });
        };
        // BOLT 8 §Encrypting and Sending Messages: length and message are encrypted one by one, each with its nonce and tag.
        let mut prefix = length.to_be_bytes();
        let prefix_tag = self.0.seal(&mut prefix);
        let sealed = prefix.iter().chain(&prefix_tag);
        for (to, from) in header.iter_mut().zip(sealed) {
            *to = *from;
        }
        let tag = self.0.seal(message);
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// What [`Decryptor::decrypt`] found at the front of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Not enough bytes yet.
    Need {
        /// How many the buffer must hold, counted from its front, before it makes sense to ask again.
        total: usize,
    },
    /// One message, decrypted in place.
    Message {
        /// The message; it may be empty.
        message: &'a mut [u8],
        /// Bytes of the buffer that the frame took: the caller drops them before the next call.
        used: usize,
    },
}

/// Decrypts the messages we receive.
pub struct Decryptor {
    key: RotatingKey,
    /// Length of the message whose prefix has been decrypted already.
    pending: Option<u16>,
}

impl Decryptor {
    /// From a receiving key and the chaining key at the end of the handshake.
    pub fn new(key: &[u8; 32], chaining_key: &[u8; 32]) -> Self {
        Self {
            key: RotatingKey::new(key, chaining_key),
            pending: None,
        }
    }

    /// Decrypts the frame at the front of `buffer`, which holds the bytes received and not yet used, in place.
    ///
    /// After [`Next::Need`] the caller appends to the same bytes and asks again: a prefix already decrypted is remembered and its
    /// bytes are not looked at again. After an error the session is over.
    pub fn decrypt<'a>(&mut self, buffer: &'a mut [u8]) -> Result<Next<'a>, TransportError> {
        let Some((header, body)) = buffer.split_at_mut_checked(HEADER_LENGTH) else {
            return Ok(Next::Need {
                total: HEADER_LENGTH,
            });
        };
        let length = match self.pending {
            Some(length) => length,
            None => {
                let opened = self.key.open(header);
                let opened = opened.map_err(|BadTag| TransportError::LengthTag)?;
                let mut prefix = [0; 2];
                prefix.copy_from_slice(opened);
                *self.pending.insert(u16::from_be_bytes(prefix))
            }
        };
        let length = usize::from(length);
        let sealed_length = length.saturating_add(TAG_LENGTH);
        let used = HEADER_LENGTH.saturating_add(sealed_length);
        let Some(sealed) = body.get_mut(..sealed_length) else {
            return Ok(Next::Need { total: used });
        };
        let message = self.key.open(sealed);
        let message = message.map_err(|BadTag| TransportError::MessageTag { length })?;
        self.pending = None;
        Ok(Next::Message { message, used })
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").finish_non_exhaustive()
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
