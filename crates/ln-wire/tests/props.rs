//! Properties of all messages.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]

mod sample;

use ln_codec::{BigSize, Decode, DecodeError, Encode, TlvRecord};
use ln_wire::PeerMessage;
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_reads_back_as_it_was_written(bytes in vec(any::<u8>(), 0..400)) {
        for message in sample::all(&bytes) {
            let wire = message.to_bytes();
            prop_assert_eq!(PeerMessage::from_bytes(&wire), Ok(message));
        }
    }

    #[test]
    fn a_cut_message_is_an_error_or_lacks_whole_records(bytes in vec(any::<u8>(), 0..400), cut in any::<u16>()) {
        for message in sample::all(&bytes) {
            let wire = message.to_bytes();
            let cut = usize::from(cut) % wire.len();
            if let Ok(shorter) = PeerMessage::from_bytes(&wire[..cut]) {
                prop_assert_eq!(shorter.to_bytes(), &wire[..cut]);
                prop_assert_ne!(shorter, message);
            }
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        ln_wire::fuzz::decode_any(&bytes);
        ln_wire::fuzz::decode_addresses(&bytes);
    }

    #[test]
    fn a_flipped_bit_never_panics(bytes in vec(any::<u8>(), 0..400), at in any::<u16>(), bit in 0_u8..8) {
        for message in sample::all(&bytes) {
            let mut wire = message.to_bytes();
            let at = usize::from(at) % wire.len();
            wire[at] ^= 1 << bit;
            ln_wire::fuzz::decode_any(&wire);
        }
    }

    // BOLT 1 §Type-Length-Value Format: it is fine to be odd.
    #[test]
    fn an_unknown_odd_record_is_skipped_and_an_even_one_refused(bytes in vec(any::<u8>(), 0..400), value in vec(any::<u8>(), 0..9)) {
        for message in sample::all(&bytes) {
            let extended = |number| {
                let mut wire = message.to_bytes();
                BigSize(number).encode_to(&mut wire);
                BigSize(value.len() as u64).encode_to(&mut wire);
                wire.extend_from_slice(&value);
                PeerMessage::from_bytes(&wire)
            };
            if message.is_gossip() {
                // Kept instead: signatures cover it.
                prop_assert_ne!(extended(70_001), Ok(message));
            } else if let PeerMessage::UpdateAddHtlc(add) = &message {
                // Kept, too: plugins are told.
                let record = TlvRecord { number: 70_001, value: value.clone() };
                let mut kept = add.clone();
                kept.tlvs.unknown.push(record);
                prop_assert_eq!(extended(70_000), Err(DecodeError::UnknownEvenTlv { number: 70_000 }));
                prop_assert_eq!(extended(70_001), Ok(PeerMessage::UpdateAddHtlc(kept)));
            } else {
                prop_assert_eq!(extended(70_000), Err(DecodeError::UnknownEvenTlv { number: 70_000 }));
                prop_assert_eq!(extended(70_001), Ok(message));
            }
        }
    }
}

#[test]
fn every_number_is_sampled_once() {
    let mut numbers: Vec<u16> = sample::all(&[]).iter().map(PeerMessage::number).collect();
    numbers.sort_unstable();
    let known: Vec<u16> = (0..=u16::MAX).filter(|n| PeerMessage::knows(*n)).collect();
    assert_eq!(numbers, known);
}

#[test]
fn messages_name_their_channel_first() {
    // Every message about a channel but `open_channel*` starts with its id: connectd routes by it.
    for message in sample::all(&[9; 300]) {
        if let Some(id) = message.channel_id() {
            let start = if message.opens_channel() { 34 } else { 2 };
            assert_eq!(message.to_bytes()[start..start + 32], id.0);
        }
    }
}
