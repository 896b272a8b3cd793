//! BOLT 1 primitives: integers, BigSize, length-prefixed lists, TLV streams, and the `Encode`/`Decode` pair every message of ours
//! and of the peers' is built from.
//!
//! Covers BOLT 1 §Fundamental Types, §Type-Length-Value Format.
//!
//! Conventions: integers are big-endian; `Vec<T>` and `ScriptBuf` are prefixed by a `u16` count; `Option<T>` is a `u8` 0 or 1 before the
//! value (our own messages and hsmd's only: the BOLTs have no such form); `String` is a `u16` length and UTF-8.
//!
//! Invariants: no allocation is made on the word of a length prefix alone; decoding never panics; no effects.
#![warn(clippy::arithmetic_side_effects)]

extern crate self as ln_codec;

mod bigsize;
mod bitcoin_types;
mod error;
mod fill;
mod messages;
mod primitives;
mod reader;
mod tlv;
mod truncated;

pub use bigsize::BigSize;
pub use error::DecodeError;
pub use fill::Fill;
pub use ln_codec_derive::{Decode, Encode, Tlv};
pub use primitives::{LongBytes, WireString};
pub use reader::Reader;
pub use tlv::{TlvReader, TlvRecord, TlvRecordRef, TlvWriter, ignore_extension};
pub use truncated::Truncated;

/// A value with a fixed way of being written to the wire.
pub trait Encode {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Appends the encodings of many values, without a count. Bytes override it to copy at once.
    fn encode_many(items: &[Self], out: &mut Vec<u8>)
    where
        Self: Sized,
    {
        for item in items {
            item.encode(out);
        }
    }

    /// The encoding as a new vector.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// A value that can be read from the wire.
pub trait Decode: Sized {
    /// Reads one value and leaves the reader behind it.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads `count` values. Bytes override it to copy at once.
    fn decode_many(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, DecodeError> {
        let mut items = Vec::with_capacity(count.min(reader.remaining()));
        for _ in 0..count {
            items.push(Self::decode(reader)?);
        }
        Ok(items)
    }

    /// Reads one value that must fill `bytes` exactly.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// Reads values until the reader is empty.
pub fn decode_rest<T: Decode>(reader: &mut Reader<'_>) -> Result<Vec<T>, DecodeError> {
    let mut items = Vec::new();
    while !reader.is_empty() {
        items.push(T::decode(reader)?);
    }
    Ok(items)
}
