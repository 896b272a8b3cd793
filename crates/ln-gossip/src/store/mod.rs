//! The `gossip_store` file as bytes.
//!
//! One version byte, then records: a 12-byte big-endian header and a message. Records are only ever appended; of what is written, only
//! header flags, and the timestamp of a `channel_announcement`, change later. Several programs read the file while it grows.

mod header;
mod internal;
mod records;
mod rewrite;

pub use header::{HEADER_LEN, RecordFlags, RecordHeader, RecordRef};
pub use internal::{
    ChannelAmount, ChannelDying, DeleteChannel, InternalRecord, StoreEnded, StoreUuid,
};
pub use records::{Record, Records, StoreError};
pub use rewrite::{Rewritten, can_upgrade, rewrite};

/// The version byte: major 0, minor 16.
pub const VERSION: u8 = 16;

/// The first bytes of a new store: the version and the uuid record.
pub fn new_store(uuid: [u8; 32]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    append(&mut bytes, &internal_bytes(StoreUuid { uuid }), 0);
    bytes
}

/// The message of one of the store's own records.
pub fn internal_bytes(record: impl Into<InternalRecord>) -> Vec<u8> {
    ln_codec::Encode::to_bytes(&record.into())
}

/// Appends a finished record to bytes that become a store.
pub fn append(store: &mut Vec<u8>, message: &[u8], timestamp: u32) {
    let header = RecordHeader::new(message, timestamp, RecordFlags::COMPLETED);
    ln_codec::Encode::encode(&header, store);
    store.extend_from_slice(message);
}
