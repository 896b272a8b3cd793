//! The onion packet as it travels.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::PublicKey;

use crate::FailureMessage;

/// The length of the payload area in `update_add_htlc`, in bytes.
pub const PAYMENT_PAYLOADS: usize = 1300;
/// Version, ephemeral key and HMAC around the payload area.
const AROUND: usize = 1 + 33 + 32;

/// A packet of version 0.
///
/// BOLT 4 §Packet Structure. In a payment the payload area is [`PAYMENT_PAYLOADS`] long; in an onion message it may have any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnionPacket {
    /// The sender's ephemeral key for the hop that reads this.
    pub public_key: PublicKey,
    /// The payloads, obfuscated.
    pub hop_payloads: Vec<u8>,
    /// Authenticates the payloads and the associated data.
    pub hmac: [u8; 32],
}

/// Why bytes are not a packet we can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Fewer bytes than a packet without payloads has.
    #[error("an onion of {0} bytes is too short")]
    Short(usize),
    /// Not version 0.
    #[error("unknown onion version {0}")]
    Version(u8),
    /// The ephemeral key is not on the curve.
    #[error("the onion's ephemeral key is not a point")]
    Key,
}

impl PacketError {
    /// The failure to report for the packet `bytes`.
    pub fn failure(self, bytes: &[u8]) -> FailureMessage {
        let sha256_of_onion = sha256::Hash::hash(bytes).to_byte_array();
        match self {
            Self::Short(_) | Self::Version(_) => {
                FailureMessage::InvalidOnionVersion { sha256_of_onion }
            }
            Self::Key => FailureMessage::InvalidOnionKey { sha256_of_onion },
        }
    }
}

impl OnionPacket {
    /// Reads a packet; the payload area is what the header and the HMAC leave.
    // BOLT 4 §Onion Decryption: the version is looked at first, then the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PacketError> {
        let short = || PacketError::Short(bytes.len());
        let (version, rest) = bytes.split_first().ok_or_else(short)?;
        if *version != 0 {
            return Err(PacketError::Version(*version));
        }
        let (key, rest) = rest.split_at_checked(33).ok_or_else(short)?;
        let (hop_payloads, hmac) = rest.split_last_chunk::<32>().ok_or_else(short)?;
        Ok(Self {
            public_key: PublicKey::from_slice(key).map_err(|_| PacketError::Key)?,
            hop_payloads: hop_payloads.to_vec(),
            hmac: *hmac,
        })
    }

    /// The bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.hop_payloads.len().saturating_add(AROUND));
        bytes.push(0);
        bytes.extend_from_slice(&self.public_key.serialize());
        bytes.extend_from_slice(&self.hop_payloads);
        bytes.extend_from_slice(&self.hmac);
        bytes
    }
}
