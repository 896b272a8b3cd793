//! Millisatoshi and satoshi.

use std::fmt;
use std::str::FromStr;

use ln_codec::{Decode, DecodeError, Encode, Reader, Truncated};

/// Millisatoshi per satoshi.
const MSAT_PER_SAT: u64 = 1000;
/// Millisatoshi per bitcoin.
const MSAT_PER_BTC: u64 = 100_000_000_000;

/// An amount in millisatoshi.
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
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Msat(u64);

/// An amount in satoshi.
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
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Sat(u64);

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Not a number with an optional unit.
    #[error(
        "'{0}' is not an amount: write a number with an optional unit msat, sat or btc, such as 1000msat, 10sat or 0.042btc"
    )]
    Malformed(String),
    /// More digits than the unit has.
    #[error("'{0}' is finer than one millisatoshi")]
    TooFine(String),
    /// Beyond 64 bits of millisatoshi.
    #[error("'{0}' is too large")]
    TooLarge(String),
    /// Not a whole number of satoshi.
    #[error("'{0}' is not a whole number of satoshi")]
    NotWholeSat(String),
}

macro_rules! amount {
    ($name:ident, $unit:literal) => {
        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(u64::MAX);

            /// The sum, or `None` past 64 bits.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }
            /// The difference, or `None` below zero.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
            /// The sum, at most `MAX`.
            pub fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
            /// The difference, at least zero.
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
            /// Whether this is nothing.
            pub fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $unit), self.0)
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Self::saturating_add)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                u64::decode(reader).map(Self)
            }
        }

        impl Truncated for $name {
            fn encode_truncated(&self, out: &mut Vec<u8>) {
                self.0.encode_truncated(out);
            }
            fn decode_truncated(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                u64::decode_truncated(reader).map(Self)
            }
        }
    };
}

amount!(Msat, "msat");
amount!(Sat, "sat");

impl Msat {
    /// From a raw number of millisatoshi.
    pub const fn from_msat(msat: u64) -> Self {
        Self(msat)
    }
    /// The raw number of millisatoshi.
    pub const fn as_msat(self) -> u64 {
        self.0
    }
    /// Whole satoshi, rounded down.
    pub const fn to_sat_floor(self) -> Sat {
        Sat(self.0 / MSAT_PER_SAT)
    }
    /// Whole satoshi, rounded up.
    pub const fn to_sat_ceil(self) -> Sat {
        Sat(self.0.div_ceil(MSAT_PER_SAT))
    }
    /// `ppm` millionths of this amount, rounded down; at most `MAX`.
    pub fn millionths(self, ppm: u32) -> Self {
        let wide = u128::from(self.0).saturating_mul(u128::from(ppm)) / 1_000_000;
        Self(u64::try_from(wide).unwrap_or(u64::MAX))
    }
}

impl Sat {
    /// From a raw number of satoshi.
    pub const fn from_sat(sat: u64) -> Self {
        Self(sat)
    }
    /// The raw number of satoshi.
    pub const fn as_sat(self) -> u64 {
        self.0
    }
    /// In millisatoshi, or `None` past 64 bits.
    pub fn to_msat(self) -> Option<Msat> {
        self.0.checked_mul(MSAT_PER_SAT).map(Msat)
    }
    /// In millisatoshi, at most `Msat::MAX`: for amounts already known to be below the money supply.
    pub fn to_msat_saturating(self) -> Msat {
        Msat(self.0.saturating_mul(MSAT_PER_SAT))
    }
}

impl From<bitcoin::Amount> for Sat {
    fn from(amount: bitcoin::Amount) -> Self {
        Self(amount.to_sat())
    }
}

impl From<Sat> for bitcoin::Amount {
    fn from(sat: Sat) -> Self {
        Self::from_sat(sat.0)
    }
}

/// Reads digits with an optional fraction as thousandths or finer of a unit worth `unit` millisatoshi.
fn scaled(text: &str, digits: &str, unit: u64) -> Result<u64, AmountError> {
    let malformed = || AmountError::Malformed(text.to_owned());
    let large = || AmountError::TooLarge(text.to_owned());
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let dangling = digits.contains('.') && fraction.is_empty();
    if !plain(whole) || !plain(fraction) || whole.is_empty() || dangling {
        return Err(malformed());
    }
    let whole: u64 = whole.parse().map_err(|_| large())?;
    let mut total = whole.checked_mul(unit).ok_or_else(large)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        let digit = u64::from(digit.saturating_sub(b'0'));
        if !place.is_multiple_of(10) {
            if digit == 0 {
                continue;
            }
            return Err(AmountError::TooFine(text.to_owned()));
        }
        place /= 10;
        total = digit
            .checked_mul(place)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(large)?;
    }
    Ok(total)
}

/// Millisatoshi of a text; a number without a unit counts in `bare` millisatoshi.
fn parse_msat(text: &str, bare: u64) -> Result<u64, AmountError> {
    let (digits, unit) = if let Some(digits) = text.strip_suffix("msat") {
        (digits, 1)
    } else if let Some(digits) = text.strip_suffix("sat") {
        (digits, MSAT_PER_SAT)
    } else if let Some(digits) = text.strip_suffix("btc") {
        (digits, MSAT_PER_BTC)
    } else if text.contains('.') {
        return Err(AmountError::Malformed(text.to_owned()));
    } else {
        (text, bare)
    };
    scaled(text, digits, unit)
}

/// As users type it: `1000`, `1000msat`, `10sat`, `0.042btc`; a bare number is millisatoshi.
impl FromStr for Msat {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        parse_msat(text, 1).map(Self)
    }
}

/// As users type it: `1000`, `10sat`, `0.042btc`, `10000msat`; a bare number is satoshi.
impl FromStr for Sat {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let msat = parse_msat(text, MSAT_PER_SAT)?;
        if !msat.is_multiple_of(MSAT_PER_SAT) {
            return Err(AmountError::NotWholeSat(text.to_owned()));
        }
        Ok(Self(msat / MSAT_PER_SAT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_users_type_them() {
        assert_eq!("0.042btc".parse::<Sat>().unwrap(), Sat::from_sat(4_200_000));
        assert_eq!("10sat".parse::<Msat>().unwrap(), Msat::from_msat(10_000));
        assert_eq!("1000msat".parse::<Msat>().unwrap(), Msat::from_msat(1000));
        assert_eq!("1000".parse::<Msat>().unwrap(), Msat::from_msat(1000));
        assert_eq!("1000".parse::<Sat>().unwrap(), Sat::from_sat(1000));
        assert_eq!(
            "0.00000000001btc".parse::<Msat>().unwrap(),
            Msat::from_msat(1)
        );
        assert_eq!("1.5sat".parse::<Msat>().unwrap(), Msat::from_msat(1500));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "", "sat", "-1", "1.sat", ".5btc", "1e3", "1.5", "0x10", "1 sat", "any", "1.5msat",
            "+1",
        ] {
            assert!(text.parse::<Msat>().is_err(), "{text}");
        }
        assert_eq!(
            "1msat".parse::<Sat>(),
            Err(AmountError::NotWholeSat("1msat".to_owned()))
        );
        assert!(matches!(
            "99999999999btc".parse::<Msat>(),
            Err(AmountError::TooLarge(_))
        ));
    }
}
