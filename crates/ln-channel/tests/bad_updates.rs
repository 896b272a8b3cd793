//! Updates a peer must not send, and offers we must not make: wants.md C1, C2, C5.
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

use ln_channel::opening::OpeningPolicy;
use ln_channel::{ChannelError, Event, HtlcState, PeerResponse, Removal};
use ln_types::{ChannelId, CltvExpiry, Feerate, HtlcId, Msat, PaymentPreimage, Sat, Side};
use ln_wire::{
    OnionPacketBytes, PeerMessage, UpdateAddHtlc, UpdateAddHtlcTlvs, UpdateFailHtlc,
    UpdateFailHtlcTlvs, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc,
    UpdateFulfillHtlcTlvs,
};
use support::{HEIGHT, Pair, Setup, policy, preimage};

fn id(pair: &Pair) -> ChannelId {
    pair.nodes[0].state().params.channel_id
}

fn add(pair: &Pair, id: u64, msat: u64) -> UpdateAddHtlc {
    UpdateAddHtlc {
        channel_id: self::id(pair),
        id: HtlcId(id),
        amount_msat: Msat::from_msat(msat),
        payment_hash: preimage(1).hash(),
        cltv_expiry: CltvExpiry(HEIGHT.0 + 40),
        onion_routing_packet: OnionPacketBytes(Box::new([0; 1366])),
        tlvs: UpdateAddHtlcTlvs::default(),
    }
}

fn refused(pair: &mut Pair, index: usize, message: impl Into<PeerMessage>) -> ChannelError {
    let message = Box::new(message.into());
    let error = pair.step(index, Event::Message(message)).unwrap_err();
    assert_eq!(error.response(), PeerResponse::WarnAndDisconnect, "{error}");
    error
}

fn taken(pair: &mut Pair, index: usize, message: impl Into<PeerMessage>) {
    let message = Box::new(message.into());
    pair.step(index, Event::Message(message)).unwrap();
}

fn strict() -> OpeningPolicy {
    OpeningPolicy {
        max_accepted_htlcs: 3,
        htlc_minimum: Msat::from_msat(1000),
        max_htlc_value_in_flight: Msat::from_msat(100_000_000),
        ..policy()
    }
}

#[test]
fn c1_htlc_ids_count_up_without_gaps() {
    let mut pair = Pair::normal();
    let gap = add(&pair, 1, 1_000_000);
    assert_eq!(
        refused(&mut pair, 1, gap),
        ChannelError::UnexpectedHtlcId {
            expected: HtlcId(0),
            got: HtlcId(1)
        }
    );
    let first = add(&pair, 0, 1_000_000);
    taken(&mut pair, 1, first.clone());
    assert_eq!(
        refused(&mut pair, 1, first),
        ChannelError::UnexpectedHtlcId {
            expected: HtlcId(1),
            got: HtlcId(0)
        }
    );
}

#[test]
fn c1_amounts_below_the_minimum_are_refused() {
    let mut pair = Pair::normal_with(&Setup {
        policy: [policy(), strict()],
        ..Setup::default()
    });
    for (msat, minimum) in [(0, 1000), (999, 1000)] {
        let message = add(&pair, 0, msat);
        assert_eq!(
            refused(&mut pair, 1, message),
            ChannelError::BelowMinimum {
                amount: Msat::from_msat(msat),
                minimum: Msat::from_msat(minimum)
            }
        );
    }
    // Nothing at all is refused even where there is no minimum.
    let message = add(&pair, 0, 0);
    assert!(matches!(
        refused(&mut pair, 0, message),
        ChannelError::BelowMinimum { .. }
    ));
    // Nor do we offer what the peer would refuse.
    assert!(matches!(
        pair.offer(0, 999, 1).unwrap_err(),
        ChannelError::BelowMinimum { .. }
    ));
}

#[test]
fn c1_limits_of_count_and_value_hold() {
    let mut pair = Pair::normal_with(&Setup {
        policy: [policy(), strict()],
        ..Setup::default()
    });
    let message = add(&pair, 0, 100_000_001);
    assert_eq!(
        refused(&mut pair, 1, message),
        ChannelError::TooMuchInFlight {
            in_flight: Msat::from_msat(100_000_001),
            limit: Msat::from_msat(100_000_000)
        }
    );
    for number in 0..3 {
        let message = add(&pair, number, 1_000_000);
        taken(&mut pair, 1, message);
    }
    let message = add(&pair, 3, 1_000_000);
    assert_eq!(
        refused(&mut pair, 1, message),
        ChannelError::TooManyHtlcs { count: 4, limit: 3 }
    );
    // Nor do we offer more.
    for number in 0..3 {
        pair.offer(0, 1_000_000, number).unwrap();
    }
    assert_eq!(
        pair.offer(0, 1_000_000, 9).unwrap_err(),
        ChannelError::TooManyHtlcs { count: 4, limit: 3 }
    );
}

#[test]
fn c1_amounts_beyond_the_balance_are_refused() {
    for msat in [u64::MAX, 1 << 60, 1_000_000_000, 600_000_000, 595_000_000] {
        let mut pair = Pair::normal();
        let message = add(&pair, 0, msat);
        assert!(
            matches!(
                refused(&mut pair, 1, message),
                ChannelError::BelowReserve { .. } | ChannelError::TooMuchInFlight { .. }
            ),
            "{msat}"
        );
        let error = pair.offer(0, msat, 1).unwrap_err();
        assert!(
            matches!(
                error,
                ChannelError::BelowReserve { .. } | ChannelError::TooMuchInFlight { .. }
            ),
            "{msat}: {error}"
        );
    }
}

#[test]
fn c1_what_is_spendable_can_be_offered_and_no_more() {
    for index in 0..2 {
        let mut pair = Pair::normal();
        let spendable = pair.nodes[index].state().spendable(true).as_msat();
        let receivable = pair.nodes[1 - index].state().receivable(true).as_msat();
        assert_eq!(spendable, receivable);
        pair.offer(index, spendable + 1, 1).unwrap_err();
        pair.offer(index, spendable, 1).unwrap();
        pair.settle();
        pair.check_agreement();
    }
}

#[test]
fn c1_an_expiry_must_be_a_height() {
    let mut pair = Pair::normal();
    for expiry in [500_000_000, u32::MAX] {
        let mut message = add(&pair, 0, 1_000_000);
        message.cltv_expiry = CltvExpiry(expiry);
        assert_eq!(
            refused(&mut pair, 1, message),
            ChannelError::ExpiryIsATime {
                expiry: CltvExpiry(expiry)
            }
        );
    }
    // What is over already, or far off, is for the node to judge once it is committed: the channel can carry it.
    for (number, expiry) in [(0, 1), (1, HEIGHT.0), (2, 499_999_999)] {
        let mut message = add(&pair, number, 1_000_000);
        message.cltv_expiry = CltvExpiry(expiry);
        taken(&mut pair, 1, message);
    }
    let mut offer = pair.make_offer(0, 1_000_000, 1);
    offer.cltv_expiry = CltvExpiry(HEIGHT.0);
    assert!(matches!(
        pair.step(0, Event::OfferHtlc(offer)).unwrap_err(),
        ChannelError::Expired { .. }
    ));
}

#[test]
fn c1_a_flood_of_dust_is_marked_to_fail() {
    let mut pair = Pair::normal();
    pair.nodes[1].max_dust_exposure = Msat::from_msat(1_000_000);
    for number in 0..4 {
        pair.offer(0, 300_000, number).unwrap();
    }
    pair.settle();
    let htlcs = pair.nodes[1]
        .state()
        .commitments
        .htlcs
        .offered_by(Side::Remote);
    let marked: Vec<bool> = htlcs.iter().map(|htlc| htlc.over_dust_exposure).collect();
    assert_eq!(marked, [false, false, false, true]);
    // We do not offer it.
    assert!(matches!(
        pair.offer(1, 300_000, 1).unwrap_err(),
        ChannelError::DustExposure { .. }
    ));
}

#[test]
fn c1_no_htlc_before_channel_ready() {
    let mut pair = Pair::opened(&Setup::default());
    let message = add(&pair, 0, 1_000_000);
    assert!(matches!(
        refused(&mut pair, 1, message),
        ChannelError::OutOfPlace { .. }
    ));
    assert_eq!(
        pair.offer(0, 1_000_000, 1).unwrap_err(),
        ChannelError::NotReady
    );
}

fn fulfill(pair: &Pair, id: u64, preimage: PaymentPreimage) -> UpdateFulfillHtlc {
    UpdateFulfillHtlc {
        channel_id: self::id(pair),
        id: HtlcId(id),
        payment_preimage: preimage,
        tlvs: UpdateFulfillHtlcTlvs::default(),
    }
}

fn fail(pair: &Pair, id: u64) -> UpdateFailHtlc {
    UpdateFailHtlc {
        channel_id: self::id(pair),
        id: HtlcId(id),
        reason: vec![1; 256],
        tlvs: UpdateFailHtlcTlvs::default(),
    }
}

fn malformed(pair: &Pair, id: u64, failure_code: u16) -> UpdateFailMalformedHtlc {
    UpdateFailMalformedHtlc {
        channel_id: self::id(pair),
        id: HtlcId(id),
        sha256_of_onion: [1; 32],
        failure_code,
    }
}

#[test]
fn c2_unknown_htlcs_are_not_resolved() {
    let mut pair = Pair::normal();
    let messages: [PeerMessage; 3] = [
        fulfill(&pair, 0, preimage(1)).into(),
        fail(&pair, 7).into(),
        malformed(&pair, u64::MAX, 0x8005).into(),
    ];
    for message in messages {
        assert!(matches!(
            refused(&mut pair, 0, message),
            ChannelError::UnknownHtlc { .. }
        ));
    }
}

#[test]
fn c2_an_htlc_is_not_resolved_before_it_is_committed() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    let message = fulfill(&pair, 0, preimage(1));
    assert_eq!(
        refused(&mut pair, 0, message),
        ChannelError::HtlcNotCommitted {
            id: HtlcId(0),
            state: "SENT_ADD_COMMIT"
        }
    );
    // Nor do we.
    pair.deliver(1);
    let error = pair.step(
        1,
        Event::ResolveHtlc {
            id: HtlcId(0),
            removal: Removal::Fulfilled {
                preimage: preimage(1),
                attribution_data: None,
            },
        },
    );
    assert!(matches!(
        error.unwrap_err(),
        ChannelError::HtlcNotCommitted { .. }
    ));
}

#[test]
fn c2_a_wrong_preimage_is_refused() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    let message = fulfill(&pair, 0, preimage(2));
    assert_eq!(
        refused(&mut pair, 0, message),
        ChannelError::WrongPreimage {
            id: HtlcId(0),
            payment_hash: preimage(1).hash()
        }
    );
}

#[test]
fn c2_an_htlc_is_resolved_once() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    let message = fulfill(&pair, 0, preimage(1));
    taken(&mut pair, 0, message.clone());
    assert!(matches!(
        refused(&mut pair, 0, message),
        ChannelError::HtlcAlreadyResolved { .. }
    ));
    let message = fail(&pair, 0);
    assert!(matches!(
        refused(&mut pair, 0, message),
        ChannelError::HtlcAlreadyResolved { .. }
    ));
}

#[test]
fn c2_a_repeated_decision_of_ours_changes_nothing() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    pair.fulfill(1, 0, 1);
    pair.fulfill(1, 0, 1);
    pair.fail(1, 0);
    pair.settle();
    pair.fulfill(1, 0, 1);
    assert_eq!(pair.balances(0).0, 599_000_000);
    assert!(pair.wires[0].is_empty());
}

#[test]
fn c2_a_malformed_failure_needs_badonion() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    let message = malformed(&pair, 0, 0x4005);
    assert_eq!(
        refused(&mut pair, 0, message),
        ChannelError::NotBadOnion {
            id: HtlcId(0),
            failure_code: 0x4005
        }
    );
    pair.resolve(
        1,
        0,
        Removal::Malformed {
            sha256_of_onion: [5; 32],
            failure_code: 0xc005,
        },
    );
    pair.settle();
    assert!(pair.nodes[0].state().commitments.htlcs.is_empty());
    let told = ln_channel::Notice::FailedMalformed {
        id: HtlcId(0),
        failure_code: 0xc005,
        sha256_of_onion: [5; 32],
    };
    assert!(pair.nodes[0].notices.contains(&told));
}

fn fee(pair: &Pair, perkw: u32) -> UpdateFee {
    UpdateFee {
        channel_id: id(pair),
        feerate_per_kw: Feerate::from_perkw(perkw),
    }
}

#[test]
fn c5_only_the_opener_sets_the_feerate() {
    let mut pair = Pair::normal();
    let message = fee(&pair, 2000);
    assert_eq!(
        refused(&mut pair, 0, message),
        ChannelError::FeeFromNonOpener
    );
}

#[test]
fn c5_feerates_out_of_bounds_are_refused() {
    let mut pair = Pair::normal();
    for perkw in [0, 1, 252, 50_001, u32::MAX] {
        let message = fee(&pair, perkw);
        assert!(matches!(
            refused(&mut pair, 1, message),
            ChannelError::FeerateOutOfRange { .. }
        ));
    }
    // Repeating or replacing one is fine.
    for perkw in [253, 253, 50_000, 1000] {
        let message = fee(&pair, perkw);
        taken(&mut pair, 1, message);
    }
}

#[test]
fn c5_a_feerate_the_opener_cannot_pay_is_refused() {
    let mut pair = Pair::normal_with(&Setup {
        funding: 200_000,
        push: 150_000_000,
        ..Setup::default()
    });
    let message = fee(&pair, 50_000);
    assert!(matches!(
        refused(&mut pair, 1, message),
        ChannelError::OpenerCannotPayFee { .. }
    ));
    // We set as much as we can pay.
    pair.nodes[0].feerates.desired = Feerate::from_perkw(60_000);
    pair.nodes[1].feerates.max = Feerate::from_perkw(60_000);
    pair.step(0, Event::Feerates).unwrap();
    pair.settle();
    let feerate = pair.nodes[1].state().feerate();
    assert!(feerate > Feerate::from_perkw(30_000) && feerate < Feerate::from_perkw(50_000));
    let cost = ln_tx::fee::opener_cost(ln_tx::CommitmentFormat::Anchors, feerate, 0);
    assert!(cost <= Sat::from_sat(48_000));
    pair.check_agreement();
}

#[test]
fn states_have_the_names_operators_know() {
    let mut pair = Pair::normal();
    pair.offer(0, 1_000_000, 1).unwrap();
    let state = |pair: &Pair, index: usize, side| {
        let htlcs = &pair.nodes[index].state().commitments.htlcs;
        htlcs.get(side, HtlcId(0)).map(|htlc| htlc.state)
    };
    assert_eq!(state(&pair, 0, Side::Local), Some(HtlcState::SentAddCommit));
    pair.settle();
    assert_eq!(
        state(&pair, 0, Side::Local),
        Some(HtlcState::SentAddAckRevocation)
    );
    assert_eq!(
        state(&pair, 1, Side::Remote),
        Some(HtlcState::RcvdAddAckRevocation)
    );
}
