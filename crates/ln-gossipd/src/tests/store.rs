use std::fs;

use ln_gossip::store::{RecordFlags, new_store};

use super::*;
use crate::{GossipMap, Opened, Repair, StoreFile, StorePlace};

fn at(path: &Path) -> StorePlace {
    StorePlace::at(path)
}

fn reopen(path: &Path) -> (Opened, usize) {
    let opened = StoreFile::open(&at(path)).unwrap();
    let channels = opened.graph.channel_count();
    (opened, channels)
}

#[test]
fn a_new_store_is_private_and_begins_with_version_and_uuid() {
    let (_directory, path) = directory();
    let (opened, channels) = reopen(&path);
    assert_eq!((opened.repairs, channels), (vec![], 0));
    assert_eq!(mode(&path), 0o600);
    let bytes = fs::read(&path).unwrap();
    let mut uuid = [0; 32];
    uuid.copy_from_slice(&bytes[15..]);
    assert_eq!(bytes, new_store(uuid));
    assert_ne!(uuid, [0; 32]);
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    let channel = add_channel(&mut file, 1);
    let (opened, _) = reopen(&path);
    let stored = opened.graph.channel(scid(1)).unwrap();
    assert_eq!(stored.amount, Sat::from_sat(1000));
    assert_eq!(
        opened.file.message(stored.announcement).unwrap(),
        channel.announcement()
    );
    assert_eq!(stored.policy(0).unwrap().timestamp, 7);
    assert_eq!(opened.file.end(), file.end());
}

#[test]
fn flags_and_timestamps_change_in_place() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    add_channel(&mut file, 2);
    let (mut opened, _) = reopen(&path);
    let one = opened.graph.channel(scid(1)).unwrap().clone();
    let two = opened.graph.channel(scid(2)).unwrap().clone();
    let gone = RecordFlags::COMPLETED | RecordFlags::DELETED;
    opened.file.set_flags(one.announcement, gone).unwrap();
    opened.file.set_timestamp(two.announcement, 99).unwrap();
    opened
        .file
        .append_copy(two.policies[0].unwrap().update, 8, RecordFlags::NONE)
        .unwrap();
    let (after, channels) = reopen(&path);
    assert_eq!((after.repairs, channels), (vec![], 1));
    let bytes = fs::read(&path).unwrap();
    let header = usize::try_from(two.announcement.offset).unwrap();
    assert_eq!(bytes[header + 8..header + 12], [0, 0, 0, 99]);
}

#[test]
fn g7_a_torn_tail_is_cut_off() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    let whole = fs::read(&path).unwrap();
    let with_one = whole.len();
    add_channel(&mut file, 2);
    let two = fs::read(&path).unwrap();
    for cut in with_one..two.len() {
        fs::write(&path, &two[..cut]).unwrap();
        let (opened, channels) = reopen(&path);
        let end = opened.file.end();
        assert_eq!(fs::metadata(&path).unwrap().len(), end);
        assert_eq!(
            opened.repairs.is_empty(),
            end == u64::try_from(cut).unwrap(),
            "{cut}"
        );
        // An announcement without its amount goes too.
        assert!(
            end == u64::try_from(with_one).unwrap() || channels == 2,
            "{cut}"
        );
    }
}

#[test]
fn g7_a_zero_page_at_the_end_is_cut_off() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 4096]);
    fs::write(&path, &bytes).unwrap();
    let (opened, channels) = reopen(&path);
    assert_eq!(
        (opened.repairs, channels),
        (vec![Repair::CutTail { bytes: 4096 }], 1)
    );
}

#[test]
fn g7_a_flipped_bit_sets_the_store_aside_and_the_rest_is_saved() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    for n in 1..=3 {
        add_channel(&mut file, n);
    }
    let graph = StoreFile::open(&at(&path)).unwrap().graph;
    let at = graph
        .channel(scid(2))
        .unwrap()
        .announcement
        .message_offset()
        + 40;
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let (opened, channels) = reopen(&path);
    assert!(matches!(
        &opened.repairs[..],
        [Repair::Damaged { saved: 7, .. }]
    ));
    assert_eq!(channels, 2);
    assert!(opened.graph.channel(scid(2)).is_none());
    assert_eq!(mode(&path), 0o600);
    let corrupt = path.with_file_name("gossip_store.corrupt");
    assert_eq!(fs::read(corrupt).unwrap()[..bytes.len()], bytes);
    assert_eq!(reopen(&path).0.repairs, []);
}

#[test]
fn g7_zeros_in_the_middle_and_files_that_are_no_store() {
    let mut holed = {
        let (_directory, path) = directory();
        let mut file = StoreFile::open(&at(&path)).unwrap().file;
        add_channel(&mut file, 1);
        fs::read(&path).unwrap()
    };
    holed.extend(vec![0; 100_000]);
    holed.extend([1; 100]);
    for (bytes, saved) in [
        (vec![], 0),
        (vec![16], 0),
        (vec![16; 50], 0),
        (vec![16; 200_000], 0),
        (holed, 1),
    ] {
        let (_directory, path) = directory();
        fs::write(&path, &bytes).unwrap();
        let (opened, channels) = reopen(&path);
        assert!(matches!(&opened.repairs[..], [Repair::Damaged { .. }]));
        assert_eq!(channels, saved);
    }
}

#[test]
fn versions_nobody_can_convert_are_set_aside() {
    for version in [7_u8, 17, 0x30] {
        let (_directory, path) = directory();
        fs::write(&path, [version, 0xde, 0xad]).unwrap();
        let (opened, _) = reopen(&path);
        assert_eq!(opened.repairs, [Repair::UnknownVersion { version }]);
        assert!(path.with_file_name("gossip_store.corrupt").exists());
    }
}

#[test]
fn an_older_version_is_converted() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] = 15;
    fs::write(&path, &bytes).unwrap();
    let (opened, channels) = reopen(&path);
    assert_eq!(
        (opened.repairs, channels),
        (vec![Repair::Converted { version: 15 }], 1)
    );
}

#[test]
fn a_store_that_can_not_be_made_is_an_error() {
    let (directory, path) = directory();
    fs::create_dir(&path).unwrap();
    assert!(StoreFile::open(&at(&path)).is_err());
    assert!(StoreFile::open(&at(&directory.path().join("no/such/place"))).is_err());
}

#[test]
fn readers_follow_writes_and_a_store_written_anew() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    let mut map = GossipMap::load(&path).unwrap();
    assert!(!map.refresh().unwrap());
    let channel = add_channel(&mut file, 1);
    assert_eq!(map.graph().channel_count(), 0);
    assert!(map.refresh().unwrap());
    let at = map.graph().channel(scid(1)).unwrap().announcement;
    assert_eq!(map.message(at).unwrap(), channel.announcement());
    // A later update makes the first one void; both are read.
    file.append(&channel.update(0, 8), 8, RecordFlags::NONE)
        .unwrap();
    file.set_flags(
        map.graph().channel(scid(1)).unwrap().policies[0]
            .unwrap()
            .update,
        RecordFlags::COMPLETED | RecordFlags::DELETED,
    )
    .unwrap();
    let before = file.end();
    let (graph, _reader) = file.compact().unwrap();
    assert!(file.end() < before);
    assert_eq!((graph.live_records(), graph.dead_records()), (2, 0));
    assert!(map.refresh().unwrap());
    assert_eq!(map.graph().channel(scid(1)), graph.channel(scid(1)));
    add_channel(&mut file, 2);
    assert!(map.refresh().unwrap());
    assert_eq!(map.graph().channel_count(), 2);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn g7_a_reader_behind_a_half_written_record_waits() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 50]).unwrap();
    let mut map = GossipMap::load(&path).unwrap();
    assert_eq!(map.graph().channel(scid(1)).unwrap().policy(0), None);
    assert!(!map.refresh().unwrap());
    fs::write(&path, &whole).unwrap();
    assert!(map.refresh().unwrap());
    assert!(map.graph().channel(scid(1)).unwrap().policy(0).is_some());
}

#[test]
fn a_reader_leaves_damaged_records_out_and_refuses_other_versions() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    add_channel(&mut file, 2);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(GossipMap::load(&path).unwrap().graph().channel_count(), 1);
    bytes[0] = 0x21;
    fs::write(&path, &bytes).unwrap();
    assert!(GossipMap::load(&path).is_err());
}

#[test]
fn g7_a_deleted_store_is_noticed_and_can_be_written_anew() {
    let (_directory, path) = directory();
    let mut file = StoreFile::open(&at(&path)).unwrap().file;
    add_channel(&mut file, 1);
    assert!(file.is_in_place());
    fs::remove_file(&path).unwrap();
    assert!(!file.is_in_place());
    assert_eq!(file.compact().unwrap().0.channel_count(), 1);
    assert!(file.is_in_place());
}
