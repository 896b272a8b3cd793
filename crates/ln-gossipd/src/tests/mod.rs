#![allow(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]
//! The store on disk, and the daemon over socketpairs.

mod daemon;
mod store;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ln_gossip::samples::{SampleChannel, SampleNode};
use ln_gossip::store::{ChannelAmount, RecordFlags, internal_bytes};
use ln_types::{Sat, ShortChannelId};
use tempfile::TempDir;

use crate::StoreFile;

const US: SampleNode = SampleNode(9);
const A: SampleNode = SampleNode(1);
const B: SampleNode = SampleNode(2);

fn scid(n: u32) -> ShortChannelId {
    ShortChannelId::new(100, n, 0).unwrap()
}

/// A directory and the store's path in it.
fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gossip_store");
    (directory, path)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn amount(sat: u64) -> Vec<u8> {
    internal_bytes(ChannelAmount {
        satoshis: Sat::from_sat(sat),
    })
}

/// Appends a channel with one update.
fn add_channel(file: &mut StoreFile, n: u32) -> SampleChannel {
    let channel = SampleChannel::new(scid(n), A, B);
    let none = RecordFlags::NONE;
    file.append(&channel.announcement(), 0, none).unwrap();
    file.append(&amount(1000), 0, none).unwrap();
    file.append(&channel.update(0, 7), 7, none).unwrap();
    channel
}
