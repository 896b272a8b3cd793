//! Shutdown and the closing negotiation: wants.md C8.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use bitcoin::ScriptBuf;
use ln_channel::{Action, ChannelError, Closing, ClosingAction, ClosingFeerates, Event, Notice};
use ln_types::{Feerate, Sat};
use ln_wire::{ClosingSigned, FeeRange, PeerMessage, Shutdown, ShutdownTlvs};
use support::{Pair, Setup, script};

fn shutdown(pair: &Pair, script: ScriptBuf) -> PeerMessage {
    Shutdown {
        channel_id: pair.nodes[0].state().params.channel_id,
        scriptpubkey: script,
        tlvs: ShutdownTlvs::default(),
    }
    .into()
}

fn close(pair: &mut Pair, index: usize) {
    let script = script(index as u8 + 1);
    pair.step(index, Event::Shutdown { script }).unwrap();
}

fn is_complete(pair: &Pair, index: usize) -> bool {
    pair.nodes[index].others.contains(&Action::ShutdownComplete)
}

#[test]
fn both_sides_shut_down_a_quiet_channel() {
    let mut pair = Pair::normal();
    close(&mut pair, 0);
    pair.settle();
    assert!(!is_complete(&pair, 0) && !is_complete(&pair, 1));
    assert!(pair.nodes[1].notices.iter().any(|notice| matches!(
        notice,
        Notice::ShuttingDown(scripts) if scripts.remote.is_some() && scripts.local.is_none()
    )));
    assert_eq!(
        pair.offer(0, 1_000_000, 1).unwrap_err(),
        ChannelError::ShuttingDown
    );
    assert_eq!(
        pair.offer(1, 1_000_000, 1).unwrap_err(),
        ChannelError::ShuttingDown
    );
    close(&mut pair, 1);
    pair.settle();
    assert!(is_complete(&pair, 0) && is_complete(&pair, 1));
}

#[test]
fn c8_htlcs_are_finished_first() {
    let mut pair = Pair::normal();
    pair.offer(0, 10_000_000, 1).unwrap();
    pair.offer(1, 10_000_000, 2).unwrap();
    close(&mut pair, 0);
    close(&mut pair, 1);
    pair.settle();
    assert!(!is_complete(&pair, 0) && !is_complete(&pair, 1));
    pair.fulfill(1, 0, 1);
    pair.settle();
    assert!(!is_complete(&pair, 0));
    pair.fail(0, 0);
    pair.settle();
    assert!(is_complete(&pair, 0) && is_complete(&pair, 1));
    pair.check_agreement();
    assert_eq!(pair.balances(0), (590_000_000, 410_000_000));
}

#[test]
fn c8_shutdown_waits_for_our_unsigned_updates() {
    let mut pair = Pair::normal();
    pair.offer(0, 10_000_000, 1).unwrap();
    // The second waits for the peer's revoke_and_ack, and so must shutdown.
    pair.offer(0, 10_000_000, 2).unwrap();
    close(&mut pair, 0);
    let sent = |pair: &Pair| {
        pair.wires[1]
            .iter()
            .any(|message| matches!(message, PeerMessage::Shutdown(_)))
    };
    assert!(!sent(&pair));
    while !sent(&pair) {
        assert!(pair.deliver(1) | pair.deliver(0));
    }
    pair.settle();
    pair.check_agreement();
}

#[test]
fn c8_no_htlc_after_shutdown() {
    let mut pair = Pair::normal();
    let script = script(1);
    let message = shutdown(&pair, script);
    pair.step(1, Event::Message(Box::new(message))).unwrap();
    pair.offer(0, 1_000_000, 1).unwrap();
    let add = pair.wires[1].pop_front().unwrap();
    let error = pair.step(1, Event::Message(Box::new(add))).unwrap_err();
    assert!(matches!(error, ChannelError::OutOfPlace { .. }));
}

#[test]
fn c8_strange_changed_and_repeated_scripts_are_refused() {
    let mut pair = Pair::normal();
    let strange = [
        vec![],
        vec![0x6a],
        vec![0x6a, 6, 1, 2, 3, 4, 5, 6],
        vec![0x51],
        vec![0, 20, 1],
        vec![0x76; 25],
        vec![0; 10_000],
    ];
    for bytes in strange {
        let message = shutdown(&pair, ScriptBuf::from_bytes(bytes));
        let error = pair.step(1, Event::Message(Box::new(message))).unwrap_err();
        assert_eq!(error, ChannelError::BadShutdownScript);
    }
    let message = shutdown(&pair, script(1));
    pair.step(1, Event::Message(Box::new(message.clone())))
        .unwrap();
    let error = pair.step(1, Event::Message(Box::new(message.clone())));
    assert!(matches!(
        error.unwrap_err(),
        ChannelError::OutOfPlace { .. }
    ));
    // Not another one after a reconnection either.
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    let other = shutdown(&pair, script(7));
    let error = pair.step(1, Event::Message(Box::new(other)));
    assert_eq!(error.unwrap_err(), ChannelError::ShutdownScriptChanged);
    pair.step(1, Event::Message(Box::new(message))).unwrap();
}

#[test]
fn a_script_fixed_at_opening_is_kept() {
    let mut pair = Pair::normal();
    for (node, side) in [(0, true), (1, false)] {
        let state = pair.nodes[node].state().clone();
        let mut params = (*state.params).clone();
        let fixed = if side {
            &mut params.sides.local
        } else {
            &mut params.sides.remote
        };
        fixed.upfront_shutdown_script = Some(script(5));
        let state = ln_channel::ChannelState {
            params: params.into(),
            ..state
        };
        pair.nodes[node].durable = ln_codec::Encode::to_bytes(&state);
    }
    pair.disconnect();
    pair.restart(0);
    pair.restart(1);
    pair.reconnect();
    pair.settle();
    let message = shutdown(&pair, script(1));
    let error = pair.step(1, Event::Message(Box::new(message)));
    assert_eq!(error.unwrap_err(), ChannelError::ShutdownScriptChanged);
    // Ours is used whatever we are asked.
    close(&mut pair, 0);
    pair.settle();
    let scripts = &pair.nodes[1].state().shutdown;
    assert_eq!(scripts.remote, Some(script(5)));
}

#[test]
fn shutdown_survives_disconnections() {
    let mut pair = Pair::normal();
    close(&mut pair, 0);
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    close(&mut pair, 1);
    pair.disconnect();
    pair.restart(0);
    pair.restart(1);
    pair.reconnect();
    pair.settle();
    assert!(is_complete(&pair, 0) && is_complete(&pair, 1));
}

/// Two closings of a channel that is shut down.
fn closings(setup: &Setup, feerates: [(u32, u32, Option<u32>); 2]) -> (Pair, [Closing; 2]) {
    let mut pair = Pair::normal_with(setup);
    close(&mut pair, 0);
    close(&mut pair, 1);
    pair.settle();
    let mut index = 0;
    let closings = feerates.map(|(preferred, min, max)| {
        let feerates = ClosingFeerates {
            preferred: Feerate::from_perkw(preferred),
            min: Feerate::from_perkw(min),
            max: max.map(Feerate::from_perkw),
        };
        let state = pair.nodes[index].state().clone();
        index += 1;
        Closing::new(state, &feerates).unwrap()
    });
    (pair, closings)
}

type Outcome = Result<(Sat, usize), (usize, ChannelError)>;

/// Runs the negotiation; `edit` may change messages on their way. Returns the fee and how many messages it took.
fn negotiate(
    pair: &Pair,
    closings: &mut [Closing; 2],
    edit: &dyn Fn(usize, &mut ClosingSigned),
) -> Outcome {
    let mut offers = [None, None];
    let mut queue: Vec<(usize, ClosingSigned)> = Vec::new();
    let mut messages = 0;
    let mut carry =
        |from: usize, actions: Vec<ClosingAction>, queue: &mut Vec<(usize, ClosingSigned)>| {
            for action in actions {
                match action {
                    ClosingAction::Offer { tx, fee } => offers[from] = Some((tx, fee)),
                    ClosingAction::Send(message) => queue.push((1 - from, message)),
                    ClosingAction::Complete => {}
                }
            }
            offers.clone()
        };
    for (index, closing) in closings.iter_mut().enumerate() {
        let actions = closing.start(&pair.nodes[index].signer).unwrap();
        carry(index, actions, &mut queue);
    }
    let mut last = [None, None];
    while !queue.is_empty() {
        let (to, mut message) = queue.remove(0);
        messages += 1;
        assert!(messages < 100, "ping-pong");
        edit(to, &mut message);
        let actions = closings[to]
            .on_closing_signed(&message, &pair.nodes[to].signer)
            .map_err(|error| (to, error))?;
        last = carry(to, actions, &mut queue);
    }
    assert!(closings[0].is_complete() && closings[1].is_complete());
    let (one, fee) = last[0].clone().unwrap();
    let (other, other_fee) = last[1].clone().unwrap();
    assert_eq!((one.compute_txid(), fee), (other.compute_txid(), other_fee));
    let out: u64 = one.output.iter().map(|output| output.value.to_sat()).sum();
    // A millisatoshi fraction on each side may go to the fee.
    let paid = pair.nodes[0].state().params.funding_amount.as_sat() - out;
    assert!(paid >= fee.as_sat() && paid <= fee.as_sat() + 2 || one.output.len() == 1);
    Ok((fee, messages))
}

#[test]
fn the_accepter_takes_the_openers_fee_if_it_can() {
    let (pair, mut closings) = closings(
        &Setup::default(),
        [(2000, 253, Some(10_000)), (1000, 253, None)],
    );
    let (fee, messages) = negotiate(&pair, &mut closings, &|_, _| {}).unwrap();
    assert_eq!(messages, 2);
    let scripts = [script(1), script(2)];
    assert_eq!(
        fee,
        ln_tx::closing::closing_fee(Feerate::from_perkw(2000), &scripts)
    );
}

#[test]
fn the_accepter_chooses_within_the_overlap() {
    let (pair, mut closings) = closings(
        &Setup::default(),
        [(300, 253, Some(10_000)), (2000, 1500, None)],
    );
    let (fee, messages) = negotiate(&pair, &mut closings, &|_, _| {}).unwrap();
    assert_eq!(messages, 3);
    let scripts = [script(1), script(2)];
    assert_eq!(
        fee,
        ln_tx::closing::closing_fee(Feerate::from_perkw(2000), &scripts)
    );
}

#[test]
fn c8_ranges_without_overlap_end_the_negotiation() {
    let (pair, mut closings) = closings(
        &Setup::default(),
        [(300, 253, Some(1000)), (5000, 4000, None)],
    );
    let (who, error) = negotiate(&pair, &mut closings, &|_, _| {}).unwrap_err();
    assert_eq!(who, 1);
    assert!(matches!(error, ChannelError::ClosingFeeNoOverlap { .. }));
}

#[test]
fn peers_without_ranges_meet_in_the_middle() {
    let (pair, mut closings) = closings(
        &Setup::default(),
        [(300, 253, Some(3000)), (8000, 2500, Some(9000))],
    );
    let without = |_: usize, message: &mut ClosingSigned| message.tlvs.fee_range = None;
    let (fee, messages) = negotiate(&pair, &mut closings, &without).unwrap();
    assert!(messages > 3);
    let scripts = [script(1), script(2)];
    let at = |perkw| ln_tx::closing::closing_fee(Feerate::from_perkw(perkw), &scripts);
    assert!(fee >= at(2500) && fee <= at(3000));
}

#[test]
fn c8_fees_of_zero_above_the_balance_or_not_moving_are_refused() {
    let setup = Setup::default();
    let feerates = [(300, 253, Some(3000)), (2000, 1500, None)];
    for fee in [600_001, 1_000_000, u64::MAX / 1000, u64::MAX] {
        let (pair, mut closings) = closings(&setup, feerates);
        let edit = |_: usize, message: &mut ClosingSigned| {
            message.fee_satoshis = Sat::from_sat(fee);
        };
        let (_, error) = negotiate(&pair, &mut closings, &edit).unwrap_err();
        assert!(
            matches!(error, ChannelError::ClosingFeeUnaffordable { .. }),
            "{fee}: {error}"
        );
    }
    // A signature for another fee than the one named.
    let (pair, mut signed) = closings(&setup, feerates);
    let edit = |_: usize, message: &mut ClosingSigned| {
        message.fee_satoshis = Sat::from_sat(0);
    };
    let (_, error) = negotiate(&pair, &mut signed, &edit).unwrap_err();
    assert!(matches!(error, ChannelError::BadClosingSignature { .. }));
    // An absurd range has no overlap.
    let (pair, mut absurd) = closings(&setup, feerates);
    let edit = |_: usize, message: &mut ClosingSigned| {
        message.tlvs.fee_range = Some(FeeRange {
            min_fee_satoshis: Sat::MAX,
            max_fee_satoshis: Sat::ZERO,
        });
    };
    let (_, error) = negotiate(&pair, &mut absurd, &edit).unwrap_err();
    assert!(matches!(error, ChannelError::ClosingFeeNoOverlap { .. }));
}

#[test]
fn c8_an_opener_that_changes_its_mind_fails() {
    let (pair, mut closings) = closings(
        &Setup::default(),
        [(300, 253, Some(3000)), (2000, 1500, Some(2500))],
    );
    // The opener answers the accepter's choice with yet another fee.
    let actions = closings[0].start(&pair.nodes[0].signer).unwrap();
    let [ClosingAction::Send(first)] = &actions[..] else {
        panic!("wanted a proposal")
    };
    let actions = closings[1]
        .on_closing_signed(first, &pair.nodes[1].signer)
        .unwrap();
    assert!(matches!(&actions[..], [ClosingAction::Send(_)]));
    let error = closings[1]
        .on_closing_signed(first, &pair.nodes[1].signer)
        .unwrap_err();
    assert!(matches!(error, ChannelError::ClosingFeeOutOfRange { .. }));
}

#[test]
fn a_side_with_next_to_nothing_gets_no_output() {
    let setup = Setup {
        push: 400_000,
        ..Setup::default()
    };
    let (pair, mut closings) = closings(&setup, [(1000, 253, None), (1000, 253, None)]);
    negotiate(&pair, &mut closings, &|_, _| {}).unwrap();
}

#[test]
fn a_closing_needs_a_quiet_channel_shut_down_by_both() {
    let pair = Pair::normal();
    let feerates = ClosingFeerates {
        preferred: Feerate::from_perkw(1000),
        min: Feerate::from_perkw(253),
        max: None,
    };
    let state = pair.nodes[0].state().clone();
    assert!(matches!(
        Closing::new(state, &feerates).unwrap_err(),
        ChannelError::OutOfPlace { .. }
    ));
}
