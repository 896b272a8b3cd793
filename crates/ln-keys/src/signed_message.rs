//! `signmessage`: a text signed by a node's key, in zbase32.

use std::sync::OnceLock;

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, SecretKey};
use data_encoding::{Encoding, Specification};
use ln_types::NodeId;

use crate::derive::secp;

/// What is put before a text, so that no other kind of message can be signed by accident.
const PREFIX: &[u8] = b"Lightning Signed Message:";
/// The first byte of a signature is this plus the recovery id.
const FIRST_BYTE: u8 = 31;

/// Why a text is not a signed message's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZbaseError {
    /// Not the alphabet, or not 104 letters.
    #[error("zbase is not valid zbase32: expected 104 letters of its alphabet")]
    NotZbase32,
    /// Not a recoverable signature, or none that any key could have made for this text.
    #[error("zbase is not the signature of a key")]
    NotSignature,
}

fn zbase32() -> &'static Encoding {
    static ENCODING: OnceLock<Encoding> = OnceLock::new();
    ENCODING.get_or_init(|| {
        let mut specification = Specification::new();
        specification
            .symbols
            .push_str("ybndrfg8ejkmcpqxot1uwisza345h769");
        specification.encoding().expect("32 different letters")
    })
}

/// The hash a node signs for `text`.
pub fn signed_message_digest(text: &[u8]) -> Message {
    let bytes = [PREFIX, text].concat();
    Message::from_digest(sha256d::Hash::hash(&bytes).to_byte_array())
}

/// Signs `text`.
pub fn sign_message(secret: &SecretKey, text: &[u8]) -> RecoverableSignature {
    secp().sign_ecdsa_recoverable(&signed_message_digest(text), secret)
}

/// A signature as users pass it around.
pub fn signature_to_zbase32(signature: &RecoverableSignature) -> String {
    let (recovery_id, compact) = signature.serialize_compact();
    let id = u8::try_from(recovery_id.to_i32()).unwrap_or_default();
    let mut bytes = vec![FIRST_BYTE.saturating_add(id)];
    bytes.extend_from_slice(&compact);
    zbase32().encode(&bytes)
}

/// The node that signed `text`, according to `zbase`.
pub fn recover_signer(text: &[u8], zbase: &str) -> Result<NodeId, ZbaseError> {
    let bytes = zbase32()
        .decode(zbase.as_bytes())
        .map_err(|_| ZbaseError::NotZbase32)?;
    let Some((first, compact)) = bytes.split_first().filter(|(_, rest)| rest.len() == 64) else {
        return Err(ZbaseError::NotZbase32);
    };
    first
        .checked_sub(FIRST_BYTE)
        .and_then(|id| RecoveryId::from_i32(i32::from(id)).ok())
        .and_then(|id| RecoverableSignature::from_compact(compact, id).ok())
        .and_then(|signature| {
            secp()
                .recover_ecdsa(&signed_message_digest(text), &signature)
                .ok()
        })
        .map(NodeId::from)
        .ok_or(ZbaseError::NotSignature)
}
