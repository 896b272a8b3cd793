//! Channel ids.

use std::fmt;
use std::str::FromStr;

use bitcoin::OutPoint;
use bitcoin::hashes::Hash;
use bitcoin::hex::{DisplayHex, FromHex};
use ln_codec::{Decode, Encode};

/// The 32 bytes that name a channel on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ChannelId(pub [u8; 32]);

impl ChannelId {
    /// All zero: in `error` and `warning` it means every channel with the peer.
    pub const ALL: Self = Self([0; 32]);

    /// The id of a v1 channel.
    ///
    /// BOLT 2 §Definition of `channel_id`: the funding txid with its last two bytes XORed with the output index.
    pub fn v1(funding: OutPoint) -> Self {
        let mut bytes = funding.txid.to_byte_array();
        let index = funding.vout.to_be_bytes();
        let ([.., a, b], [.., x, y]) = (&mut bytes, index);
        *a ^= x;
        *b ^= y;
        Self(bytes)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelId({self})")
    }
}

impl FromStr for ChannelId {
    type Err = bitcoin::hex::HexToArrayError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <[u8; 32]>::from_hex(text).map(Self)
    }
}

impl serde::Serialize for ChannelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ChannelId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::serde_text::read(from)
    }
}
