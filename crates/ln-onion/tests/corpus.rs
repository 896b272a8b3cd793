//! Replays the fuzzer's corpus. `UPDATE_CORPUS=1` writes the seeds anew.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use bitcoin::hex::FromHex;
use ln_onion::fuzz::read_onion;

/// Whatever the vectors of BOLT 4 hold in hex: keys, payloads, packets, failures.
#[test]
fn the_vectors_are_seeds_and_every_seed_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/read_onion");
    let vectors = include_str!("bolt04.txt").lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        Some((name, Vec::from_hex(value).ok()?))
    });
    for (name, bytes) in vectors {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        let seed = fs::read(&path).expect("run once with UPDATE_CORPUS=1");
        assert_eq!(seed, bytes, "{name}");
    }
    for entry in fs::read_dir(folder).unwrap() {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        read_onion(&seed);
        // A torn one, and one byte too many.
        read_onion(seed.split_last().map_or(&[], |(_, rest)| rest));
        read_onion(&[&seed[..], &[0]].concat());
    }
}
