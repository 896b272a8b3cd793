//! The shared secrets of received onions.

use bitcoin::secp256k1::PublicKey;
use ln_channel::{Htlc, Notice};
use ln_signer::{SharedSecret, Signer, SignerError};

use crate::convert::onion_key;

/// One secret for each received HTLC among the notices, in order; nothing where the onion's key is no point. Two round trips to hsmd at
/// most, however many there are.
pub(crate) fn onion_secrets(
    notices: &[Notice],
    signer: &dyn Signer,
) -> Result<Vec<Option<SharedSecret>>, SignerError> {
    let received: Vec<&Htlc> = notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Received(htlc) => Some(&**htlc),
            Notice::Offered { .. }
            | Notice::Fulfilled { .. }
            | Notice::Failed { .. }
            | Notice::FailedMalformed { .. }
            | Notice::OfferedRemoved(_)
            | Notice::ReceivedRemoved(_)
            | Notice::RemoteReady(_)
            | Notice::Ready
            | Notice::ShuttingDown(_)
            | Notice::Revoked { .. } => None,
        })
        .collect();
    if received.is_empty() {
        return Ok(Vec::new());
    }
    let path_keys: Vec<PublicKey> = received.iter().filter_map(|htlc| htlc.path_key).collect();
    let mut path_secrets = Vec::new();
    if !path_keys.is_empty() {
        path_secrets = signer.ecdh(&path_keys)?;
    }
    let mut path_secrets = path_secrets.into_iter();
    let keys: Vec<Option<PublicKey>> = received
        .iter()
        .map(|htlc| {
            let path_secret = htlc.path_key.and_then(|_| path_secrets.next());
            let key = onion_key(htlc)?;
            match path_secret {
                None => Some(key),
                // BOLT 4 §Onion Decryption: inside a blinded path the onion is encrypted to our blinded id.
                Some(secret) => {
                    ln_onion::blind_ephemeral_key(&ln_onion::SharedSecret(secret.0), &key).ok()
                }
            }
        })
        .collect();
    let points: Vec<PublicKey> = keys.iter().copied().flatten().collect();
    let mut secrets = signer.ecdh(&points)?.into_iter();
    Ok(keys
        .into_iter()
        .map(|key| key.and_then(|_| secrets.next()))
        .collect())
}
