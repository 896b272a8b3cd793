//! Secrets that developers want in place of those that the node's own secret gives.

use bitcoin::hex::FromHex;
use bitcoin::secp256k1::SecretKey;
use ln_ipc::hsmd::Secret;
use ln_keys::{BasepointSecrets, ShachainSeed};

use super::config::special;
use super::{OptionError, Settings};

/// The secrets, as hsmd takes them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForcedSecrets {
    /// The node's key.
    pub(crate) node: Option<SecretKey>,
    /// The seed of the wallet of a node without a mnemonic.
    pub(crate) bip32_seed: Option<Secret>,
    /// The secrets of every channel, and the seed of its commitments' secrets.
    pub(crate) channel: Option<(BasepointSecrets, ShachainSeed)>,
}

impl ForcedSecrets {
    /// Understands their options.
    pub(super) fn new(settings: &Settings) -> Result<Self, OptionError> {
        Ok(Self {
            node: special(settings, "dev-force-privkey", key)?,
            bip32_seed: special(settings, "dev-force-bip32-seed", |text| {
                bytes(text).map(Secret)
            })?,
            channel: special(settings, "dev-force-channel-secrets", channel)?,
        })
    }
}

fn bytes(text: &str) -> Result<[u8; 32], String> {
    FromHex::from_hex(text).map_err(|_| "needs 64 hex digits".to_owned())
}

fn key(text: &str) -> Result<SecretKey, String> {
    SecretKey::from_slice(&bytes(text)?).map_err(|error| error.to_string())
}

fn channel(text: &str) -> Result<(BasepointSecrets, ShachainSeed), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let [funding, revocation, payment, delayed, htlc, seed] = parts.as_slice() else {
        return Err(
            "needs six secrets: funding/revocation/payment/delayed/htlc/shachain seed".to_owned(),
        );
    };
    let secrets = BasepointSecrets {
        funding: key(funding)?,
        revocation: key(revocation)?,
        payment: key(payment)?,
        delayed_payment: key(delayed)?,
        htlc: key(htlc)?,
    };
    Ok((secrets, ShachainSeed(bytes(seed)?)))
}
