//! BOLT 3 §Efficient Per-commitment Secret Storage: the receiver's side.

use ln_codec::{Decode, DecodeError, Encode, Reader};
use ln_types::CommitmentNumber;

use crate::per_commitment::{INDEX_BITS, PerCommitmentSecret, ShachainIndex, derive_below};

/// All secrets a peer has revealed, in at most 49 entries.
///
/// Encodes as Core Lightning writes it: the lowest index known as `u64`, the number of entries as `u32`, then each entry's
/// index and secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shachain {
    /// Entry `b` holds the secret of an index with `b` trailing zeros.
    known: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    index: ShachainIndex,
    secret: PerCommitmentSecret,
}

/// Why a revealed secret was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShachainError {
    /// The secret does not generate the ones revealed before it.
    #[error("per-commitment secret {index} does not lead to secret {known} revealed before")]
    Unrelated {
        /// The index of the offered secret.
        index: u64,
        /// The index of the earlier secret it contradicts.
        known: u64,
    },
    /// Secrets are revealed one by one, downwards.
    #[error("per-commitment secret {index} out of turn: {expected:?} is next")]
    OutOfTurn {
        /// The index of the offered secret.
        index: u64,
        /// The only index that may come next; `None` when all were revealed.
        expected: Option<u64>,
    },
}

/// The number of the entry that holds an index.
fn position(index: ShachainIndex) -> u32 {
    index.to_u64().trailing_zeros().min(INDEX_BITS)
}

impl Shachain {
    /// A store without secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lowest index known.
    fn lowest(&self) -> Option<ShachainIndex> {
        self.known.iter().map(|entry| entry.index).min()
    }

    /// The lowest index as encoded: one above the first index while nothing is known.
    fn lowest_on_wire(&self) -> u64 {
        self.lowest().map_or_else(
            || ShachainIndex::FIRST.to_u64().saturating_add(1),
            ShachainIndex::to_u64,
        )
    }

    /// The index that must come next; `None` when all were revealed.
    fn next_index(&self) -> Option<ShachainIndex> {
        match self.lowest() {
            None => Some(ShachainIndex::FIRST),
            Some(lowest) => lowest.to_u64().checked_sub(1).and_then(ShachainIndex::new),
        }
    }

    /// How many commitments the peer has revoked.
    pub fn revoked(&self) -> u64 {
        self.lowest().map_or(0, |lowest| {
            ShachainIndex::FIRST
                .to_u64()
                .saturating_sub(lowest.to_u64())
                .saturating_add(1)
        })
    }

    /// Takes the secret of the peer's commitment `number`, the one after the last revoked.
    ///
    /// Fails, and changes nothing, when it is out of turn or not of the same tree as those before it.
    // BOLT 3 §Efficient Per-commitment Secret Storage: a new secret must generate all the stored ones below it.
    pub fn insert(
        &mut self,
        number: CommitmentNumber,
        secret: PerCommitmentSecret,
    ) -> Result<(), ShachainError> {
        let index = ShachainIndex::from(number);
        let expected = self.next_index();
        if expected != Some(index) {
            return Err(ShachainError::OutOfTurn {
                index: index.to_u64(),
                expected: expected.map(ShachainIndex::to_u64),
            });
        }
        let bits = position(index);
        let place = usize::try_from(bits).unwrap_or(usize::MAX);
        for entry in self.known.iter().take(place) {
            if derive_below(secret.0, bits, entry.index) != entry.secret.0 {
                return Err(ShachainError::Unrelated {
                    index: index.to_u64(),
                    known: entry.index.to_u64(),
                });
            }
        }
        let new = Entry { index, secret };
        match self.known.get_mut(place) {
            Some(entry) => *entry = new,
            None => self.known.push(new),
        }
        Ok(())
    }

    /// The secret of the peer's commitment `number`, if it was revealed.
    pub fn secret(&self, number: CommitmentNumber) -> Option<PerCommitmentSecret> {
        let index = ShachainIndex::from(number);
        (0_u32..).zip(&self.known).find_map(|(bits, entry)| {
            let same_prefix = index.to_u64() >> bits == entry.index.to_u64() >> bits;
            same_prefix.then(|| PerCommitmentSecret(derive_below(entry.secret.0, bits, index)))
        })
    }
}

impl Encode for Shachain {
    fn encode(&self, out: &mut Vec<u8>) {
        self.lowest_on_wire().encode(out);
        u32::try_from(self.known.len())
            .expect("at most 49 entries")
            .encode(out);
        for entry in &self.known {
            entry.index.to_u64().encode(out);
            entry.secret.encode(out);
        }
    }
}

impl Decode for Shachain {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INVALID: DecodeError = DecodeError::Invalid { what: "shachain" };
        let lowest = u64::decode(reader)?;
        let count = u32::decode(reader)?;
        if count > INDEX_BITS.saturating_add(1) {
            return Err(INVALID);
        }
        let mut chain = Self::new();
        for bits in 0..count {
            let index = ShachainIndex::new(u64::decode(reader)?).ok_or(INVALID)?;
            if position(index) != bits {
                return Err(INVALID);
            }
            let secret = PerCommitmentSecret::decode(reader)?;
            chain.known.push(Entry { index, secret });
        }
        if chain.lowest_on_wire() != lowest {
            return Err(INVALID);
        }
        Ok(chain)
    }
}
