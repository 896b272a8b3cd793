//! The obscured commitment number, hidden in a commitment's locktime and sequence.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Sequence, Transaction};
use ln_codec::{Decode, Encode};
use ln_types::CommitmentNumber;

/// 48 bits.
const MASK_48: u64 = 0xffff_ffff_ffff;
/// 24 bits.
const MASK_24: u64 = 0x00ff_ffff;

/// What commitment numbers are XORed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ObscuringFactor(u64);

impl ObscuringFactor {
    /// The factor of a channel.
    // BOLT 3 §Commitment Transaction: the lower 48 bits of the hash of both payment basepoints, the opener's first.
    pub fn new(
        opener_payment_basepoint: &PublicKey,
        accepter_payment_basepoint: &PublicKey,
    ) -> Self {
        let mut engine = sha256::Hash::engine();
        engine.input(&opener_payment_basepoint.serialize());
        engine.input(&accepter_payment_basepoint.serialize());
        let hash = sha256::Hash::from_engine(engine).to_byte_array();
        let low = hash
            .iter()
            .skip(26)
            .fold(0_u64, |acc, byte| (acc << 8) | u64::from(*byte));
        Self(low)
    }

    /// The locktime and the sequence that carry a number; `None` past 48 bits.
    pub fn hide(self, number: CommitmentNumber) -> Option<(LockTime, Sequence)> {
        if number.0 > MASK_48 {
            return None;
        }
        let obscured = number.0 ^ self.0;
        let low = u32::try_from(obscured & MASK_24).ok()?;
        let high = u32::try_from((obscured >> 24) & MASK_24).ok()?;
        Some((
            LockTime::from_consensus(0x2000_0000 | low),
            Sequence(0x8000_0000 | high),
        ))
    }

    /// The number a commitment of this channel carries; `None` when the transaction is no commitment by its form.
    pub fn reveal(self, tx: &Transaction) -> Option<CommitmentNumber> {
        let [input] = tx.input.as_slice() else {
            return None;
        };
        let locktime = tx.lock_time.to_consensus_u32();
        let sequence = input.sequence.0;
        if locktime >> 24 != 0x20 || sequence >> 24 != 0x80 {
            return None;
        }
        let low = u64::from(locktime) & MASK_24;
        let high = u64::from(sequence) & MASK_24;
        Some(CommitmentNumber(((high << 24) | low) ^ self.0))
    }
}
