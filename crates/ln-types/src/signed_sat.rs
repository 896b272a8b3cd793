//! Satoshi with a sign.

use std::fmt;

use ln_codec::{Decode, Encode};

use crate::Sat;

/// A change of an amount in satoshi: what a side adds (or, negative, takes out) in a splice.
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
pub struct SignedSat(i64);

impl SignedSat {
    /// No change.
    pub const ZERO: Self = Self(0);

    /// From a raw number of satoshi.
    pub const fn from_sat(sat: i64) -> Self {
        Self(sat)
    }

    /// The raw number of satoshi.
    pub const fn as_sat(self) -> i64 {
        self.0
    }

    /// Whether the amount shrinks.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The size of the change.
    pub const fn magnitude(self) -> Sat {
        Sat::from_sat(self.0.unsigned_abs())
    }

    /// `amount` after this change, or `None` below zero or past 64 bits.
    pub fn apply_to(self, amount: Sat) -> Option<Sat> {
        amount
            .as_sat()
            .checked_add_signed(self.0)
            .map(Sat::from_sat)
    }
}

impl fmt::Display for SignedSat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}sat", self.0)
    }
}
