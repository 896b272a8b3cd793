//! Feature bit vectors.

use std::fmt;
use std::str::FromStr;

use bitcoin::hex::{DisplayHex, FromHex};
use ln_codec::{Decode, DecodeError, Encode, Fill, Reader};

use crate::FeatureBit;

/// A feature vector of BOLT 9: bit 0 is the lowest bit of the last byte. Kept without leading zero bytes.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Features {
    /// Little-endian: byte 0 holds bits 0 to 7.
    bytes: Vec<u8>,
}

impl Features {
    /// No feature at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the bytes of a message, highest bits first.
    pub fn from_wire(bytes: &[u8]) -> Self {
        let mut bytes: Vec<u8> = bytes.iter().rev().copied().collect();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        Self { bytes }
    }

    /// The shortest bytes for a message, highest bits first.
    pub fn to_wire(&self) -> Vec<u8> {
        self.bytes.iter().rev().copied().collect()
    }

    /// Sets one bit.
    pub fn set(&mut self, bit: u16) {
        let index = usize::from(bit / 8);
        if self.bytes.len() <= index {
            self.bytes.resize(index.saturating_add(1), 0);
        }
        if let Some(byte) = self.bytes.get_mut(index) {
            *byte |= 1 << (bit % 8);
        }
    }

    /// Clears one bit.
    pub fn clear(&mut self, bit: u16) {
        if let Some(byte) = self.bytes.get_mut(usize::from(bit / 8)) {
            *byte &= !(1 << (bit % 8));
        }
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
    }

    /// These features and one more bit.
    #[must_use]
    pub fn with(mut self, bit: u16) -> Self {
        self.set(bit);
        self
    }

    /// Whether one exact bit is set.
    pub fn has_bit(&self, bit: u16) -> bool {
        self.bytes
            .get(usize::from(bit / 8))
            .is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }

    /// Whether a feature is offered, as optional or compulsory.
    pub fn supports(&self, feature: FeatureBit) -> bool {
        self.has_bit(feature.even()) || self.has_bit(feature.odd())
    }

    /// Whether a feature is compulsory.
    pub fn requires(&self, feature: FeatureBit) -> bool {
        self.has_bit(feature.even())
    }

    /// Every set bit, ascending.
    pub fn bits(&self) -> impl Iterator<Item = u16> + '_ {
        (0..=u16::MAX)
            .take(self.bytes.len().saturating_mul(8))
            .filter(|bit| self.has_bit(*bit))
    }

    /// The first compulsory bit that `ours` does not offer.
    ///
    /// BOLT 9 §Requirements: an unknown even bit means the peer can't be talked to.
    pub fn first_unsupported(&self, ours: &Self) -> Option<u16> {
        self.bits()
            .find(|bit| bit % 2 == 0 && !ours.has_bit(*bit) && !ours.has_bit(bit | 1))
    }

    /// Whether no bit is set.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl FromIterator<u16> for Features {
    fn from_iter<I: IntoIterator<Item = u16>>(bits: I) -> Self {
        bits.into_iter().fold(Self::new(), Self::with)
    }
}

/// A `u16` length and the bytes, as in `init`.
impl Encode for Features {
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_wire().encode(out);
    }
}

impl Decode for Features {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Vec::decode(reader).map(|bytes| Self::from_wire(&bytes))
    }
}

/// The bytes alone, as in the `channel_type` record.
impl Fill for Features {
    fn encode_fill(&self, out: &mut Vec<u8>) {
        self.to_wire().encode_fill(out);
    }
    fn decode_fill(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::from_wire(reader.rest()))
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_wire().as_hex())
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bits()).finish()
    }
}

impl FromStr for Features {
    type Err = bitcoin::hex::HexToBytesError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Vec::from_hex(text).map(|bytes| Self::from_wire(&bytes))
    }
}

impl serde::Serialize for Features {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Features {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::serde_text::read(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_bits_agree() {
        let bits = [
            0, 5, 7, 8, 11, 12, 14, 17, 19, 23, 25, 27, 35, 39, 43, 44, 47, 51, 63,
        ];
        let features: Features = bits.into_iter().collect();
        assert_eq!(features.to_string(), "800898880a8a59a1");
        assert_eq!("800898880a8a59a1".parse::<Features>().unwrap(), features);
        assert_eq!(features.bits().collect::<Vec<_>>(), bits);
    }

    #[test]
    fn an_unknown_even_bit_is_found() {
        let ours: Features = [1, 12].into_iter().collect();
        assert_eq!(
            Features::from_iter([0, 13, 101]).first_unsupported(&ours),
            None
        );
        assert_eq!(
            Features::from_iter([0, 100]).first_unsupported(&ours),
            Some(100)
        );
    }
}
