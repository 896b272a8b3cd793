//! Bitcoin amounts as bitcoind writes them.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An amount in satoshi, read from a decimal number of bitcoin without rounding.
///
/// A proxy may have put the number in quotes, or written a small one with an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Satoshi(pub(crate) u64);

impl<'de> Deserialize<'de> for Satoshi {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        let text = raw.get().trim_matches('"');
        parse(text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is no amount of bitcoin")))
    }
}

/// Decimals of a bitcoin.
const DECIMALS: i32 = 8;

fn parse(text: &str) -> Option<u64> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse().ok()?),
        None => (text, 0_i32),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let value: u128 = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let shift = exponent.checked_add(DECIMALS)?.checked_sub(places)?;
    let power = 10_u128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        return u64::try_from(value.checked_mul(power)?).ok();
    }
    // What is finer than a satoshi must be nothing.
    value
        .is_multiple_of(power)
        .then(|| u64::try_from(value / power).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_amount_is_read() {
        for (text, satoshi) in [
            ("0.00001000", 1000),
            ("\"0.00001000\"", 1000),
            ("1E-8", 1),
            ("1e-05", 1000),
            ("0.5", 50_000_000),
            ("21000000.00000000", 2_100_000_000_000_000),
            ("0.000010000000", 1000),
            ("0", 0),
            ("50", 5_000_000_000),
        ] {
            let read: Satoshi = serde_json::from_str(text).unwrap();
            assert_eq!(read, Satoshi(satoshi), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "-1",
            "null",
            "\"\"",
            "\"1.2.3\"",
            "0.000000001",
            "1e30",
            "\"0x1\"",
            "[]",
            "{}",
            "\".5\"",
            "\"1e999999999999\"",
            "\"1e-2147483648\"",
        ] {
            assert!(serde_json::from_str::<Satoshi>(text).is_err(), "{text}");
        }
    }
}
