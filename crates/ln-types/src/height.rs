//! Block heights and the expiries counted in them.

use std::fmt;

use ln_codec::{Decode, DecodeError, Encode, Reader, Truncated};

macro_rules! block_count {
    ($(#[$meta:meta])* $name:ident, $int:ty) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, serde::Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl Truncated for $name {
            fn encode_truncated(&self, out: &mut Vec<u8>) {
                self.0.encode_truncated(out);
            }
            fn decode_truncated(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                <$int>::decode_truncated(reader).map(Self)
            }
        }
    };
}

block_count!(
    /// The height of a block.
    BlockHeight,
    u32
);
block_count!(
    /// A number of blocks between two expiries or between now and one.
    CltvDelta,
    u16
);
block_count!(
    /// The absolute height at which an HTLC times out (`cltv_expiry`).
    CltvExpiry,
    u32
);

impl BlockHeight {
    /// The height `blocks` above, at most the largest.
    #[must_use]
    pub fn plus(self, blocks: u32) -> Self {
        Self(self.0.saturating_add(blocks))
    }

    /// The expiry `delta` blocks above this height.
    pub fn expiry(self, delta: CltvDelta) -> CltvExpiry {
        CltvExpiry(self.0.saturating_add(u32::from(delta.0)))
    }

    /// How deep a block at this height is when `tip` is the best height; 1 is the tip itself, 0 is not yet there.
    pub fn depth_at(self, tip: Self) -> u32 {
        tip.0.saturating_add(1).saturating_sub(self.0)
    }
}

impl CltvExpiry {
    /// The expiry `delta` blocks later.
    #[must_use]
    pub fn plus(self, delta: CltvDelta) -> Self {
        Self(self.0.saturating_add(u32::from(delta.0)))
    }
}
