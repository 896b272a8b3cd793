//! What a client of the signer may ask for.

use std::fmt;
use std::ops::BitOr;

/// A set of permissions, in Core Lightning's bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

/// All permissions by name, for logs.
const NAMES: [(Capabilities, &str); 10] = [
    (Capabilities::ECDH, "ECDH"),
    (Capabilities::SIGN_GOSSIP, "SIGN_GOSSIP"),
    (Capabilities::SIGN_ONCHAIN_TX, "SIGN_ONCHAIN_TX"),
    (Capabilities::COMMITMENT_POINT, "COMMITMENT_POINT"),
    (Capabilities::SIGN_REMOTE_TX, "SIGN_REMOTE_TX"),
    (Capabilities::SIGN_CLOSING_TX, "SIGN_CLOSING_TX"),
    (Capabilities::SIGN_WILL_FUND_OFFER, "SIGN_WILL_FUND_OFFER"),
    (Capabilities::SIGN_SPLICE_TX, "SIGN_SPLICE_TX"),
    (Capabilities::LOCK_OUTPOINT, "LOCK_OUTPOINT"),
    (Capabilities::MASTER, "MASTER"),
];

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Key agreement with the node's key.
    pub const ECDH: Self = Self(1);
    /// Gossip messages.
    pub const SIGN_GOSSIP: Self = Self(2);
    /// Spends of a closed channel's outputs.
    pub const SIGN_ONCHAIN_TX: Self = Self(4);
    /// Per-commitment points and channel parameters.
    pub const COMMITMENT_POINT: Self = Self(8);
    /// The peer's commitments, and revoking ours.
    pub const SIGN_REMOTE_TX: Self = Self(16);
    /// Closing transactions.
    pub const SIGN_CLOSING_TX: Self = Self(32);
    /// The terms of liquidity leases.
    pub const SIGN_WILL_FUND_OFFER: Self = Self(64);
    /// Splices.
    pub const SIGN_SPLICE_TX: Self = Self(128);
    /// Which funding output is the channel's.
    pub const LOCK_OUTPOINT: Self = Self(256);
    /// Everything only lightningd may ask.
    pub const MASTER: Self = Self(1024);

    /// What lightningd has.
    pub const LIGHTNINGD: Self = Self(Self::MASTER.0 | Self::SIGN_GOSSIP.0 | Self::ECDH.0);
    /// What connectd gets.
    pub const CONNECTD: Self = Self::ECDH;
    /// What openingd gets.
    pub const OPENINGD: Self = Self(Self::COMMITMENT_POINT.0 | Self::SIGN_REMOTE_TX.0);
    /// What dualopend gets.
    pub const DUALOPEND: Self =
        Self(Self::OPENINGD.0 | Self::SIGN_WILL_FUND_OFFER.0 | Self::LOCK_OUTPOINT.0);
    /// What channeld gets.
    pub const CHANNELD: Self = Self(
        Self::SIGN_GOSSIP.0
            | Self::ECDH.0
            | Self::COMMITMENT_POINT.0
            | Self::SIGN_REMOTE_TX.0
            | Self::SIGN_ONCHAIN_TX.0
            | Self::SIGN_CLOSING_TX.0
            | Self::SIGN_SPLICE_TX.0
            | Self::LOCK_OUTPOINT.0,
    );
    /// What closingd and simpleclosed get.
    pub const CLOSINGD: Self = Self(Self::SIGN_CLOSING_TX.0 | Self::COMMITMENT_POINT.0);
    /// What onchaind gets.
    pub const ONCHAIND: Self = Self(Self::SIGN_ONCHAIN_TX.0 | Self::COMMITMENT_POINT.0);

    /// A set from the bits of `hsmd_client_hsmfd`. Unknown bits are kept: they permit nothing.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of `wanted` is in the set.
    pub const fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Capabilities {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (capability, name) in NAMES {
            if self.contains(capability) {
                write!(f, "{separator}{name}")?;
                separator = "|";
            }
        }
        if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capabilities({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_core_lightnings() {
        assert_eq!(Capabilities::LIGHTNINGD.bits(), 1027);
        assert_eq!(Capabilities::CHANNELD.bits(), 0b1_1011_1111);
        assert_eq!(Capabilities::OPENINGD.bits(), 24);
        assert_eq!(Capabilities::DUALOPEND.bits(), 344);
        assert_eq!(Capabilities::CLOSINGD.bits(), 40);
        assert_eq!(Capabilities::ONCHAIND.bits(), 12);
        assert!(!Capabilities::CHANNELD.contains(Capabilities::MASTER));
        assert_eq!(
            Capabilities::CLOSINGD.to_string(),
            "COMMITMENT_POINT|SIGN_CLOSING_TX"
        );
    }
}
