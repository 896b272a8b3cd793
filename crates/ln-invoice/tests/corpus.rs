//! Replays the fuzzer's corpus. `UPDATE_CORPUS=1` writes the seeds anew.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;

use ln_invoice::fuzz::decode_invoice;

/// The examples of BOLT 11, valid and not.
#[test]
fn the_examples_are_seeds_and_every_seed_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/decode_invoice");
    let examples = include_str!("bolt11.txt").lines();
    for (name, text) in examples.filter_map(|line| line.split_once(' ')) {
        if name.starts_with('#') {
            continue;
        }
        let path = folder.join(name);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, text).unwrap();
        }
        let seed = fs::read(&path).expect("run once with UPDATE_CORPUS=1");
        assert_eq!(seed, text.as_bytes(), "{name}");
    }
    for entry in fs::read_dir(folder).unwrap() {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        decode_invoice(&seed);
        // A torn one, and one letter too many.
        decode_invoice(seed.split_last().map_or(&[], |(_, rest)| rest));
        decode_invoice(&[&seed[..], b"q"].concat());
    }
}
