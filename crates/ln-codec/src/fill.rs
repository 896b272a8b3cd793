//! Values that fill a TLV record without a length of their own.

use bitcoin::ScriptBuf;

use crate::{DecodeError, Encode, Reader};

/// A value of variable size that is the whole value of a TLV record: the record's length is its length.
pub trait Fill: Sized {
    /// Appends the value without a length.
    fn encode_fill(&self, out: &mut Vec<u8>);
    /// Reads all that is left in the record.
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

impl Fill for Vec<u8> {
    fn encode_fill(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(reader.rest().to_vec())
    }
}

impl Fill for ScriptBuf {
    fn encode_fill(&self, out: &mut Vec<u8>) {
        u8::encode_many(self.as_bytes(), out);
    }
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_bytes(reader.rest().to_vec()))
    }
}
