//! ECDSA as the node signs transactions and gossip.

use bitcoin::secp256k1::{Message, PublicKey, SecretKey, ecdsa};
use ln_keys::secp;

/// Signs a digest so that R's highest bit is zero: the DER form is then 70 bytes and never one longer.
///
/// Grinds as Core Lightning does (a counter as extra nonce data, from zero), so both give the same signature.
pub fn sign_low_r(digest: &Message, key: &SecretKey) -> ecdsa::Signature {
    let mut nonce_data = [0; 32];
    for counter in 0_u32..=u32::MAX {
        if let Some(start) = nonce_data.first_chunk_mut() {
            *start = counter.to_le_bytes();
        }
        let signature = secp().sign_ecdsa_with_noncedata(digest, key, &nonce_data);
        if signature
            .serialize_compact()
            .first()
            .is_some_and(|r| *r < 0x80)
        {
            return signature;
        }
    }
    unreachable!("every second nonce gives a low R");
}

/// Whether `signature` of `digest` is by `key`.
pub fn verify(digest: &Message, signature: &ecdsa::Signature, key: &PublicKey) -> bool {
    secp().verify_ecdsa(digest, signature, key).is_ok()
}
