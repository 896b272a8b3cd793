//! Digests of gossip messages.

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::{Message, SecretKey, ecdsa};

use crate::SignerError;
use crate::ecdsa::sign_low_r;

/// A kind of gossip message: its name, its type and the bytes of signatures after the type.
struct Kind {
    what: &'static str,
    number: u16,
    signatures: usize,
}

const CHANNEL_ANNOUNCEMENT: Kind = Kind {
    what: "channel_announcement",
    number: 256,
    signatures: 256,
};
const NODE_ANNOUNCEMENT: Kind = Kind {
    what: "node_announcement",
    number: 257,
    signatures: 64,
};
const CHANNEL_UPDATE: Kind = Kind {
    what: "channel_update",
    number: 258,
    signatures: 64,
};

impl Kind {
    /// The double SHA256 of all that follows the signatures.
    fn digest(&self, message: &[u8]) -> Result<Message, SignerError> {
        let too_short = SignerError::TooShort {
            what: self.what,
            length: message.len(),
        };
        let (number, rest) = message.split_first_chunk().ok_or(too_short.clone())?;
        let number = u16::from_be_bytes(*number);
        if number != self.number {
            return Err(SignerError::WrongMessage {
                what: self.what,
                number,
            });
        }
        let signed = rest.get(self.signatures..).ok_or(too_short)?;
        Ok(Message::from_digest(
            sha256d::Hash::hash(signed).to_byte_array(),
        ))
    }
}

// BOLT 7 §The `channel_announcement` Message: the hash begins after the four signatures.
pub(crate) fn sign_channel_announcement(
    message: &[u8],
    node: &SecretKey,
    funding: &SecretKey,
) -> Result<crate::AnnouncementSignatures, SignerError> {
    let digest = CHANNEL_ANNOUNCEMENT.digest(message)?;
    Ok(crate::AnnouncementSignatures {
        node: sign_low_r(&digest, node),
        bitcoin: sign_low_r(&digest, funding),
    })
}

// BOLT 7 §The `node_announcement` Message: the hash begins after the signature.
pub(crate) fn sign_node_announcement(
    message: &[u8],
    node: &SecretKey,
) -> Result<ecdsa::Signature, SignerError> {
    Ok(sign_low_r(&NODE_ANNOUNCEMENT.digest(message)?, node))
}

// BOLT 7 §The `channel_update` Message: the hash begins after the signature.
pub(crate) fn sign_channel_update(
    message: &[u8],
    node: &SecretKey,
) -> Result<Vec<u8>, SignerError> {
    /// What a `channel_update` has at least: everything up to htlc_maximum_msat.
    const SHORTEST: usize = 138;
    let digest = CHANNEL_UPDATE.digest(message)?;
    let signature = sign_low_r(&digest, node).serialize_compact();
    let mut signed = message.to_vec();
    match signed.get_mut(2..66) {
        Some(place) if message.len() >= SHORTEST => place.copy_from_slice(&signature),
        _ => {
            return Err(SignerError::TooShort {
                what: CHANNEL_UPDATE.what,
                length: message.len(),
            });
        }
    }
    Ok(signed)
}
