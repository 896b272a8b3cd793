//! A value for each side of the channel.

use std::ops::{Index, IndexMut};

use ln_codec::{Decode, Encode};
use ln_types::Side;

/// Two values of one kind, ours and the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BySide<T> {
    /// Ours.
    pub local: T,
    /// The peer's.
    pub remote: T,
}

impl<T> Index<Side> for BySide<T> {
    type Output = T;
    fn index(&self, side: Side) -> &T {
        match side {
            Side::Local => &self.local,
            Side::Remote => &self.remote,
        }
    }
}

impl<T> IndexMut<Side> for BySide<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Local => &mut self.local,
            Side::Remote => &mut self.remote,
        }
    }
}

impl<T: Encode> Encode for BySide<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.local.encode(out);
        self.remote.encode(out);
    }
}

impl<T: Decode> Decode for BySide<T> {
    fn decode(reader: &mut ln_codec::Reader<'_>) -> Result<Self, ln_codec::DecodeError> {
        Ok(Self {
            local: T::decode(reader)?,
            remote: T::decode(reader)?,
        })
    }
}
