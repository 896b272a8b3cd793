//! The 12 bytes before each message.

use std::ops::BitOr;

use ln_codec::{Decode, Encode};

/// Bytes of a record's header.
pub const HEADER_LEN: u64 = 12;

/// Flags of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct RecordFlags(
    /// The bits; unknown ones are kept.
    pub u16,
);

impl RecordFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// The record is void.
    pub const DELETED: Self = Self(0x8000);
    /// The record is wholly written. Set by a write of its own, after the message.
    pub const COMPLETED: Self = Self(0x2000);
    /// The channel's funding output is spent: the record is still valid but not passed on.
    pub const DYING: Self = Self(0x0800);
    /// Versions up to 13: an expired channel.
    pub const ZOMBIE: Self = Self(0x1000);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags with those of `other` if `wanted`.
    #[must_use]
    pub fn with(self, other: Self, wanted: bool) -> Self {
        if wanted { self | other } else { self }
    }
}

impl BitOr for RecordFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RecordHeader {
    /// Flags.
    pub flags: RecordFlags,
    /// Bytes of the message.
    pub length: u16,
    /// CRC32C of the message, seeded with the timestamp.
    pub crc: u32,
    /// When the message was made, in seconds since 1970; 0 for records that have no time.
    pub timestamp: u32,
}

impl RecordHeader {
    /// The header of a message.
    ///
    /// # Panics
    /// When the message is longer than any peer message.
    pub fn new(message: &[u8], timestamp: u32, flags: RecordFlags) -> Self {
        Self {
            flags,
            length: u16::try_from(message.len()).expect("no message is over 65535 bytes"),
            crc: checksum(message, timestamp),
            timestamp,
        }
    }

    /// Whether the checksum is the message's.
    pub fn matches(&self, message: &[u8]) -> bool {
        self.crc == checksum(message, self.timestamp)
    }
}

fn checksum(message: &[u8], timestamp: u32) -> u32 {
    crc32c::crc32c_append(timestamp, message)
}

/// Where a record stands in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// The header's first byte, counted from the start of the file.
    pub offset: u64,
    /// Bytes of the message.
    pub length: u16,
}

impl RecordRef {
    /// The message's first byte, counted from the start of the file.
    pub fn message_offset(self) -> u64 {
        self.offset.saturating_add(HEADER_LEN)
    }

    /// Where the next record starts.
    pub fn end(self) -> u64 {
        self.message_offset().saturating_add(u64::from(self.length))
    }
}
