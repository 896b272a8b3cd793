//! Reading the gossip store while gossipd writes it.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use ln_codec::Decode;
use ln_gossip::store::{InternalRecord, Records, StoreEnded};
use ln_wire::PeerMessage;

/// How much is read at once: more than the longest record.
const CHUNK: usize = 128 * 1024;
/// Where the first record stands: after the version byte.
const FIRST: u64 = 1;
/// What counts as recent, in seconds.
const RECENT: u32 = 2 * 3600;

/// Bytes the mark moves on in one go: so much is read in a few milliseconds. The rest waits for the next time.
const MOST_AT_ONCE: u64 = 32 * 1024 * 1024;

/// One step through the store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// A message that may be passed on, and its time (0 for an announcement whose updates are not known yet).
    Gossip { message: Vec<u8>, timestamp: u32 },
    /// A record of this many bytes that is not passed on.
    Skipped { bytes: usize },
    /// There is no more now.
    End,
}

/// The store as gossipd last gave it to us: connectd opens no file itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentStore(Rc<RefCell<Option<Rc<File>>>>);

impl CurrentStore {
    /// gossipd writes into this file from now on.
    pub(crate) fn replace(&self, file: File) {
        *self.0.borrow_mut() = Some(Rc::new(file));
    }

    fn file(&self) -> Option<Rc<File>> {
        self.0.borrow().clone()
    }
}

/// A place in the store.
#[derive(Debug, Clone)]
pub(crate) struct StoreCursor {
    store: CurrentStore,
    /// The file it is in; none before there is one.
    file: Option<Rc<File>>,
    offset: u64,
    /// Bytes of the file from `chunk_offset` on.
    chunk: Vec<u8>,
    chunk_offset: u64,
}

impl StoreCursor {
    /// The beginning of the store.
    pub(crate) fn new(store: &CurrentStore) -> Self {
        Self {
            store: store.clone(),
            file: store.file(),
            offset: FIRST,
            chunk: Vec::new(),
            chunk_offset: FIRST,
        }
    }

    /// Goes one record on. Damaged records are skipped: gossipd complains about them.
    pub(crate) fn scan(&mut self) -> io::Result<Scanned> {
        let mut fresh = false;
        loop {
            let start = usize::try_from(self.offset - self.chunk_offset).unwrap_or(usize::MAX);
            let bytes = self.chunk.get(start..).unwrap_or_default();
            let mut records = Records::new(bytes, self.offset);
            let record = records.next_record();
            let end = records.offset();
            match record {
                Ok(None) if fresh => return Ok(Scanned::End),
                Ok(None) => {
                    self.read_chunk()?;
                    fresh = true;
                }
                Err(_damaged) => return Ok(self.skip_to(end)),
                Ok(Some(record)) if record.is_deleted() => return Ok(self.skip_to(end)),
                Ok(Some(record)) if record.number() == 4105 => {
                    let ended = InternalRecord::from_bytes(record.message);
                    return match ended {
                        Ok(InternalRecord::Ended(ended)) => self.follow(&ended),
                        _ => Ok(self.skip_to(end)),
                    };
                }
                Ok(Some(record)) => {
                    let wanted = PeerMessage::is_gossip_number(record.number());
                    if !wanted || record.is_dying() {
                        return Ok(self.skip_to(end));
                    }
                    let scanned = Scanned::Gossip {
                        message: record.message.to_vec(),
                        timestamp: record.header.timestamp,
                    };
                    self.offset = end;
                    return Ok(scanned);
                }
            }
        }
    }

    /// Gives back the memory until the next call.
    pub(crate) fn rest(&mut self) {
        self.chunk = Vec::new();
        self.chunk_offset = self.offset;
    }

    fn skip_to(&mut self, end: u64) -> Scanned {
        let bytes = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        self.offset = end;
        Scanned::Skipped { bytes }
    }

    fn read_chunk(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = self.store.file();
        }
        let Some(file) = &self.file else {
            return Ok(());
        };
        self.chunk.resize(CHUNK, 0);
        let read = file.read_at(&mut self.chunk, self.offset)?;
        self.chunk.truncate(read);
        self.chunk_offset = self.offset;
        Ok(())
    }

    /// This file is finished: goes on in the one that has its name now.
    fn follow(&mut self, ended: &StoreEnded) -> io::Result<Scanned> {
        let mut next = Self::new(&self.store);
        next.read_chunk()?;
        let first = Records::new(&next.chunk, FIRST).next_record();
        let uuid = match first
            .ok()
            .flatten()
            .map(|record| InternalRecord::from_bytes(record.message))
        {
            Some(Ok(InternalRecord::Uuid(uuid))) => Some(uuid.uuid),
            _ => None,
        };
        if uuid != Some(ended.uuid) {
            // Replaced again already, or not there yet. What is in it has an end of its own: its news will not be missed for long.
            return Ok(Scanned::End);
        }
        next.offset = ended.equivalent_offset.max(FIRST);
        next.rest();
        *self = next;
        Ok(Scanned::Skipped { bytes: 0 })
    }
}

/// Where the recent part of the store begins; moves on with time.
#[derive(Debug, Default)]
pub(crate) struct RecentMark(Option<StoreCursor>);

impl RecentMark {
    /// A cursor at the first recent record, or before it. `now` is in seconds since 1970.
    pub(crate) fn cursor(&mut self, store: &CurrentStore, now: u32) -> io::Result<StoreCursor> {
        let mut cursor = self.0.take().unwrap_or_else(|| StoreCursor::new(store));
        let mut passed = 0;
        while passed < MOST_AT_ONCE {
            let offset = cursor.offset;
            let old = match cursor.scan()? {
                Scanned::End => false,
                Scanned::Skipped { .. } => true,
                Scanned::Gossip { timestamp, .. } => {
                    timestamp != 0 && timestamp < now.saturating_sub(RECENT)
                }
            };
            if !old {
                cursor.offset = offset;
                break;
            }
            passed += cursor.offset.saturating_sub(offset);
        }
        cursor.rest();
        self.0 = Some(cursor.clone());
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use ln_gossip::store::{StoreUuid, append, internal_bytes, new_store};

    fn gossip(number: u16, byte: u8) -> Vec<u8> {
        let mut message = number.to_be_bytes().to_vec();
        message.extend([byte; 50]);
        message
    }

    fn all(cursor: &mut StoreCursor) -> Vec<(Vec<u8>, u32)> {
        let mut found = Vec::new();
        loop {
            match cursor.scan().unwrap() {
                Scanned::Gossip { message, timestamp } => found.push((message, timestamp)),
                Scanned::Skipped { .. } => (),
                Scanned::End => return found,
            }
        }
    }

    struct Store {
        directory: tempfile::TempDir,
        bytes: Vec<u8>,
        current: CurrentStore,
    }

    impl Store {
        fn new(uuid: u8) -> Self {
            Self {
                directory: tempfile::tempdir().unwrap(),
                bytes: new_store([uuid; 32]),
                current: CurrentStore::default(),
            }
        }

        fn path(&self) -> PathBuf {
            self.directory.path().join("gossip_store")
        }

        fn write(&self) {
            std::fs::write(self.path(), &self.bytes).unwrap();
        }

        /// What gossipd gives connectd.
        fn give(&self) -> &CurrentStore {
            self.current.replace(File::open(self.path()).unwrap());
            &self.current
        }

        fn add(&mut self, message: &[u8], timestamp: u32) {
            append(&mut self.bytes, message, timestamp);
            self.write();
        }
    }

    #[test]
    fn gossip_is_found_as_it_is_written_and_other_records_are_not() {
        let mut store = Store::new(1);
        store.add(&gossip(256, 1), 0);
        store.add(&internal_bytes(StoreUuid { uuid: [9; 32] }), 0);
        store.add(&gossip(258, 2), 7);
        let mut cursor = StoreCursor::new(store.give());
        assert_eq!(all(&mut cursor), [(gossip(256, 1), 0), (gossip(258, 2), 7)]);
        assert!(all(&mut cursor).is_empty());
        store.add(&gossip(257, 3), 8);
        cursor.rest();
        assert_eq!(all(&mut cursor), [(gossip(257, 3), 8)]);
    }

    #[test]
    fn unfinished_deleted_dying_and_damaged_records_are_not_passed_on() {
        let mut store = Store::new(1);
        let places: Vec<usize> = (0..5)
            .map(|byte| {
                let place = store.bytes.len();
                store.add(&gossip(258, byte), 5);
                place
            })
            .collect();
        store.bytes[places[0]] |= 0x80;
        store.bytes[places[1]] |= 0x08;
        store.bytes[places[2] + 20] ^= 1;
        store.bytes[places[4]] &= !0x20;
        store.write();
        let mut cursor = StoreCursor::new(store.give());
        assert_eq!(all(&mut cursor), [(gossip(258, 3), 5)]);
        store.bytes[places[4]] |= 0x20;
        store.write();
        assert_eq!(all(&mut cursor), [(gossip(258, 4), 5)]);
    }

    #[test]
    fn a_torn_tail_is_waited_for() {
        let mut store = Store::new(1);
        store.add(&gossip(258, 1), 5);
        let whole = store.bytes.clone();
        store.bytes.truncate(whole.len() - 10);
        store.write();
        let mut cursor = StoreCursor::new(store.give());
        assert!(all(&mut cursor).is_empty());
        store.bytes = whole;
        store.write();
        assert_eq!(all(&mut cursor).len(), 1);
    }

    #[test]
    fn the_cursor_follows_to_the_file_that_replaces_its_own() {
        let mut store = Store::new(1);
        store.add(&gossip(258, 1), 5);
        let mut cursor = StoreCursor::new(store.give());
        assert_eq!(all(&mut cursor).len(), 1);
        let mut next = new_store([2; 32]);
        append(&mut next, &gossip(258, 1), 5);
        let ended = StoreEnded {
            equivalent_offset: next.len().try_into().unwrap(),
            uuid: [2; 32],
        };
        append(&mut next, &gossip(258, 2), 6);
        store.add(&internal_bytes(ended), 0);
        assert!(all(&mut cursor).is_empty(), "the new file is not there yet");
        let temporary = store.directory.path().join("new");
        std::fs::write(&temporary, &next).unwrap();
        std::fs::rename(&temporary, store.path()).unwrap();
        assert!(all(&mut cursor).is_empty(), "gossipd has not given it yet");
        store.give();
        assert_eq!(all(&mut cursor), [(gossip(258, 2), 6)]);
    }

    #[test]
    fn who_asks_before_there_is_a_store_gets_it_later() {
        let mut store = Store::new(1);
        store.add(&gossip(258, 1), 5);
        let mut cursor = StoreCursor::new(&store.current);
        let mut mark = RecentMark::default();
        let mut recent = mark.cursor(&store.current, 5).unwrap();
        assert!(all(&mut cursor).is_empty() && all(&mut recent).is_empty());
        store.give();
        assert_eq!(all(&mut cursor).len(), 1);
        assert_eq!(all(&mut recent).len(), 1);
    }

    #[test]
    fn the_recent_part_moves_on_with_time() {
        let mut store = Store::new(1);
        for hour in 0..5_u8 {
            store.add(&gossip(258, hour), 100_000 + u32::from(hour) * 3600);
        }
        let mut mark = RecentMark::default();
        let mut count = |now: u32| all(&mut mark.cursor(store.give(), now).unwrap()).len();
        assert_eq!(count(100_000), 5);
        assert_eq!(count(100_000 + 4 * 3600), 3);
        assert_eq!(count(100_000 + 40 * 3600), 0);
    }
}
