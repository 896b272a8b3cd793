//! Reading records.

use ln_codec::{Decode, Reader};
use ln_wire::PeerMessage;

use super::{RecordFlags, RecordHeader, RecordRef};

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where it stands.
    pub at: RecordRef,
    /// Its header.
    pub header: RecordHeader,
    /// The message, type included.
    pub message: &'a [u8],
}

impl Record<'_> {
    /// The message's type.
    pub fn number(&self) -> u16 {
        PeerMessage::peek_number(self.message).unwrap_or_default()
    }

    /// Whether it is void.
    pub fn is_deleted(&self) -> bool {
        self.header.flags.has(RecordFlags::DELETED)
    }

    /// Whether it belongs to a channel whose output is spent.
    pub fn is_dying(&self) -> bool {
        self.header.flags.has(RecordFlags::DYING)
    }
}

/// A record that can't be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The checksum is not the message's.
    #[error("checksum verification failed (offset {offset})")]
    Checksum {
        /// Where the record starts.
        offset: u64,
    },
}

impl StoreError {
    /// Where the record starts.
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Checksum { offset } => *offset,
        }
    }
}

/// Goes through records until the bytes end or one is not finished.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    offset: u64,
    accept_uncompleted: bool,
}

impl<'a> Records<'a> {
    /// Reads records from `bytes`, the first of which stands at `offset` of the file.
    pub fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self {
            bytes,
            offset,
            accept_uncompleted: false,
        }
    }

    /// Takes records without the completed flag for finished: stores up to version 14 have no such flag.
    #[must_use]
    pub fn accept_uncompleted(mut self) -> Self {
        self.accept_uncompleted = true;
        self
    }

    /// Where the next record starts, counted from the start of the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes not read.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next record, or `None` when there is none that is whole and completed yet.
    ///
    /// Void records come too, without a check of their bytes. After an error the record is skipped: the next call tries what follows.
    pub fn next_record(&mut self) -> Result<Option<Record<'a>>, StoreError> {
        let mut reader = Reader::new(self.bytes);
        let Ok(header) = RecordHeader::decode(&mut reader) else {
            return Ok(None);
        };
        let flags = header.flags;
        if !flags.has(RecordFlags::COMPLETED) && !self.accept_uncompleted {
            return Ok(None);
        }
        let Ok(message) = reader.take(usize::from(header.length)) else {
            return Ok(None);
        };
        let at = RecordRef {
            offset: self.offset,
            length: header.length,
        };
        self.bytes = reader.rest();
        self.offset = at.end();
        if !flags.has(RecordFlags::DELETED) && !header.matches(message) {
            return Err(StoreError::Checksum { offset: at.offset });
        }
        Ok(Some(Record {
            at,
            header,
            message,
        }))
    }
}
