//! Making secrets, and changing how they are kept.

use ln_daemon::{ask_line, ask_secret};
use ln_keys::{HsmSecret, HsmSecretKind, encrypt_plain_secret, mnemonic_file};
use zeroize::Zeroizing;

use crate::failure::{Failure, no_answer, of_secret};
use crate::files;

/// What is said before a passphrase of words is asked for.
const OTHER_PASSPHRASE: &str =
    "Another passphrase gives another wallet; none if left empty.\nEnter your passphrase";
/// How words are asked for.
const WORDS: &str = "Introduce your BIP39 word list separated by space (at least 12 words)";

/// A new file from words.
pub(crate) fn generate(
    path: &str,
    words: Option<&str>,
    passphrase: Option<&str>,
) -> Result<String, Failure> {
    let given = |text: &str| Zeroizing::new(text.to_owned());
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(files::exists(path));
    }
    let (words, passphrase) = match words {
        Some(words) => (given(words), passphrase.map(given)),
        None => {
            let words = ask_line(WORDS).map_err(no_answer)?;
            (words, optional_passphrase()?)
        }
    };
    let passphrase = passphrase.filter(|text| !text.is_empty());
    let words = single_spaced(&words);
    let contents = mnemonic_file(&words, passphrase.as_ref().map(|text| text.as_str()))
        .map_err(|error| of_secret(path, error))?;
    files::create(path, &contents)?;
    let kind = if passphrase.is_some() {
        "mnemonic with passphrase\nRemember the passphrase: without it the file is worth nothing."
    } else {
        "mnemonic without passphrase"
    };
    Ok(format!(
        "New hsm_secret file created at {path}\nFormat: {kind}"
    ))
}

/// Whether words are those of the file.
pub(crate) fn check(path: &str) -> Result<String, Failure> {
    let kept = files::read_secret(path)?;
    let passphrase = optional_passphrase()?;
    let words = single_spaced(&ask_line(WORDS).map_err(no_answer)?);
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let file = mnemonic_file(&words, passphrase).map_err(|error| of_secret(path, error))?;
    let typed = HsmSecret::parse(&file, passphrase).map_err(|error| of_secret(path, error))?;
    // Old files hold the first half of the words' seed.
    let same = typed.bytes().starts_with(kept.bytes());
    if same {
        Ok("OK".to_owned())
    } else {
        Err(Failure::NoMatch(format!(
            "these words (with this passphrase) do not give the secret of {path}"
        )))
    }
}

/// Puts an old secret under a passphrase.
pub(crate) fn encrypt(path: &str) -> Result<String, Failure> {
    let file = files::read(path)?;
    let secret = <[u8; 32]>::try_from(file.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| unsuitable(path, &file, "encrypt", "an old secret of 32 bytes"))?;
    let passphrase = ask_secret("Enter hsm_secret password").map_err(no_answer)?;
    let again = ask_secret("Confirm hsm_secret password").map_err(no_answer)?;
    if passphrase != again {
        return Err(Failure::Usage(
            "the two passphrases differ: nothing was changed".to_owned(),
        ));
    }
    let contents =
        encrypt_plain_secret(&secret, &passphrase).map_err(|error| of_secret(path, error))?;
    files::replace(path, &contents)?;
    Ok(format!(
        "{path} is encrypted: from now on start lightningd with --hsm-passphrase"
    ))
}

/// Takes the passphrase of an old secret away.
pub(crate) fn decrypt(path: &str) -> Result<String, Failure> {
    let file = files::read(path)?;
    if HsmSecretKind::detect(&file) != Some(HsmSecretKind::Encrypted) {
        return Err(unsuitable(
            path,
            &file,
            "decrypt",
            "an encrypted old secret of 73 bytes",
        ));
    }
    let passphrase = ask_secret("Enter hsm_secret password").map_err(no_answer)?;
    let secret =
        HsmSecret::parse(&file, Some(&passphrase)).map_err(|error| of_secret(path, error))?;
    files::replace(path, secret.bytes())?;
    Ok(format!(
        "{path} is no longer encrypted: whoever reads it has the money"
    ))
}

fn unsuitable(path: &str, file: &[u8], method: &str, wanted: &str) -> Failure {
    let is = match HsmSecretKind::detect(file) {
        Some(HsmSecretKind::Plain) => "an old secret without passphrase",
        Some(HsmSecretKind::Encrypted) => "encrypted already",
        Some(HsmSecretKind::Mnemonic) => {
            "made of words; for a passphrase make another one with generatehsm, which is another wallet"
        }
        Some(HsmSecretKind::MnemonicWithPassphrase) => {
            "made of words, to which its passphrase belongs for ever"
        }
        None => "no secret",
    };
    Failure::Usage(format!("{method} works on {wanted}, but {path} is {is}"))
}

fn single_spaced(words: &str) -> Zeroizing<String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    Zeroizing::new(words.join(" "))
}

/// Asks for a passphrase that may be empty: then there is none.
fn optional_passphrase() -> Result<Option<Zeroizing<String>>, Failure> {
    let said = ask_secret(OTHER_PASSPHRASE).map_err(no_answer)?;
    Ok(Some(said).filter(|said| !said.is_empty()))
}
