//! BOLT 1's variable-length integer.

use crate::{Decode, DecodeError, Encode, Reader};

/// BOLT 1 §Appendix A: BigSize Test Vectors: an integer of 1, 3, 5 or 9 bytes, big-endian, always in its shortest form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BigSize(
    /// The value.
    pub u64,
);

impl BigSize {
    /// Appends the encoding (also usable where the trait is not in scope).
    pub fn encode_to(self, out: &mut Vec<u8>) {
        if let Ok(byte) = u8::try_from(self.0)
            && byte < 0xfd
        {
            return out.push(byte);
        }
        if let Ok(short) = u16::try_from(self.0) {
            out.push(0xfd);
            out.extend_from_slice(&short.to_be_bytes());
        } else if let Ok(word) = u32::try_from(self.0) {
            out.push(0xfe);
            out.extend_from_slice(&word.to_be_bytes());
        } else {
            out.push(0xff);
            out.extend_from_slice(&self.0.to_be_bytes());
        }
    }

    /// Reads one BigSize.
    // BOLT 1 §Type-Length-Value Format: an integer not in its shortest form is an error.
    pub fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (value, minimum) = match reader.array::<1>()? {
            [0xff] => (u64::from_be_bytes(reader.array()?), 0x1_0000_0000),
            [0xfe] => (u64::from(u32::from_be_bytes(reader.array()?)), 0x1_0000),
            [0xfd] => (u64::from(u16::from_be_bytes(reader.array()?)), 0xfd),
            [byte] => (u64::from(byte), 0),
        };
        if value < minimum {
            Err(DecodeError::NotMinimal)
        } else {
            Ok(Self(value))
        }
    }
}

impl Encode for BigSize {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_to(out);
    }
}

impl Decode for BigSize {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_from(reader)
    }
}
