//! Choices of a test that can be made again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The variable that names the seed to use.
const VARIABLE: &str = "FULGURITE_SEED";

/// A source of choices. Its seed is printed: with `FULGURITE_SEED` set to it the same choices are made again.
#[derive(Debug, Clone)]
pub struct Seed {
    state: u64,
}

impl Seed {
    /// The seed of the environment, or a fresh one; printed under the name of the test.
    pub fn from_environment(test: &str) -> Self {
        let given = std::env::var(VARIABLE)
            .ok()
            .and_then(|text| text.parse().ok());
        let state = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("{test}: {VARIABLE}={state}");
        Self { state }
    }

    /// A given seed.
    pub fn new(state: u64) -> Self {
        Self { state }
    }

    /// The next number (SplitMix64).
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    ///
    /// # Panics
    /// If `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next_u64()
            .checked_rem(end)
            .expect("there is something to choose from")
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(self.below(count)).unwrap_or(0);
        items.get(index).expect("the index is below the length")
    }
}
