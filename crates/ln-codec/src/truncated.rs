//! BOLT 1's truncated integers (`tu16`, `tu32`, `tu64`).

use crate::{DecodeError, Reader};

/// An integer that fills a TLV record, written without leading zero bytes.
///
/// BOLT 1 §Fundamental Types: a truncated integer has no leading zeros, and zero is no bytes at all.
pub trait Truncated: Sized {
    /// Appends the shortest form.
    fn encode_truncated(&self, out: &mut Vec<u8>);
    /// Reads all that is left in the record.
    fn decode_truncated(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

macro_rules! truncated {
    ($($int:ty),*) => {$(
        impl Truncated for $int {
            fn encode_truncated(&self, out: &mut Vec<u8>) {
                out.extend(self.to_be_bytes().into_iter().skip_while(|byte| *byte == 0));
            }
            fn decode_truncated(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let bytes = reader.rest();
                if bytes.first() == Some(&0) {
                    return Err(DecodeError::NotMinimal);
                }
                let mut wide = [0; size_of::<$int>()];
                let Some(start) = wide.len().checked_sub(bytes.len()) else {
                    return Err(DecodeError::TrailingBytes { left: bytes.len().saturating_sub(wide.len()) });
                };
                for (to, from) in wide.iter_mut().skip(start).zip(bytes) {
                    *to = *from;
                }
                Ok(<$int>::from_be_bytes(wide))
            }
        }
    )*};
}

truncated!(u16, u32, u64);
