//! Secrets and files as text.

use bech32::{Bech32, Checksum, Hrp};
use bitcoin::NetworkKind;
use codex32::{Codex32String, Fe};
use ln_keys::{ForcedKeys, HsmSecret, HsmSecretKind, NodeKeys};

use crate::failure::Failure;
use crate::files;

/// The keys of the node with this secret.
pub(crate) fn keys(secret: &HsmSecret, network: NetworkKind) -> NodeKeys {
    NodeKeys::new(secret, network, ForcedKeys::default())
}

/// The id of the node.
pub(crate) fn node_id(path: &str) -> Result<String, Failure> {
    let secret = files::read_secret(path)?;
    Ok(keys(&secret, NetworkKind::Main).node_id().to_string())
}

/// The secret as `recover` takes it: words, or a codex32 string.
pub(crate) fn secret(path: &str, id: Option<&str>) -> Result<String, Failure> {
    let secret = files::read_secret(path)?;
    match (secret.mnemonic(), id) {
        (Some(words), _) => Ok(words.to_owned()),
        (None, Some(id)) => codex32(&secret, id),
        (None, None) => Err(Failure::Usage(
            "a secret without words is written as a codex32 string: add four letters or digits by which you will know it, such as ad00"
                .to_owned(),
        )),
    }
}

/// The secret as a codex32 string.
pub(crate) fn codex_secret(path: &str, id: &str) -> Result<String, Failure> {
    let secret = files::read_secret(path)?;
    if secret.mnemonic().is_some() {
        return Err(Failure::Usage(
            "this secret is made of words: use getsecret".to_owned(),
        ));
    }
    codex32(&secret, id)
}

fn codex32(secret: &HsmSecret, id: &str) -> Result<String, Failure> {
    if secret.kind() == HsmSecretKind::Encrypted {
        return Err(Failure::Usage(
            "the secret is encrypted: take its passphrase away first (decrypt)".to_owned(),
        ));
    }
    // BIP 93: the letters of bech32, which leave out what looks alike.
    let fits = id.len() == 4 && id.chars().all(|letter| Fe::from_char(letter).is_ok());
    if !fits || id.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Err(Failure::Usage(format!(
            "the id '{id}' must be four lower-case letters or digits, none of them b, i, o or 1"
        )));
    }
    Codex32String::from_seed("cl", 0, id, Fe::S, secret.bytes())
        .map(|text| text.to_string())
        .map_err(|error| Failure::Usage(format!("no codex32 string can be made: {error:?}")))
}

/// Bech32 without its limit of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

/// `emergency.recover` as text.
pub(crate) fn emergency_recover(path: &str) -> Result<String, Failure> {
    let contents = files::read(path)?;
    let hrp = Hrp::parse_unchecked("clnemerg");
    bech32::encode::<LongBech32>(hrp, &contents)
        .map_err(|error| Failure::File(format!("{path} can't be written as text: {error}")))
}
