//! Replays the fuzzers' corpus. `UPDATE_CORPUS=1` writes the seeds anew.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods
)]

mod sample;

use std::fs;
use std::path::PathBuf;

use ln_codec::Encode;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target)
}

fn replay(target: &str, check: fn(&[u8])) {
    let mut files = 0;
    for entry in fs::read_dir(folder(target)).expect("the corpus is committed") {
        check(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn every_message_has_a_seed() {
    for (suffix, byte) in [("empty", 0), ("full", 1), ("mixed", 0x5a)] {
        let bytes: Vec<u8> = (0..400_u16)
            .map(|i| (i as u8 / 2).wrapping_mul(byte) | byte)
            .collect();
        for message in sample::all(&bytes) {
            let path = folder("decode_any").join(format!("{}_{suffix}", message.name()));
            if std::env::var_os("UPDATE_CORPUS").is_some() {
                fs::write(&path, message.to_bytes()).unwrap();
            }
            let seed = fs::read(&path).expect("run once with UPDATE_CORPUS=1");
            assert_eq!(seed, message.to_bytes(), "{}", path.display());
        }
    }
}

#[test]
fn messages() {
    replay("decode_any", ln_wire::fuzz::decode_any);
}

#[test]
fn addresses() {
    replay("decode_addresses", ln_wire::fuzz::decode_addresses);
}
