//! The node's first rune.

use bitcoin::NetworkKind;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use data_encoding::BASE64URL;

use crate::failure::Failure;
use crate::files;
use crate::print::keys;

/// The unique id of the first rune, as its restriction.
const FIRST: &[u8] = b"=0";
/// Bytes of a block of SHA256.
const BLOCK: usize = 64;
/// Where in the last block the length of the message stands.
const LENGTH_AT: usize = 56;

/// The rune that a fresh node gives out first: it allows everything.
pub(crate) fn first_rune(path: &str) -> Result<String, Failure> {
    let secret = files::read_secret(path)?;
    let master = keys(&secret, NetworkKind::Main).derived_secret(b"commando");
    // A rune's tag is the SHA256 of the secret and then each restriction, where all before the last is filled up to whole blocks as
    // at the end of a message: so that whoever has a tag can add restrictions.
    let mut engine = sha256::Hash::engine();
    engine.input(&*master);
    engine.input(&padding(master.len()));
    engine.input(FIRST);
    let tag = sha256::Hash::from_engine(engine).to_byte_array();
    Ok(BASE64URL.encode(&[&tag, FIRST].concat()))
}

/// How SHA256 fills up a message of fewer than 56 bytes.
fn padding(length: usize) -> Vec<u8> {
    let mut padding = vec![0x80];
    padding.resize(LENGTH_AT.saturating_sub(length), 0);
    let bits = u64::try_from(length).unwrap_or(0).saturating_mul(8);
    padding.extend(bits.to_be_bytes());
    debug_assert_eq!(padding.len().saturating_add(length), BLOCK);
    padding
}
