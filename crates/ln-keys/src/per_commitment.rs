//! The secrets that revoke commitments: 2^48 of them from one seed.

use std::fmt;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode};
use ln_types::CommitmentNumber;
use zeroize::Zeroize;

use crate::derive::public_key;

/// How many bits an index has.
pub(crate) const INDEX_BITS: u32 = 48;

/// The place of a secret in its tree: it counts down from 2^48 - 1 while commitments count up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShachainIndex(u64);

impl ShachainIndex {
    /// The index of the first secret used.
    pub const FIRST: Self = Self(0xffff_ffff_ffff);

    /// An index of at most 48 bits.
    pub fn new(index: u64) -> Option<Self> {
        (index <= Self::FIRST.0).then_some(Self(index))
    }

    /// The index as a number.
    pub fn to_u64(self) -> u64 {
        self.0
    }
}

// BOLT 3 §Per-commitment Secret Requirements: the first secret has index 281474976710655, the next one less, and so on.
impl From<CommitmentNumber> for ShachainIndex {
    fn from(number: CommitmentNumber) -> Self {
        Self(Self::FIRST.0.saturating_sub(number.0))
    }
}

macro_rules! secret32 {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Encode, Decode)]
        pub struct $name(pub [u8; 32]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
    };
}

secret32!(
    /// The seed of all a channel's own per-commitment secrets.
    ShachainSeed
);
secret32!(
    /// What revokes one commitment. From a peer it may be any 32 bytes.
    PerCommitmentSecret
);

impl ShachainSeed {
    /// The secret of our commitment `number`.
    pub fn secret(&self, number: CommitmentNumber) -> PerCommitmentSecret {
        per_commitment_secret(self, number.into())
    }

    /// The `per_commitment_point` of our commitment `number`.
    pub fn point(&self, number: CommitmentNumber) -> PublicKey {
        self.secret(number)
            .point()
            .expect("a SHA256 result outside the group order cannot be found")
    }
}

impl PerCommitmentSecret {
    /// The secret as a key; `None` when the bytes are zero or past the group order.
    pub fn secret_key(&self) -> Option<SecretKey> {
        SecretKey::from_slice(&self.0).ok()
    }

    /// The `per_commitment_point` of this secret, if the bytes are a key.
    pub fn point(&self) -> Option<PublicKey> {
        self.secret_key().map(|secret| public_key(&secret))
    }
}

/// The secret at `index` of the tree that grows from `seed`.
// BOLT 3 §Per-commitment Secret Requirements: from bit 47 down, for each bit set in the index flip it in the value and hash.
pub fn per_commitment_secret(seed: &ShachainSeed, index: ShachainIndex) -> PerCommitmentSecret {
    PerCommitmentSecret(derive_below(seed.0, INDEX_BITS, index))
}

/// The value at `index`, from a `base` whose index is the same above its low `bits` bits, which are zero.
pub(crate) fn derive_below(base: [u8; 32], bits: u32, index: ShachainIndex) -> [u8; 32] {
    let mut value = base;
    for bit in (0..bits).rev() {
        let byte_index = usize::try_from(bit >> 3).unwrap_or(usize::MAX);
        let mask = 1_u8 << (bit & 7);
        if (index.0 >> bit) & 1 == 1
            && let Some(byte) = value.get_mut(byte_index)
        {
            *byte ^= mask;
            value = sha256::Hash::hash(&value).to_byte_array();
        }
    }
    value
}
