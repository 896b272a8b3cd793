//! `recover`: a node that is made from an old one's secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context as _, bail};
use bitcoin::hex::FromHex;
use codex32::Codex32String;
use ln_keys::mnemonic_file;
use zeroize::Zeroizing;

/// What the secret's codex32 strings begin with.
const PREFIX: &str = "cl";
/// The file, in the network's directory.
const FILE: &str = "hsm_secret";

/// Writes `hsm_secret` from what an operator kept: words, 64 hex digits, or a codex32 string. Nothing that is there is overwritten.
///
/// The working directory is the network's.
pub(crate) fn recover(secret: &str, database: &Path) -> anyhow::Result<()> {
    let contents = contents(secret).map_err(|problem| anyhow::anyhow!("--recover: {problem}"))?;
    if fs::symlink_metadata(FILE).is_ok() {
        bail!(
            "--recover: hsm_secret already exists! It may be the key to somebody's money, so it stays as it is: recover in another \
             lightning-dir, or start without --recover"
        );
    }
    if fs::symlink_metadata(database).is_ok() {
        bail!(
            "--recover: the database {} already exists, and belongs to another secret: recover in another lightning-dir",
            database.display()
        );
    }
    write(&contents).context("--recover: hsm_secret can't be written")
}

/// A whole file or none, durably.
fn write(contents: &[u8]) -> io::Result<()> {
    let unfinished = format!("{FILE}.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(&unfinished)?;
    let written = file
        .write_all(contents)
        .and_then(|()| file.sync_all())
        // A second name, unlike a new one, never takes the place of a file.
        .and_then(|()| fs::hard_link(&unfinished, FILE));
    let removed = fs::remove_file(&unfinished);
    written.and(removed)?;
    File::open(".")?.sync_all()
}

/// What the file is to hold.
fn contents(secret: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let secret = secret.trim();
    let looks_like_codex32 =
        secret.to_ascii_lowercase().starts_with(PREFIX) && !secret.contains(char::is_whitespace);
    if looks_like_codex32 {
        return codex32(secret);
    }
    if !secret.is_empty()
        && let Ok(bytes) = Vec::from_hex(secret)
    {
        return whole(bytes);
    }
    let words: Vec<&str> = secret.split_whitespace().collect();
    if words.len() < 2 {
        return Err(
            "Not a valid mnemonic, hex, or codex32 string: give 12 to 24 words, 64 hex digits, or a codex32 string that begins with cl1"
                .to_owned(),
        );
    }
    let words = Zeroizing::new(words.join(" "));
    mnemonic_file(&words, None).map_err(|error| format!("Not a valid mnemonic: {error}"))
}

// BIP 93: prefix, 1, threshold, four letters of id, index, payload and checksum. A secret that is no share has threshold 0.
fn codex32(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let problem = |error: codex32::Error| {
        if let codex32::Error::InvalidChecksum { .. } = error {
            return "Invalid checksum: a letter of the codex32 string is wrong".to_owned();
        }
        if let codex32::Error::InvalidLength(length) = error {
            return format!("a codex32 string of 32 bytes has 74 letters, not {length}");
        }
        format!("not a codex32 string: {error:?}")
    };
    let lower = text.to_ascii_lowercase();
    if text != lower && text != text.to_ascii_uppercase() {
        return Err("a codex32 string is written in capitals or without, not mixed".to_owned());
    }
    let Some(("cl", rest)) = lower.rsplit_once('1') else {
        return Err("the codex32 string of a node begins with cl1".to_owned());
    };
    let is_share = !rest.starts_with('0');
    let whole_string = Codex32String::from_string(lower.clone()).map_err(problem)?;
    if is_share {
        return Err("This is only one share of codex32! Put the shares together first".to_owned());
    }
    whole(whole_string.parts().data())
}

fn whole(bytes: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, String> {
    let bytes = Zeroizing::new(bytes);
    if bytes.len() == 32 {
        return Ok(bytes);
    }
    let length = bytes.len();
    Err(format!(
        "Invalid length: must be 32 bytes, this is {length}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Core Lightning's example.
    const CODEX: &str =
        "cl10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqjdsjnzedu43ns";

    #[test]
    fn a_secret_is_taken_in_all_its_forms() {
        let hex = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
        let bytes = contents(hex).unwrap();
        assert_eq!(*bytes, Vec::from_hex(hex).unwrap());
        for text in [CODEX.to_owned(), CODEX.to_uppercase()] {
            assert_eq!(contents(&text).unwrap(), bytes);
        }
        let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        let file = contents(words).unwrap();
        assert_eq!(file.get(..32), Some(&[0; 32][..]));
        assert_eq!(file.get(32..), Some(words.as_bytes()));
        let spaced = format!("  {} ", words.replace(' ', "  "));
        assert_eq!(contents(&spaced).unwrap(), file);
    }

    #[test]
    fn what_is_no_secret_is_explained() {
        let wrong_letter = CODEX.replace("leets", "leetq");
        let mixed = CODEX.replace("cl1", "CL1");
        for (text, why) in [
            (wrong_letter.as_str(), "checksum"),
            (mixed.as_str(), "not mixed"),
            // BIP 93, test vector 1 and 3's first share: those of another kind of wallet, and a share.
            (
                "ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw",
                "codex32",
            ),
            ("cl1", "letters"),
            (
                "00112233445566778899aabbccddeeff",
                "must be 32 bytes, this is 16",
            ),
            ("abandon abandon abandon", "mnemonic"),
            ("wat", "Not a valid mnemonic, hex, or codex32 string"),
            ("", "Not a valid mnemonic"),
        ] {
            let error = contents(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let share = Codex32String::from_seed("cl", 2, "leet", codex32::Fe::A, &[7; 32]).unwrap();
        let error = contents(&share.to_string()).unwrap_err();
        assert!(error.contains("only one share"), "{error}");
        let short = Codex32String::from_seed("cl", 0, "leet", codex32::Fe::S, &[7; 16]).unwrap();
        let error = contents(&short.to_string()).unwrap_err();
        assert!(error.contains("must be 32 bytes"), "{error}");
        let other = Codex32String::from_seed("ms", 0, "leet", codex32::Fe::S, &[7; 32]).unwrap();
        assert!(contents(&other.to_string()).is_err());
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("db");
        fs::write(&database, "x").unwrap();
        let error = recover(CODEX, &database).unwrap_err();
        assert!(error.to_string().contains("already exists"), "{error}");
        assert!(fs::symlink_metadata(FILE).is_err());
    }
}
