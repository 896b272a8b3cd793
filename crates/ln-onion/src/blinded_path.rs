//! Blinded paths: made by the receiver, used by the sender, followed by the hops.

use bitcoin::secp256k1::{PublicKey, Scalar, SecretKey};
use ln_codec::{Decode, DecodeError, Encode, Reader};
use ln_types::ShortChannelIdDir;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::keys::secp;
use crate::{EncryptedData, SharedSecret};

/// The first node of a blinded path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introduction {
    /// By its key.
    Node(PublicKey),
    /// As one end of a public channel: direction 0 is the node with the lesser id.
    Channel(ShortChannelIdDir),
}

/// A blinded path, as carried in messages and invoices.
///
/// BOLT 4 §Route Blinding.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlindedPath {
    /// Where it begins.
    pub first_node_id: Introduction,
    /// The path key for the first node.
    pub first_path_key: PublicKey,
    /// Its hops, the first node included; never empty.
    pub path: BlindedHops,
}

/// The hops of a blinded path: 1 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindedHops(Vec<BlindedHop>);

/// One hop of a blinded path.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlindedHop {
    /// The key to encrypt the hop's onion payload to.
    pub blinded_node_id: PublicKey,
    /// What the hop decrypts to learn what to do.
    pub encrypted_recipient_data: Vec<u8>,
}

/// Why a path can't be made or followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlindingError {
    /// A path of no hop or of more than 255.
    #[error("a blinded path has 1 to 255 hops, not {0}")]
    Hops(usize),
    /// A key came out as zero or infinity: choose another session key.
    #[error("the blinded path's keys do not work out")]
    Key,
    /// `encrypted_recipient_data` was not made for this key and path key.
    #[error("encrypted_recipient_data does not decrypt")]
    Decrypt,
    /// The plain text is not a valid stream.
    #[error("encrypted_recipient_data is malformed: {0}")]
    Malformed(DecodeError),
}

// BOLT 1 §Fundamental Types: a sciddir_or_pubkey begins with 0 or 1 for a channel's direction, 2 or 3 for a key.
impl Encode for Introduction {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Node(key) => key.encode(out),
            Self::Channel(channel) => {
                out.push(channel.direction & 1);
                channel.scid.encode(out);
            }
        }
    }
}

impl Decode for Introduction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.peek().first() {
            Some(direction @ (0 | 1)) => {
                reader.take(1)?;
                Ok(Self::Channel(ShortChannelIdDir {
                    scid: Decode::decode(reader)?,
                    direction: *direction,
                }))
            }
            _ => Decode::decode(reader).map(Self::Node),
        }
    }
}

impl BlindedHops {
    /// The hops, first node first.
    pub fn as_slice(&self) -> &[BlindedHop] {
        &self.0
    }
}

impl TryFrom<Vec<BlindedHop>> for BlindedHops {
    type Error = BlindingError;
    fn try_from(hops: Vec<BlindedHop>) -> Result<Self, BlindingError> {
        if (1..=255).contains(&hops.len()) {
            Ok(Self(hops))
        } else {
            Err(BlindingError::Hops(hops.len()))
        }
    }
}

impl Encode for BlindedHops {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.0.len()).expect("at most 255, checked when made"));
        Encode::encode_many(&self.0, out);
    }
}

impl Decode for BlindedHops {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = usize::from(u8::decode(reader)?);
        let hops = BlindedHop::decode_many(reader, count)?;
        Self::try_from(hops).map_err(|_| DecodeError::Invalid {
            what: "blinded path without hops",
        })
    }
}

/// A path just made, and what its maker may keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlindedPath {
    /// The path key for the first hop.
    pub first_path_key: PublicKey,
    /// The hops.
    pub hops: Vec<BlindedHop>,
    /// The path key the last hop will see, by which the maker may recognise the path.
    pub last_path_key: PublicKey,
    /// The session key that continues the path beyond the last hop.
    pub next_session_key: SecretKey,
}

/// Blinds the hops of a path: each a node id and the plain TLV stream it shall find.
///
/// `session_key` must be fresh and random.
///
/// BOLT 4 §Route Blinding.
pub fn blind_path(
    session_key: &SecretKey,
    hops: &[(PublicKey, Vec<u8>)],
) -> Result<NewBlindedPath, BlindingError> {
    if !(1..=255).contains(&hops.len()) {
        return Err(BlindingError::Hops(hops.len()));
    }
    let first_path_key = session_key.public_key(secp());
    let mut session_key = *session_key;
    let mut last_path_key = first_path_key;
    let mut blinded = Vec::with_capacity(hops.len());
    for (node_id, data) in hops {
        let path_key = session_key.public_key(secp());
        let secret = SharedSecret::ecdh(node_id, &session_key);
        let blinded_node_id = node_id
            .mul_tweak(secp(), &blinding(&secret)?)
            .map_err(|_| BlindingError::Key)?;
        blinded.push(BlindedHop {
            blinded_node_id,
            encrypted_recipient_data: seal(&secret, data),
        });
        last_path_key = path_key;
        let factor = secret
            .blinding_factor(&path_key)
            .ok_or(BlindingError::Key)?;
        session_key = session_key
            .mul_tweak(&factor)
            .map_err(|_| BlindingError::Key)?;
    }
    Ok(NewBlindedPath {
        first_path_key,
        hops: blinded,
        last_path_key,
        next_session_key: session_key,
    })
}

/// The ephemeral key to do ECDH with when an onion is encrypted to our blinded id. `path_secret` is that of our key with the
/// path key.
///
/// BOLT 4 §Onion Decryption: changing the onion's key is the same as changing our own, and leaves that one with its holder.
pub fn blind_ephemeral_key(
    path_secret: &SharedSecret,
    public_key: &PublicKey,
) -> Result<PublicKey, BlindingError> {
    public_key
        .mul_tweak(secp(), &blinding(path_secret)?)
        .map_err(|_| BlindingError::Key)
}

/// What a hop learns from its `encrypted_recipient_data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnblindedHop {
    /// The instructions.
    pub data: EncryptedData,
    /// The path key to hand to the next hop.
    pub next_path_key: PublicKey,
}

/// Decrypts what the path's maker wrote for us. `path_secret` is that of our key with `path_key`.
pub fn unblind_hop(
    path_secret: &SharedSecret,
    path_key: &PublicKey,
    encrypted_recipient_data: &[u8],
) -> Result<UnblindedHop, BlindingError> {
    let plain = open(path_secret, encrypted_recipient_data)?;
    let data = EncryptedData::from_bytes(&plain).map_err(BlindingError::Malformed)?;
    // BOLT 4 §Route Blinding: an override replaces the computed path key.
    let next_path_key = match data.next_path_key_override {
        Some(key) => key,
        None => path_secret.next_point(path_key).ok_or(BlindingError::Key)?,
    };
    Ok(UnblindedHop {
        data,
        next_path_key,
    })
}

fn blinding(secret: &SharedSecret) -> Result<Scalar, BlindingError> {
    Scalar::from_be_bytes(secret.key(b"blinded_node_id")).map_err(|_| BlindingError::Key)
}

fn cipher(secret: &SharedSecret) -> (LessSafeKey, Nonce) {
    let key =
        UnboundKey::new(&CHACHA20_POLY1305, &secret.key(b"rho")).expect("the key is 32 bytes");
    (LessSafeKey::new(key), Nonce::assume_unique_for_key([0; 12]))
}

fn seal(secret: &SharedSecret, data: &[u8]) -> Vec<u8> {
    let (key, nonce) = cipher(secret);
    let mut bytes = data.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes)
        .expect("a TLV stream is far below the cipher's limit");
    bytes
}

fn open(secret: &SharedSecret, data: &[u8]) -> Result<Vec<u8>, BlindingError> {
    let (key, nonce) = cipher(secret);
    let mut bytes = data.to_vec();
    let plain = key
        .open_in_place(nonce, Aad::empty(), &mut bytes)
        .map_err(|_| BlindingError::Decrypt)?;
    Ok(plain.to_vec())
}
