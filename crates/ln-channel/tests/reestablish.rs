//! Reconnections: wants.md C6, C10.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test"
)]

mod support;

use ln_channel::{Action, Channel, ChannelError, ChannelState, Event, Link, PeerResponse};
use ln_codec::Decode;
use ln_types::{CommitmentNumber, Feerate, HtlcId, Side};
use ln_wire::{ChannelReestablish, PeerMessage};
use support::{Crash, Pair, Setup};

/// A channel after some payments, and node 1's `channel_reestablish` to node 0, both reconnecting.
fn reconnecting(payments: u64) -> (Pair, ChannelReestablish) {
    let mut pair = Pair::normal();
    for number in 0..payments {
        pair.offer(0, 1_000_000, number).unwrap();
        pair.settle();
        pair.fulfill(1, number, number);
        pair.settle();
    }
    pair.disconnect();
    pair.reconnect();
    let Some(PeerMessage::ChannelReestablish(message)) = pair.wires[0].pop_front() else {
        panic!("wanted channel_reestablish")
    };
    (pair, message)
}

fn refused(pair: &mut Pair, message: ChannelReestablish) -> ChannelError {
    let event = Event::Message(Box::new(message.into()));
    pair.step(0, event).unwrap_err()
}

#[test]
fn a_new_channel_repeats_channel_ready() {
    let (mut pair, message) = reconnecting(0);
    assert_eq!(message.next_commitment_number, CommitmentNumber(1));
    assert_eq!(message.next_revocation_number, CommitmentNumber(0));
    assert_eq!(message.your_last_per_commitment_secret, [0; 32]);
    pair.wires[0].push_front(message.into());
    pair.deliver(0);
    assert!(matches!(
        pair.wires[1].back(),
        Some(PeerMessage::ChannelReady(_))
    ));
    pair.settle();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    pair.check_agreement();
}

#[test]
fn a_used_channel_repeats_nothing() {
    let (mut pair, message) = reconnecting(2);
    pair.wires[0].push_front(message.into());
    pair.wires[1].clear();
    pair.deliver(0);
    assert!(pair.wires[1].is_empty());
    assert_eq!(pair.nodes[0].channel.link(), Link::Online);
}

#[test]
fn nothing_is_taken_before_the_peers_channel_reestablish() {
    let (mut pair, _) = reconnecting(1);
    let ready = PeerMessage::from(ln_wire::ChannelReady {
        channel_id: pair.nodes[0].state().params.channel_id,
        second_per_commitment_point: pair.nodes[0].state().commitments.remote_point,
        tlvs: ln_wire::ChannelReadyTlvs::default(),
    });
    let error = pair.step(0, Event::Message(Box::new(ready))).unwrap_err();
    assert!(matches!(error, ChannelError::OutOfPlace { .. }));
    assert_eq!(
        pair.offer(0, 1_000_000, 9).unwrap_err(),
        ChannelError::Offline
    );
}

#[test]
fn c6_numbers_we_cannot_go_on_from_fail_the_channel() {
    let (pair, good) = reconnecting(2);
    let commitment = good.next_commitment_number.0;
    let revocation = good.next_revocation_number.0;
    for wrong in [
        0,
        1,
        commitment - 1,
        commitment + 1,
        commitment + 2,
        u64::MAX,
    ] {
        let message = ChannelReestablish {
            next_commitment_number: CommitmentNumber(wrong),
            ..good.clone()
        };
        let error = refused(&mut pair.clone(), message);
        assert_eq!(
            error,
            ChannelError::BadNextCommitment {
                expected: CommitmentNumber(commitment),
                got: CommitmentNumber(wrong)
            }
        );
        assert_eq!(error.response(), PeerResponse::FailChannel);
    }
    for wrong in [0, revocation - 2, revocation + 1, revocation + 2, u64::MAX] {
        let message = ChannelReestablish {
            next_revocation_number: CommitmentNumber(wrong),
            ..good.clone()
        };
        // Ahead of us, but without the secret to prove it: a lie, and no reason not to broadcast.
        let error = if wrong > 1 << 48 {
            let mut pair = pair.clone();
            let event = Event::Message(Box::new(message.into()));
            pair.step(0, event).unwrap_err()
        } else {
            refused(&mut pair.clone(), message)
        };
        assert!(
            matches!(
                error,
                ChannelError::BadNextRevocation { .. } | ChannelError::Signer(_)
            ),
            "{error}"
        );
    }
}

#[test]
fn c6_a_wrong_secret_fails_the_channel() {
    let (mut pair, good) = reconnecting(2);
    for secret in [[0; 32], [1; 32], [0xff; 32]] {
        let message = ChannelReestablish {
            your_last_per_commitment_secret: secret,
            ..good.clone()
        };
        let error = refused(&mut pair, message);
        let number = good.next_revocation_number.previous().unwrap();
        assert_eq!(error, ChannelError::BadLastSecret { number });
    }
    // The right one still works.
    pair.wires[0].push_front(good.into());
    pair.settle();
    pair.check_agreement();
}

#[test]
fn c6_a_node_that_lost_state_never_broadcasts() {
    let mut pair = Pair::normal();
    let old = pair.nodes[0].durable.clone();
    for number in 0..3 {
        pair.offer(0, 1_000_000, number).unwrap();
        pair.settle();
        pair.fulfill(1, number, number);
        pair.settle();
    }
    pair.disconnect();
    // Node 0 is restored from an old backup.
    let state = ChannelState::from_bytes(&old).unwrap();
    let alias = pair.nodes[0].alias;
    pair.nodes[0].channel = Channel::new(state, alias);
    pair.lenient = true;
    pair.reconnect();
    pair.deliver(0);
    assert!(pair.nodes[0].state().lost_state);
    assert!(matches!(
        pair.nodes[0].others.last(),
        Some(Action::FailChannel {
            broadcast: false,
            ..
        })
    ));
    assert!(
        ChannelState::from_bytes(&pair.nodes[0].durable)
            .unwrap()
            .lost_state
    );
    assert!(matches!(pair.wires[1].back(), Some(PeerMessage::Error(_))));
    // The peer sees numbers it cannot go on from, and may broadcast.
    pair.deliver(1);
    assert!(matches!(
        pair.nodes[1].others.last(),
        Some(Action::FailChannel {
            broadcast: true,
            ..
        })
    ));
    assert!(!pair.nodes[1].state().lost_state);
    // Whatever the peer says from now on, ours stays where it is.
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    for action in &pair.nodes[0].others {
        assert!(!matches!(
            action,
            Action::FailChannel {
                broadcast: true,
                ..
            }
        ));
    }
}

/// What happens in the course of the test below.
fn act(pair: &mut Pair, stage: u32) {
    match stage {
        0 => {
            let _ = pair.offer(0, 20_000_000, 1);
            let _ = pair.offer(1, 30_000_000, 2);
        }
        1 => {
            pair.nodes[0].feerates.desired = Feerate::from_perkw(2000);
            pair.step(0, Event::Feerates).unwrap();
            let _ = pair.offer(0, 5_000_000, 3);
        }
        _ => {
            for (index, number) in [(1, 1), (0, 2), (1, 3)] {
                let hash = support::preimage(number).hash();
                let htlcs = pair.nodes[index].state().commitments.htlcs.clone();
                for htlc in htlcs.offered_by(Side::Remote) {
                    if htlc.payment_hash == hash
                        && htlc.state == ln_channel::HtlcState::RcvdAddAckRevocation
                    {
                        if number == 3 {
                            pair.fail(index, htlc.id.0);
                        } else {
                            pair.fulfill(index, htlc.id.0, number);
                        }
                    }
                }
            }
        }
    }
}

/// Runs a scenario and interferes once, after `deliveries` deliveries; returns how many deliveries there were.
fn scenario(deliveries: u32, interfere: &dyn Fn(&mut Pair)) -> u32 {
    let mut pair = Pair::normal();
    let mut count = 0;
    for stage in 0..4 {
        act(&mut pair, stage);
        loop {
            if count == deliveries {
                count += 1;
                interfere(&mut pair);
                if !pair.is_connected() {
                    pair.reconnect();
                }
            }
            // Both ways in turn, so that the two sides' messages cross.
            let moved = [pair.deliver(1), pair.deliver(0)];
            if moved == [false, false] {
                break;
            }
            count += 1;
        }
        if !pair.is_connected() {
            pair.reconnect();
            while pair.deliver(0) | pair.deliver(1) {}
        }
        pair.check_money();
    }
    // Offers lost with the connection are made again by nobody; what is left is resolved.
    for _ in 0..2 {
        act(&mut pair, 3);
        pair.settle();
    }
    pair.check_agreement();
    for node in &pair.nodes {
        assert!(node.state().commitments.is_quiet(), "{deliveries}");
    }
    count
}

fn at_every_delivery(interfere: &dyn Fn(&mut Pair)) {
    let total = scenario(u32::MAX, &|_| {});
    assert!(total > 10, "{total}");
    for deliveries in 0..total {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scenario(deliveries, interfere)
        }));
        if let Err(panic) = result {
            eprintln!("after {deliveries} deliveries");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn c10_a_disconnection_at_every_message_loses_nothing() {
    at_every_delivery(&|pair| pair.disconnect());
}

#[test]
fn c10_a_message_may_be_lost_on_its_way_in_either_direction() {
    for index in 0..2 {
        at_every_delivery(&|pair| {
            // What is on the other wire still arrives.
            pair.wires[index].clear();
            while pair.deliver(1 - index) {}
            pair.disconnect();
        });
    }
}

#[test]
fn c10_a_restart_at_every_message_loses_nothing() {
    for index in 0..2 {
        at_every_delivery(&|pair| {
            pair.disconnect();
            pair.restart(index);
        });
    }
}

#[test]
fn c10_a_crash_at_every_persist_loses_nothing() {
    for index in 0..2 {
        for crash in [Crash::BeforePersist, Crash::AfterPersist] {
            at_every_delivery(&|pair| pair.crash = Some((index, crash)));
        }
    }
}

#[test]
fn an_offer_lost_with_the_connection_is_reported() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.offer(0, 1_000_000, 2).unwrap();
    pair.disconnect();
    // The first was committed to, the second waited for the peer's revoke_and_ack.
    assert_eq!(
        pair.nodes[0].others,
        [Action::OfferRefused {
            request: 2,
            error: ChannelError::Offline
        }]
    );
    pair.reconnect();
    pair.settle();
    let htlcs = &pair.nodes[1].state().commitments.htlcs;
    assert_eq!(htlcs.offered_by(Side::Remote).len(), 1);
    assert_eq!(
        pair.nodes[0].state().commitments.next_htlc_id.local,
        HtlcId(1)
    );
}

#[test]
fn a_decision_made_while_offline_is_carried_out_later() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    pair.disconnect();
    pair.fulfill(1, 0, 1);
    assert!(pair.wires[0].is_empty());
    pair.reconnect();
    pair.settle();
    assert_eq!(pair.balances(0).0, 599_000_000);
}

#[test]
fn channel_ready_before_the_peer_has_it_is_not_lost() {
    let mut pair = Pair::opened(&Setup::default());
    pair.confirm_at(0, 3);
    pair.disconnect();
    pair.confirm_at(1, 3);
    pair.reconnect();
    pair.settle();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    pair.check_agreement();
}
