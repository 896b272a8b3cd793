//! An append-only file of records: length, checksum, bytes. A record that a kill cut short is taken
//! off when the file is opened.

use crate::node::ChainRecord;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// Largest record, in bytes; more is damage.
const MAX_RECORD: u32 = 64 << 20;

/// A file of records, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens or makes a file: the journal and the records in it. What follows the last whole record
    /// is cut off.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<Vec<u8>>)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, good) = read_records(&bytes);
        if good < bytes.len() {
            file.set_len(u64::try_from(good).unwrap_or(0))?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok((Self { file }, records))
    }

    /// The whole records in a file, which stays as it is.
    pub fn read(path: &Path) -> io::Result<Vec<Vec<u8>>> {
        Ok(read_records(&std::fs::read(path)?).0)
    }

    /// Appends records in one write.
    pub fn append<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in records {
            let length = u32::try_from(record.len())
                .ok()
                .filter(|length| *length <= MAX_RECORD)
                .ok_or_else(|| io::Error::other("record too large"))?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&crc32c::crc32c(record).to_le_bytes());
            bytes.extend_from_slice(record);
        }
        self.file.write_all(&bytes)
    }

    /// Waits until all is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// The whole records at the start of `bytes`, and how many bytes they take.
fn read_records(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((record, after)) = read_record(rest) {
        records.push(record.to_vec());
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

fn read_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (record, after) = rest.split_at_checked(length)?;
    (crc32c::crc32c(record) == u32::from_le_bytes(*sum)).then_some((record, after))
}

/// A chain record as bytes: a letter and what it is about.
pub fn encode_chain_record(record: &ChainRecord) -> Vec<u8> {
    let (tag, body) = match record {
        ChainRecord::Block(block, true) => (b'B', serialize(block.as_ref())),
        ChainRecord::Block(block, false) => (b'b', serialize(block.as_ref())),
        ChainRecord::Invalidate(hash) => (b'i', hash.to_byte_array().to_vec()),
        ChainRecord::Reconsider(hash) => (b'r', hash.to_byte_array().to_vec()),
        ChainRecord::Prefer(hash) => (b'p', hash.to_byte_array().to_vec()),
    };
    let mut bytes = vec![tag];
    bytes.extend(body);
    bytes
}

/// The chain record in some bytes; `None` if they make no sense.
pub fn decode_chain_record(bytes: &[u8]) -> Option<ChainRecord> {
    let (tag, body) = bytes.split_first()?;
    let block = || deserialize::<Block>(body).ok().map(Arc::new);
    let hash = || BlockHash::from_slice(body).ok();
    Some(match tag {
        b'B' => ChainRecord::Block(block()?, true),
        b'b' => ChainRecord::Block(block()?, false),
        b'i' => ChainRecord::Invalidate(hash()?),
        b'r' => ChainRecord::Reconsider(hash()?),
        b'p' => ChainRecord::Prefer(hash()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, records) = Journal::open(&path).unwrap();
        assert!(records.is_empty());
        journal.append([b"one".as_slice(), b"two"]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let (mut journal, records) = Journal::open(&path).unwrap();
        assert_eq!(records, [b"one"]);
        journal.append([b"three".as_slice()]).unwrap();
        let (_, records) = Journal::open(&path).unwrap();
        assert_eq!(records, [b"one".to_vec(), b"three".to_vec()]);
    }

    #[test]
    fn a_flipped_bit_ends_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        Journal::open(&path)
            .unwrap()
            .0
            .append([b"one".as_slice(), b"two"])
            .unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, [b"one"]);
    }
}
