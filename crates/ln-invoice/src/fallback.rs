//! Fallback addresses: output scripts in the `f` field.

use bitcoin::hashes::Hash;
use bitcoin::{PubkeyHash, ScriptBuf, ScriptHash, WitnessProgram, WitnessVersion};

use crate::words::{from_bytes, to_bytes};

/// The version of a P2PKH address.
const P2PKH: u8 = 17;
/// The version of a P2SH address.
const P2SH: u8 = 18;

/// Whether a field is of a version we know.
// BOLT 11 §Tagged Fields: an `f` field of an unknown version is skipped.
pub(crate) fn is_known(version: u8) -> bool {
    version <= P2SH
}

/// The script of a field of a known version.
pub(crate) fn decode(words: &[u8]) -> Result<ScriptBuf, String> {
    let (version, words) = words.split_first().ok_or("truncated")?;
    let hash = to_bytes(words).ok_or("non-zero trailing bits")?;
    let length = hash.len();
    match *version {
        P2PKH => <[u8; 20]>::try_from(hash)
            .map(|hash| ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)))
            .map_err(|_| format!("pkhash length {length}")),
        P2SH => <[u8; 20]>::try_from(hash)
            .map(|hash| ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(hash)))
            .map_err(|_| format!("p2sh length {length}")),
        version => {
            witness(version, &hash).ok_or_else(|| format!("witness v{version} bad length {length}"))
        }
    }
}

fn witness(version: u8, program: &[u8]) -> Option<ScriptBuf> {
    let version = WitnessVersion::try_from(version).ok()?;
    if version == WitnessVersion::V1 && program.len() != 32 {
        return None;
    }
    let program = WitnessProgram::new(version, program).ok()?;
    Some(ScriptBuf::new_witness_program(&program))
}

/// The words of a script; `None` when it has no address form.
pub(crate) fn encode(script: &ScriptBuf) -> Option<Vec<u8>> {
    let bytes = script.as_bytes();
    let (version, hash) = if script.is_p2pkh() {
        (P2PKH, bytes.get(3..23)?)
    } else if script.is_p2sh() {
        (P2SH, bytes.get(2..22)?)
    } else {
        let version = script.witness_version()?.to_num();
        (version, bytes.get(2..)?)
    };
    let mut words = vec![version];
    words.extend(from_bytes(hash));
    Some(words)
}
