//! Stores that were written, cut and damaged (G7).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::type_complexity
)]

use ln_gossip::Graph;
use ln_gossip::store::{HEADER_LEN, Records, StoreError, append, new_store, rewrite};
use proptest::collection::vec;
use proptest::prelude::*;

/// Messages: any bytes behind a type that a rewrite keeps.
fn messages() -> impl Strategy<Value = Vec<(Vec<u8>, u32)>> {
    let message = (257_u16..=258, vec(any::<u8>(), 0..300), any::<u32>());
    let message = message.prop_map(|(number, body, timestamp)| {
        let mut message = number.to_be_bytes().to_vec();
        message.extend(body);
        (message, timestamp)
    });
    vec(message, 1..12)
}

fn store(messages: &[(Vec<u8>, u32)]) -> Vec<u8> {
    let mut bytes = new_store([9; 32]);
    for (message, timestamp) in messages {
        append(&mut bytes, message, *timestamp);
    }
    bytes
}

/// Whole records until the first problem, with where that is; the uuid left out.
fn read(store: &[u8]) -> (Vec<(Vec<u8>, u32)>, u64, Option<StoreError>) {
    let mut records = Records::new(&store[1..], 1);
    let mut found = Vec::new();
    let error = loop {
        match records.next_record() {
            Ok(Some(record)) => found.push((record.message.to_vec(), record.header.timestamp)),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    if !found.is_empty() {
        found.remove(0);
    }
    (found, records.offset(), error)
}

proptest! {
    #[test]
    fn what_was_written_is_read(messages in messages()) {
        let store = store(&messages);
        prop_assert_eq!(read(&store), (messages, store.len() as u64, None));
    }

    #[test]
    fn a_torn_tail_ends_at_the_last_whole_record(messages in messages(), cut in any::<usize>()) {
        let store = store(&messages);
        let cut = 1 + cut % (store.len() - 1);
        let (found, offset, error) = read(&store[..cut]);
        prop_assert_eq!(error, None);
        prop_assert!(offset <= cut as u64);
        prop_assert_eq!(&messages[..found.len()], &found[..]);
        let next = messages.get(found.len()).map_or(0, |(message, _)| message.len());
        prop_assert!(offset + HEADER_LEN + next.max(34) as u64 >= cut as u64);
    }

    #[test]
    fn a_record_without_the_completed_flag_is_not_there_yet(messages in messages()) {
        let mut store = store(&messages);
        let last = messages.last().unwrap().0.len() + HEADER_LEN as usize;
        let start = store.len() - last;
        store[start] = 0;
        let (found, offset, error) = read(&store);
        prop_assert_eq!((found.len(), offset, error), (messages.len() - 1, start as u64, None));
    }

    #[test]
    fn a_flipped_bit_is_noticed(messages in messages(), at in any::<usize>(), bit in 0_u8..8) {
        let whole = store(&messages);
        let mut store = whole.clone();
        let at = 1 + at % (store.len() - 1);
        store[at] ^= 1 << bit;
        let (found, _, error) = read(&store);
        // Flags are not covered by the checksum: that one record may count as void or dying.
        let (_, undamaged, _) = read(&whole[..at]);
        let in_flags = (at as u64) < undamaged + 2;
        if error.is_none() && !in_flags {
            prop_assert!(found.len() < messages.len());
        }
        let intact = found.iter().zip(&messages).take_while(|(a, b)| a == b).count();
        prop_assert!(intact == found.len() || in_flags);
    }

    #[test]
    fn a_zero_page_ends_the_store(messages in messages(), zeros in 12_usize..4096) {
        let mut store = store(&messages);
        let end = store.len() as u64;
        store.extend(vec![0; zeros]);
        prop_assert_eq!(read(&store), (messages, end, None));
    }

    #[test]
    fn a_huge_length_is_waited_for(messages in messages()) {
        let mut store = store(&messages);
        let end = store.len() as u64;
        store.extend([0x20, 0, 0xff, 0xff, 1, 2, 3, 4, 0, 0, 0, 0, 1, 2]);
        prop_assert_eq!(read(&store), (messages, end, None));
    }

    #[test]
    fn a_rewrite_saves_all_but_the_damaged_record(messages in messages(), which in any::<usize>(), at in any::<usize>()) {
        let which = which % messages.len();
        let mut bytes = store(&messages[..which]);
        let start = bytes.len() + HEADER_LEN as usize;
        append(&mut bytes, &messages[which].0, messages[which].1);
        let at = start + at % (bytes.len() - start);
        bytes[at] ^= 0xff;
        for (message, timestamp) in &messages[which + 1..] {
            append(&mut bytes, message, *timestamp);
        }
        let mut expected = messages.clone();
        expected.remove(which);
        let saved = rewrite(&bytes, [1; 32]);
        prop_assert_eq!((saved.kept, saved.damaged), (expected.len(), 1));
        prop_assert_eq!(read(&saved.bytes).0, expected);
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..600), version in 0_u8..20) {
        let mut store = vec![version];
        store.extend(bytes);
        ln_gossip::fuzz::read_store(&store);
        let mut records = Records::new(&store, 0).accept_uncompleted();
        let mut graph = Graph::new();
        loop {
            match records.next_record() {
                Ok(Some(record)) => { graph.apply(&record); }
                Ok(None) => break,
                Err(_) => (),
            }
        }
    }
}
