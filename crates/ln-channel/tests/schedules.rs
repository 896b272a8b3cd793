//! Seeded random schedules: offers, resolutions, feerates, deliveries, disconnections and crashes in any order; then everything is
//! settled, and no money and no HTLC may be lost.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    reason = "a test"
)]

//~ 10. Two nodes in memory. A seed decides who acts next, which message arrives, when the link breaks and when a node dies between writing and
//~ sending; afterwards both must agree on every satoshi. Such a world is only possible because nothing in the machine reaches outside.
mod support;

use std::collections::BTreeSet;

use ln_channel::{Event, HtlcState, Notice};
use ln_types::{Feerate, HtlcId, Side};
use support::rng::Rng;
use support::{Crash, Pair};

/// What each node should have gained, by what it was told.
fn gains(pair: &Pair, index: usize) -> i128 {
    let mut fulfilled = BTreeSet::new();
    let mut gain = 0;
    let node = &pair.nodes[index];
    for notice in &node.notices {
        if let Notice::Fulfilled { id, .. } = notice {
            fulfilled.insert(*id);
        }
    }
    // What the peer received of us and we know to be paid.
    for notice in &pair.nodes[1 - index].notices {
        if let Notice::Received(htlc) = notice
            && fulfilled.remove(&htlc.id)
        {
            gain -= i128::from(htlc.amount.as_msat());
        }
    }
    assert!(fulfilled.is_empty());
    gain
}

fn act(pair: &mut Pair, rng: &mut Rng, crashes: bool) {
    let index = rng.below(2) as usize;
    match rng.below(if crashes { 24 } else { 22 }) {
        0..=3 => {
            let number = rng.below(200);
            let msat = match rng.below(3) {
                0 => 1 + rng.below(600_000),
                1 => 1_000_000 + rng.below(50_000_000),
                _ => 1 + rng.below(300_000_000),
            };
            // Refusals are part of the game.
            let _ = pair.offer(index, msat, number);
        }
        4..=7 => {
            let commitments = &pair.nodes[index].state().commitments;
            let waiting: Vec<_> = commitments
                .htlcs
                .offered_by(Side::Remote)
                .iter()
                .filter(|htlc| htlc.state == HtlcState::RcvdAddAckRevocation)
                .map(|htlc| (htlc.id, htlc.payment_hash))
                .filter(|(id, _)| !pair.nodes[index].resolutions.contains_key(id))
                .collect();
            if let Some((id, hash)) = waiting.first().copied() {
                let number = (0..200).find(|n| support::preimage(*n).hash() == hash);
                match rng.below(3) {
                    0 => pair.fail(index, id.0),
                    _ => pair.fulfill(index, id.0, number.unwrap()),
                }
            }
        }
        8 => {
            let perkw = 253 + rng.below(10_000) as u32;
            pair.nodes[0].feerates.desired = Feerate::from_perkw(perkw);
            pair.step(0, Event::Feerates).unwrap();
        }
        9..=19 => {
            pair.deliver(index);
        }
        20 => {
            if pair.is_connected() {
                pair.disconnect();
            }
        }
        21 => {
            if !pair.is_connected() {
                pair.reconnect();
            }
        }
        _ => {
            let crash = if rng.below(2) == 0 {
                Crash::BeforePersist
            } else {
                Crash::AfterPersist
            };
            pair.crash = Some((index, crash));
        }
    }
}

/// Everything comes to rest: reconnected, all HTLCs resolved.
fn finish(pair: &mut Pair) {
    pair.crash = None;
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    pair.check_agreement();
    for index in 0..2 {
        let open: Vec<HtlcId> = pair.nodes[index]
            .state()
            .commitments
            .htlcs
            .offered_by(Side::Remote)
            .iter()
            .map(|htlc| htlc.id)
            .collect();
        for id in open {
            if !pair.nodes[index].resolutions.contains_key(&id) {
                pair.fail(index, id.0);
            }
        }
    }
    pair.settle();
}

fn run(seed: u64, crashes: bool) {
    let mut rng = Rng(seed);
    let mut pair = Pair::normal();
    let start = pair.balances(0).0;
    for _ in 0..150 {
        act(&mut pair, &mut rng, crashes);
        pair.check_money();
    }
    finish(&mut pair);
    pair.check_agreement();
    for index in 0..2 {
        let commitments = &pair.nodes[index].state().commitments;
        assert!(commitments.htlcs.is_empty(), "{:?}", commitments.htlcs);
        assert!(commitments.is_quiet());
    }
    // What each node was told adds up to what it has.
    let expected = i128::from(start) + gains(&pair, 0) - gains(&pair, 1);
    assert_eq!(i128::from(pair.balances(0).0), expected);
}

fn run_seeds(first: u64, count: u64, crashes: bool) {
    for seed in first..first + count {
        let result = std::panic::catch_unwind(|| run(seed, crashes));
        if let Err(panic) = result {
            eprintln!("seed {seed}, crashes {crashes}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn disconnections_lose_nothing() {
    run_seeds(1000, 80, false);
}

#[test]
fn crashes_lose_nothing() {
    run_seeds(12000, 80, true);
}
