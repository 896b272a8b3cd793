//! What inputs and outputs weigh, reckoned as Core Lightning does.

use bitcoin::Script;

use crate::{AddressKind, Origin, Utxo};

/// A signature ground to 71 bytes (70 and the sighash type), with its length. hsmd grinds them.
const SIGNATURE: u64 = 72;

/// A taproot output.
pub const CHANGE_WEIGHT: u64 = 172;

/// A taproot input spent by key: what spending change will cost one day.
pub const P2TR_INPUT_WEIGHT: u64 = 230;

/// The length of a number of things in a transaction.
const fn compact_size(count: u64) -> u64 {
    match count {
        0..=252 => 1,
        253..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Version, locktime, the counts, marker and flag.
pub const fn core_weight(inputs: u64, outputs: u64) -> u64 {
    // At most 26 bytes: this cannot overflow.
    8_u64
        .saturating_add(compact_size(inputs))
        .saturating_add(compact_size(outputs))
        .saturating_mul(4)
        .saturating_add(2)
}

/// An output to this script.
pub fn output_weight(script: &Script) -> u64 {
    let length = u64::try_from(script.len()).unwrap_or(u64::MAX);
    length
        .saturating_add(compact_size(length))
        .saturating_add(8)
        .saturating_mul(4)
}

/// The witness of an input that spends the coin, without the count of its items.
fn witness_weight(utxo: &Utxo) -> u64 {
    match &utxo.origin {
        Origin::Wallet { kind, .. } => match kind {
            AddressKind::P2wpkh | AddressKind::P2shP2wpkh => SIGNATURE.saturating_add(34),
            AddressKind::P2tr => 65,
        },
        // Core Lightning leaves out the 37-byte script here and so pays too little; we count it.
        Origin::Close(close) if close.has_anchors => SIGNATURE.saturating_add(38),
        Origin::Close(_) => SIGNATURE.saturating_add(34),
    }
}

/// An input that spends the coin, its witness counted as at least `min_witness_weight`.
pub fn input_weight(utxo: &Utxo, min_witness_weight: u64) -> u64 {
    // Outpoint, empty script and sequence are 41 bytes; the push of a wrapped script is 23 more.
    let base: u64 = if utxo.is_wrapped() { 256 } else { 164 };
    base.saturating_add(1)
        .saturating_add(witness_weight(utxo).max(min_witness_weight))
}
