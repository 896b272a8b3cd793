//! Short channel ids.

use std::fmt;
use std::str::FromStr;

use ln_codec::{Decode, Encode};

/// BOLT 7 §Definition of `short_channel_id`: block height (24 bits), transaction index (24 bits), output index (16 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ShortChannelId(u64);

/// One direction of a channel: 0 from the node with the lesser id, 1 from the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ShortChannelIdDir {
    /// The channel.
    pub scid: ShortChannelId,
    /// The direction, 0 or 1.
    pub direction: u8,
}

/// Why a text is not a short channel id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a short channel id: write BLOCKxTXxOUTPUT, such as 103x1x0")]
pub struct ScidError(String);

impl ShortChannelId {
    /// From its parts; `None` when one does not fit.
    pub fn new(block: u32, transaction: u32, output: u16) -> Option<Self> {
        let fits = block < 1 << 24 && transaction < 1 << 24;
        fits.then(|| {
            Self(u64::from(block) << 40 | u64::from(transaction) << 16 | u64::from(output))
        })
    }

    /// From its 64 bits.
    pub const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// Its 64 bits.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The block's height.
    pub fn block(self) -> u32 {
        u32::try_from(self.0 >> 40).expect("24 bits")
    }

    /// The transaction's index in the block.
    pub fn transaction(self) -> u32 {
        u32::try_from(self.0 >> 16 & 0xff_ffff).expect("24 bits")
    }

    /// The output's index in the transaction.
    pub fn output(self) -> u16 {
        u16::try_from(self.0 & 0xffff).expect("16 bits")
    }
}

impl fmt::Display for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}x{}x{}",
            self.block(),
            self.transaction(),
            self.output()
        )
    }
}

impl fmt::Debug for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShortChannelId({self})")
    }
}

impl FromStr for ShortChannelId {
    type Err = ScidError;
    fn from_str(text: &str) -> Result<Self, ScidError> {
        let parse = || {
            let mut parts = text.split('x');
            let mut next = || {
                let part = parts.next()?;
                part.bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then_some(part)
            };
            let (block, transaction, output) = (
                next()?.parse().ok()?,
                next()?.parse().ok()?,
                next()?.parse().ok()?,
            );
            if parts.next().is_some() {
                return None;
            }
            Self::new(block, transaction, output)
        };
        parse().ok_or_else(|| ScidError(text.to_owned()))
    }
}

impl fmt::Display for ShortChannelIdDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scid, self.direction)
    }
}

impl fmt::Debug for ShortChannelIdDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShortChannelIdDir({self})")
    }
}

impl FromStr for ShortChannelIdDir {
    type Err = ScidError;
    fn from_str(text: &str) -> Result<Self, ScidError> {
        let error = || ScidError(text.to_owned());
        let (scid, direction) = text.split_once('/').ok_or_else(error)?;
        let direction = match direction {
            "0" => 0,
            "1" => 1,
            _ => return Err(error()),
        };
        Ok(Self {
            scid: scid.parse()?,
            direction,
        })
    }
}

impl serde::Serialize for ShortChannelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ShortChannelId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::serde_text::read(from)
    }
}

impl serde::Serialize for ShortChannelIdDir {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ShortChannelIdDir {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::serde_text::read(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scids_are_read_as_users_type_them() {
        assert_eq!(
            "103x1x0".parse(),
            Ok(ShortChannelId::new(103, 1, 0).unwrap())
        );
        assert_eq!(
            ShortChannelId::new(103, 1, 7).unwrap().to_string(),
            "103x1x7"
        );
        for text in [
            "",
            "103",
            "103x1",
            "103x1x",
            "103x1x65536",
            "16777216x1x0",
            "103x1x0x0",
            "-1x1x0",
            "+1x1x0",
        ] {
            assert!(text.parse::<ShortChannelId>().is_err(), "{text}");
        }
    }
}
