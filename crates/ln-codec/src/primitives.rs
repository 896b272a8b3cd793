//! Integers, arrays, lists, options and strings.

use crate::{Decode, DecodeError, Encode, Reader};

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Encode for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
        impl Decode for $int {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(<$int>::from_be_bytes(reader.array()?))
            }
        }
    )*};
}

integers!(u16, u32, u64, i32, i64);

impl Encode for u8 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn encode_many(items: &[Self], out: &mut Vec<u8>) {
        out.extend_from_slice(items);
    }
}

impl Decode for u8 {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [byte] = reader.array()?;
        Ok(byte)
    }
    fn decode_many(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, DecodeError> {
        Ok(reader.take(count)?.to_vec())
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Decode for bool {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::decode(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Invalid { what: "bool" }),
        }
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array()
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        let count = u16::try_from(self.len())
            .expect("lists are kept under 65536 entries by whoever builds them");
        count.encode(out);
        T::encode_many(self, out);
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = usize::from(u16::decode(reader)?);
        T::decode_many(reader, count)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if bool::decode(reader)? {
            Ok(Some(T::decode(reader)?))
        } else {
            Ok(None)
        }
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::new(T::decode(reader)?))
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(reader)?, B::decode(reader)?))
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut end = self.len().min(usize::from(u16::MAX));
        while !self.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let bytes = self.get(..end).unwrap_or_default().as_bytes();
        u16::try_from(bytes.len()).unwrap_or_default().encode(out);
        out.extend_from_slice(bytes);
    }
}

impl Decode for String {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_utf8(Vec::decode(reader)?).map_err(|_| DecodeError::Invalid {
            what: "utf-8 string",
        })
    }
}

/// Text ended by a zero byte, as hsmd's messages carry it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WireString(
    /// The text, without the zero byte.
    pub String,
);

impl Encode for WireString {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.0.bytes().filter(|byte| *byte != 0));
        out.push(0);
    }
}

impl Decode for WireString {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.peek().iter().position(|byte| *byte == 0);
        let length = length.ok_or(DecodeError::Invalid {
            what: "zero-terminated string",
        })?;
        let bytes = reader.take(length)?.to_vec();
        reader.take(1)?;
        String::from_utf8(bytes)
            .map(Self)
            .map_err(|_| DecodeError::Invalid {
                what: "utf-8 string",
            })
    }
}

/// Bytes with a `u32` length: transactions, states and other things that may pass 64 KiB between our own processes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LongBytes(
    /// The bytes.
    pub Vec<u8>,
);

impl Encode for LongBytes {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len())
            .expect("frames are far below 4 GiB")
            .encode(out);
        out.extend_from_slice(&self.0);
    }
}

impl Decode for LongBytes {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = usize::try_from(u32::decode(reader)?).unwrap_or(usize::MAX);
        Ok(Self(reader.take(length)?.to_vec()))
    }
}
