//! Feerates and the ways users name them.

use std::fmt;
use std::str::FromStr;

use ln_codec::{Decode, Encode};

use crate::Sat;

/// A feerate in satoshi per 1000 weight units.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    serde::Serialize,
)]
#[serde(transparent)]
pub struct Feerate(u32);

/// The moments a feerate may be named after instead of given as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeeTarget {
    /// Opening a channel.
    Opening,
    /// A mutual close.
    MutualClose,
    /// A unilateral close.
    UnilateralClose,
    /// Our delayed outputs.
    DelayedToUs,
    /// An HTLC output on chain.
    HtlcResolution,
    /// A penalty.
    Penalty,
    /// The least a node accepts from a peer.
    MinAcceptable,
    /// The most a node accepts from a peer.
    MaxAcceptable,
    /// About four hours.
    Slow,
    /// About two hours.
    Normal,
    /// The next block.
    Urgent,
    /// The least the network relays.
    Minimum,
}

/// A feerate as a user gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeerateSpec {
    /// A number, already per kiloweight.
    Exact(Feerate),
    /// A name.
    Target(FeeTarget),
    /// The estimate for a number of blocks (`6blocks`).
    Blocks(u32),
}

/// Why a text is not a feerate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a feerate: write a number with 'perkw' or 'perkb' (253perkw, 1000perkb), a number of blocks (6blocks), \
     or one of slow, normal, urgent, minimum, opening, mutual_close, unilateral_close, penalty"
)]
pub struct FeerateError(String);

impl Feerate {
    /// What 1000 satoshi per 1000 vbytes rounds up to: the least that peers relay.
    pub const FLOOR: Self = Self(253);

    /// From satoshi per 1000 weight units.
    pub const fn from_perkw(perkw: u32) -> Self {
        Self(perkw)
    }

    /// From satoshi per 1000 virtual bytes, rounded up.
    pub const fn from_perkb(perkb: u32) -> Self {
        Self(perkb.div_ceil(4))
    }

    /// In satoshi per 1000 weight units.
    pub const fn as_perkw(self) -> u32 {
        self.0
    }

    /// In satoshi per 1000 virtual bytes.
    pub const fn as_perkb(self) -> u32 {
        self.0.saturating_mul(4)
    }

    /// The fee for a weight, rounded down as BOLT 3 §Fee Calculation does.
    pub fn fee(self, weight: u64) -> Sat {
        let fee = u128::from(self.0).saturating_mul(u128::from(weight)) / 1000;
        Sat::from_sat(u64::try_from(fee).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Feerate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}perkw", self.0)
    }
}

impl FromStr for FeeTarget {
    type Err = FeerateError;
    fn from_str(text: &str) -> Result<Self, FeerateError> {
        Ok(match text {
            "opening" => Self::Opening,
            "mutual_close" => Self::MutualClose,
            "unilateral_close" => Self::UnilateralClose,
            "delayed_to_us" => Self::DelayedToUs,
            "htlc_resolution" => Self::HtlcResolution,
            "penalty" => Self::Penalty,
            "min_acceptable" => Self::MinAcceptable,
            "max_acceptable" => Self::MaxAcceptable,
            "slow" => Self::Slow,
            "normal" => Self::Normal,
            "urgent" => Self::Urgent,
            "minimum" => Self::Minimum,
            _ => return Err(FeerateError(text.to_owned())),
        })
    }
}

/// As users type it: `253perkw`, `1000perkb`, `1000` (per kilobyte), `6blocks`, `normal`.
impl FromStr for FeerateSpec {
    type Err = FeerateError;
    fn from_str(text: &str) -> Result<Self, FeerateError> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain
                .then(|| digits.parse::<u32>().ok())
                .flatten()
                .ok_or_else(|| FeerateError(text.to_owned()))
        };
        if let Some(digits) = text.strip_suffix("perkw") {
            return number(digits).map(|n| Self::Exact(Feerate::from_perkw(n)));
        }
        if let Some(digits) = text.strip_suffix("perkb") {
            return number(digits).map(|n| Self::Exact(Feerate::from_perkb(n)));
        }
        if let Some(digits) = text.strip_suffix("blocks") {
            return number(digits).map(Self::Blocks);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return number(text).map(|n| Self::Exact(Feerate::from_perkb(n)));
        }
        text.parse().map(Self::Target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feerates_are_read_as_users_type_them() {
        let exact = |perkw| Ok(FeerateSpec::Exact(Feerate::from_perkw(perkw)));
        assert_eq!("253perkw".parse(), exact(253));
        assert_eq!("1000perkb".parse(), exact(250));
        assert_eq!("1012".parse(), exact(253));
        assert_eq!("6blocks".parse(), Ok(FeerateSpec::Blocks(6)));
        assert_eq!("urgent".parse(), Ok(FeerateSpec::Target(FeeTarget::Urgent)));
        for text in [
            "",
            "perkw",
            "-1perkw",
            "1.5perkw",
            "99999999999perkw",
            "fast",
        ] {
            assert!(text.parse::<FeerateSpec>().is_err(), "{text}");
        }
    }
}
