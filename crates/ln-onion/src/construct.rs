//! Building a packet.

use bitcoin::secp256k1::{PublicKey, SecretKey};
use chacha20::cipher::{StreamCipher, StreamCipherSeek};
use ln_codec::BigSize;

use crate::keys::{apply_stream, hmac, secp, stream};
use crate::{OnionPacket, SharedSecret};

/// One hop of an onion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnionHop {
    /// The key to encrypt to: the node id, or the blinded node id inside a blinded path.
    pub public_key: PublicKey,
    /// Its payload, without the length in front.
    pub payload: Vec<u8>,
}

/// A packet and what its sender keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constructed {
    /// The packet for the first hop.
    pub packet: OnionPacket,
    /// One secret per hop, to open a returned failure with.
    pub shared_secrets: Vec<SharedSecret>,
}

/// Why a packet can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstructError {
    /// The payloads do not fit.
    #[error(
        "the payloads of the route take {wanted} bytes of an onion, and it has {size}: take a shorter route or less data"
    )]
    TooLong {
        /// What they take.
        wanted: usize,
        /// What there is.
        size: usize,
    },
    /// No hop.
    #[error("an onion needs at least one hop")]
    NoHops,
    /// The session key and the hops' keys lead to a point at infinity: choose another session key.
    #[error("the session key can't be used with this route")]
    SessionKey,
}

/// Builds the packet for `hops` with a payload area of `size` bytes.
///
/// `session_key` must be fresh and random: using one twice shows which packets belong together. `associated_data` is the payment
/// hash for payments and empty for messages.
///
/// BOLT 4 §Packet Construction.
pub fn construct(
    session_key: &SecretKey,
    hops: &[OnionHop],
    associated_data: &[u8],
    size: usize,
) -> Result<Constructed, ConstructError> {
    let framed: Vec<Vec<u8>> = hops.iter().map(|hop| frame(&hop.payload)).collect();
    let wanted = framed.iter().map(Vec::len).fold(0, usize::saturating_add);
    if wanted > size {
        return Err(ConstructError::TooLong { wanted, size });
    }
    let shared_secrets = shared_secrets(session_key, hops).ok_or(ConstructError::SessionKey)?;
    let filler = filler(&framed, &shared_secrets, size);
    let mut payloads = vec![0; size];
    apply_stream(&hmac(b"pad", &[&session_key.secret_bytes()]), &mut payloads);
    let mut code = [0; 32];
    let mut last = true;
    for (frame, secret) in framed.iter().zip(&shared_secrets).rev() {
        let kept = size.saturating_sub(frame.len());
        payloads.copy_within(..kept, frame.len());
        let (front, _) = payloads.split_at_mut(frame.len());
        front.copy_from_slice(frame);
        let (_, place) = front.split_at_mut(front.len().saturating_sub(code.len()));
        place.copy_from_slice(&code);
        apply_stream(&secret.key(b"rho"), &mut payloads);
        if last {
            let (_, tail) = payloads.split_at_mut(size.saturating_sub(filler.len()));
            tail.copy_from_slice(&filler);
            last = false;
        }
        code = hmac(&secret.key(b"mu"), &[&payloads, associated_data]);
    }
    if last {
        return Err(ConstructError::NoHops);
    }
    let packet = OnionPacket {
        public_key: session_key.public_key(secp()),
        hop_payloads: payloads,
        hmac: code,
    };
    Ok(Constructed {
        packet,
        shared_secrets,
    })
}

/// A payload with its length in front and room for the next hop's HMAC behind.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len().saturating_add(35));
    let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    BigSize(length).encode_to(&mut frame);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&[0; 32]);
    frame
}

/// The secret shared with each hop; `None` for a session key that leads nowhere.
fn shared_secrets(session_key: &SecretKey, hops: &[OnionHop]) -> Option<Vec<SharedSecret>> {
    let mut secrets = Vec::with_capacity(hops.len());
    let mut ephemeral = *session_key;
    for (index, hop) in hops.iter().enumerate() {
        let secret = SharedSecret::ecdh(&hop.public_key, &ephemeral);
        secrets.push(secret);
        if index.saturating_add(1) < hops.len() {
            let point = ephemeral.public_key(secp());
            ephemeral = ephemeral.mul_tweak(&secret.blinding_factor(&point)?).ok()?;
        }
    }
    Some(secrets)
}

/// What the zero bytes that every hop appends will have become when the packet reaches the last hop.
// BOLT 4 §Filler Generation: each hop but the last appends zeros for the bytes it took and XORs its stream over them; the last hop's HMAC
// covers the result.
fn filler(frames: &[Vec<u8>], secrets: &[SharedSecret], size: usize) -> Vec<u8> {
    let mut filler = Vec::new();
    let but_last = frames.len().saturating_sub(1);
    for (frame, secret) in frames.iter().zip(secrets).take(but_last) {
        let start = size.saturating_sub(filler.len());
        filler.resize(filler.len().saturating_add(frame.len()), 0);
        let mut stream = stream(&secret.key(b"rho"));
        stream.seek(start);
        stream.apply_keystream(&mut filler);
    }
    filler
}
