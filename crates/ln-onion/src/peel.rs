//! Opening one layer of a packet.

use bitcoin::hashes::{Hash, sha256};
use chacha20::cipher::StreamCipher;
use ln_codec::{BigSize, Reader};

use crate::keys::{hmac, same_code, stream};
use crate::{FailureMessage, OnionPacket, SharedSecret};

/// What one layer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peeled {
    /// There are more hops.
    Forward {
        /// Our payload, a TLV stream.
        payload: Vec<u8>,
        /// The packet for the next hop.
        next_packet: OnionPacket,
    },
    /// We are the last hop.
    Final {
        /// Our payload, a TLV stream.
        payload: Vec<u8>,
    },
}

/// Why a layer can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeelError {
    /// The HMAC does not fit: meant for another node, or changed on the way.
    #[error("the onion's HMAC is wrong")]
    Hmac,
    /// The length of our payload is malformed, reserved or past the end.
    #[error("the length of the onion's payload is malformed")]
    PayloadLength,
    /// The next ephemeral key would be the point at infinity.
    #[error("the onion's next ephemeral key is not a point")]
    NextKey,
}

impl PeelError {
    /// The failure to report for the packet `bytes`.
    pub fn failure(self, bytes: &[u8]) -> FailureMessage {
        let sha256_of_onion = sha256::Hash::hash(bytes).to_byte_array();
        match self {
            Self::Hmac => FailureMessage::InvalidOnionHmac { sha256_of_onion },
            Self::NextKey => FailureMessage::InvalidOnionKey { sha256_of_onion },
            Self::PayloadLength => FailureMessage::InvalidOnionPayload {
                tlv_type: BigSize(0),
                offset: 0,
            },
        }
    }
}

/// Opens the layer meant for us.
///
/// `shared_secret` is that of our key with the packet's `public_key`; if a path key came with the packet, with that key as
/// [`blind_ephemeral_key`](crate::blind_ephemeral_key) changes it.
///
/// BOLT 4 §Onion Decryption.
pub fn peel(
    packet: &OnionPacket,
    shared_secret: &SharedSecret,
    associated_data: &[u8],
) -> Result<Peeled, PeelError> {
    let parts = [packet.hop_payloads.as_slice(), associated_data];
    let code = hmac(&shared_secret.key(b"mu"), &parts);
    if !same_code(&code, &packet.hmac) {
        return Err(PeelError::Hmac);
    }
    let mut stream = stream(&shared_secret.key(b"rho"));
    let mut payloads = packet.hop_payloads.clone();
    stream.apply_keystream(&mut payloads);
    let mut reader = Reader::new(&payloads);
    let (payload, next_hmac) = first_payload(&mut reader).ok_or(PeelError::PayloadLength)?;
    let payload = payload.to_vec();
    if next_hmac == [0; 32] {
        return Ok(Peeled::Final { payload });
    }
    let taken = payloads.len().saturating_sub(reader.remaining());
    let public_key = shared_secret
        .next_point(&packet.public_key)
        .ok_or(PeelError::NextKey)?;
    // The area is refilled with what the stream makes of zeros behind its end.
    payloads.copy_within(taken.., 0);
    let start = payloads.len().saturating_sub(taken);
    let (_, tail) = payloads.split_at_mut(start);
    tail.fill(0);
    stream.apply_keystream(tail);
    let next_packet = OnionPacket {
        public_key,
        hop_payloads: payloads,
        hmac: next_hmac,
    };
    Ok(Peeled::Forward {
        payload,
        next_packet,
    })
}

/// The payload at the front and the HMAC behind it.
// BOLT 4 §Onion Decryption: lengths 0 and 1 are reserved; payload and HMAC must lie inside the area.
fn first_payload<'a>(reader: &mut Reader<'a>) -> Option<(&'a [u8], [u8; 32])> {
    let length = BigSize::decode_from(reader).ok()?.0;
    let length = usize::try_from(length).ok().filter(|length| *length >= 2)?;
    let payload = reader.take(length).ok()?;
    let next_hmac = reader.array().ok()?;
    Some((payload, next_hmac))
}
