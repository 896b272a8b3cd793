//! Every way a channel can end on chain.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "tests on fixed values"
)]

mod fixture;

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, Sequence, Transaction, TxIn, TxOut};
use fixture::*;
use ln_onchain::{
    Action, Event, FundingSpend, OutputKind, Resolution, TxKind, anchor::AnchorBump, identify,
};
use ln_tx::{CommitmentFormat, build_commitment};
use ln_types::{BlockHeight, CommitmentNumber, Feerate, Sat};

const FORMATS: [CommitmentFormat; 2] =
    [CommitmentFormat::StaticRemotekey, CommitmentFormat::Anchors];

fn closing(output: TxOut) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            sequence: Sequence::MAX,
            ..TxIn::default()
        }],
        output: vec![output],
    }
}

fn has(actions: &[Action], wanted: impl Fn(&Action) -> bool) -> bool {
    actions.iter().any(wanted)
}

fn is_forget(action: &Action) -> bool {
    matches!(action, Action::Forget)
}

#[test]
fn every_kind_of_closing_transaction_is_recognised() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let channel = fixture.channel();
        let number = CommitmentNumber;
        let identified = |tx: &Transaction| identify(&channel, tx);
        assert_eq!(
            identified(&fixture.our_commitment(5)),
            FundingSpend::Ours { number: number(5) }
        );
        assert_eq!(
            identified(&fixture.our_commitment(3)),
            FundingSpend::OursRevoked { number: number(3) }
        );
        assert_eq!(
            identified(&fixture.their_commitment(5)),
            FundingSpend::Theirs {
                number: number(5),
                per_commitment_point: fixture.their_point(5)
            }
        );
        assert_eq!(
            identified(&fixture.their_commitment(2)),
            FundingSpend::TheirsRevoked {
                number: number(2),
                per_commitment_secret: fixture.their_secret(2)
            }
        );
        assert_eq!(
            identified(&fixture.their_commitment(9)),
            FundingSpend::TheirsUnknown { number: number(9) }
        );
        let to = |script_pubkey| {
            closing(TxOut {
                value: bitcoin::Amount::from_sat(900_000),
                script_pubkey,
            })
        };
        assert_eq!(identified(&to(wallet_script())), FundingSpend::MutualClose);
        let stranger = bitcoin::ScriptBuf::new_op_return([9]);
        assert_eq!(identified(&to(stranger)), FundingSpend::Unknown);
    }
}

#[test]
fn our_commitment_pays_us_after_the_delay_and_is_forgotten_after_100_blocks() {
    for format in FORMATS {
        let mut fixture = Fixture::new(format);
        fixture.htlcs.clear();
        let commitment = fixture.our_commitment(5);
        let (mut machine, actions) = fixture.start(&commitment);
        let claims = claims(&actions);
        assert_eq!(claims.len(), 1);
        let claim = &claims[0];
        assert_eq!(claim.kind, TxKind::OurDelayedReturnToWallet);
        assert_eq!(claim.first_block, BlockHeight(506));
        assert!(
            machine
                .summary(BlockHeight(500))
                .contains("in 5 blocks will spend DELAYED_OUTPUT_TO_US")
        );
        let sweep = fixture.carry_out(claim, &commitment);
        let actions = spent(&mut machine, &sweep, 506);
        assert!(has(&actions, |action| matches!(
            action,
            Action::Resolved {
                by: TxKind::OurDelayedReturnToWallet,
                ours: true,
                ..
            }
        )));
        assert!(!has(&machine.step(Event::Tip, &env(604)), is_forget));
        assert!(has(&machine.step(Event::Tip, &env(605)), is_forget));
        assert!(machine.step(Event::Tip, &env(606)).is_empty());
    }
}

#[test]
fn an_htlc_we_offered_on_our_commitment_times_out_in_two_stages() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.our_commitment(5);
        let (mut machine, actions) = fixture.start(&commitment);
        let claims_at_start = claims(&actions);
        let claim = claims_at_start
            .iter()
            .find(|claim| claim.kind == TxKind::OurHtlcTimeoutTx)
            .unwrap();
        assert_eq!(claim.first_block, BlockHeight(601));
        assert_eq!(claim.deadline, Some(BlockHeight(634)));
        let timeout = fixture.carry_out(claim, &commitment);
        let actions = spent(&mut machine, &timeout, 601);
        assert!(has(&actions, |action| matches!(
            action,
            Action::Resolved {
                by: TxKind::OurHtlcTimeoutTx,
                output: OutputKind::OurHtlc,
                ..
            }
        )));
        let second = &claims(&actions)[0];
        assert_eq!(second.kind, TxKind::OurDelayedReturnToWallet);
        assert_eq!(second.spent_tx, TxKind::OurHtlcTimeoutTx);
        assert_eq!(second.first_block, BlockHeight(607));
        let timed_out =
            |action: &Action| matches!(action, Action::HtlcTimedOut { htlc } if htlc.id.0 == 0);
        assert!(!has(&machine.step(Event::Tip, &env(602)), timed_out));
        assert!(has(&machine.step(Event::Tip, &env(603)), timed_out));
        assert!(!has(&machine.step(Event::Tip, &env(604)), timed_out));
        let sweep = fixture.carry_out(second, &timeout);
        let actions = spent(&mut machine, &sweep, 607);
        assert!(has(&actions, |action| matches!(
            action,
            Action::Resolved { .. }
        )));
    }
}

#[test]
fn an_htlc_we_received_on_our_commitment_is_taken_with_its_preimage() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.our_commitment(5);
        let (mut machine, actions) = fixture.start(&commitment);
        assert!(
            claims(&actions)
                .iter()
                .all(|claim| claim.kind != TxKind::OurHtlcSuccessTx)
        );
        let actions = machine.step(Event::Preimage { preimage: THEIRS }, &env(510));
        let claim = &claims(&actions)[0];
        assert_eq!(claim.kind, TxKind::OurHtlcSuccessTx);
        assert_eq!(claim.deadline, Some(BlockHeight(600)));
        // Hearing it again changes nothing.
        let again = machine.step(Event::Preimage { preimage: THEIRS }, &env(510));
        assert!(again.is_empty());
        let success = fixture.carry_out(claim, &commitment);
        let actions = spent(&mut machine, &success, 511);
        let second = &claims(&actions)[0];
        assert_eq!(second.spent_tx, TxKind::OurHtlcSuccessTx);
        fixture.carry_out(second, &success);
    }
}

#[test]
fn an_htlc_of_the_peers_without_preimage_is_left_to_it_after_expiry() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        for commitment in [fixture.our_commitment(5), fixture.their_commitment(5)] {
            let (mut machine, _) = fixture.start(&commitment);
            let ignored = |action: &Action| {
                matches!(
                    action,
                    Action::Ignore {
                        output: OutputKind::TheirHtlc,
                        ..
                    }
                )
            };
            assert!(!has(&machine.step(Event::Tip, &env(599)), ignored));
            assert!(has(&machine.step(Event::Tip, &env(600)), ignored));
            // A preimage that comes late is still worth a try.
            let late = machine.step(Event::Preimage { preimage: THEIRS }, &env(601));
            assert_eq!(claims(&late).len(), 1);
        }
    }
}

#[test]
fn their_commitment_pays_us_at_once_and_htlcs_as_their_scripts_allow() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.their_commitment(5);
        let (mut machine, actions) = fixture.start(&commitment);
        let csv = u16::from(format.has_anchors());
        assert!(has(&actions, |action| matches!(
            action,
            Action::ToWallet { csv: wait, .. } if *wait == csv
        )));
        let at_start = claims(&actions);
        assert_eq!(at_start.len(), 1);
        assert_eq!(at_start[0].kind, TxKind::OurHtlcTimeoutToUs);
        assert_eq!(at_start[0].first_block, BlockHeight(601));
        let timeout = fixture.carry_out(&at_start[0], &commitment);
        let actions = machine.step(Event::Preimage { preimage: THEIRS }, &env(500));
        let fulfill = &claims(&actions)[0];
        assert_eq!(fulfill.kind, TxKind::TheirHtlcFulfillToUs);
        let fulfill = fixture.carry_out(fulfill, &commitment);
        spent(&mut machine, &fulfill, 501);
        let actions = spent(&mut machine, &timeout, 601);
        assert!(has(&actions, |action| matches!(
            action,
            Action::Resolved {
                by: TxKind::OurHtlcTimeoutToUs,
                ours: true,
                ..
            }
        )));
        assert!(has(
            &machine.step(Event::Tip, &env(603)),
            |action| matches!(action, Action::HtlcTimedOut { .. })
        ));
        assert!(has(&machine.step(Event::Tip, &env(700)), is_forget));
    }
}

#[test]
fn a_preimage_on_chain_is_found() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.their_commitment(5);
        let (mut machine, _) = fixture.start(&commitment);
        let success = fixture.their_htlc_tx(5, false);
        let actions = spent(&mut machine, &success, 520);
        assert!(has(&actions, |action| matches!(
            action,
            Action::FoundPreimage { preimage, htlc, .. } if *preimage == OURS && htlc.id.0 == 0
        )));
        assert!(has(&actions, |action| matches!(
            action,
            Action::Unclaim { .. }
        )));
        // The same block again.
        assert!(spent(&mut machine, &success, 520).is_empty());
    }
}

#[test]
fn everything_of_a_revoked_commitment_is_taken() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.their_commitment(2);
        let (mut machine, actions) = fixture.start(&commitment);
        let penalties = claims(&actions);
        assert_eq!(penalties.len(), 3);
        for claim in &penalties {
            assert_eq!(claim.kind, TxKind::OurPenaltyTx);
            assert_eq!(claim.spent_tx, TxKind::TheirRevokedUnilateral);
            let penalty = fixture.carry_out(claim, &commitment);
            let actions = spent(&mut machine, &penalty, 501);
            assert!(has(&actions, |action| matches!(
                action,
                Action::Resolved {
                    by: TxKind::OurPenaltyTx,
                    ours: true,
                    ..
                }
            )));
        }
        assert!(has(&machine.step(Event::Tip, &env(600)), is_forget));
    }
}

#[test]
fn htlc_transactions_of_a_revoked_commitment_are_punished_too() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let commitment = fixture.their_commitment(2);
        let (mut machine, _) = fixture.start(&commitment);
        for (offered_by_them, kind) in [
            (true, TxKind::TheirHtlcTimeoutToThem),
            (false, TxKind::OurHtlcFulfillToThem),
        ] {
            let htlc_tx = fixture.their_htlc_tx(2, offered_by_them);
            let actions = spent(&mut machine, &htlc_tx, 501);
            let punished = &claims(&actions)[0];
            assert_eq!(punished.kind, TxKind::OurPenaltyTx);
            assert_eq!(punished.spent_tx, kind);
            assert_eq!(punished.deadline, Some(BlockHeight(511)));
            let penalty = fixture.carry_out(punished, &htlc_tx);
            let actions = spent(&mut machine, &penalty, 502);
            assert!(has(&actions, |action| matches!(
                action,
                Action::Resolved {
                    output: OutputKind::DelayedCheatOutputToThem,
                    by: TxKind::OurPenaltyTx,
                    ..
                }
            )));
        }
    }
}

#[test]
fn dust_is_failed_at_once_and_what_is_missing_at_depth() {
    let mut fixture = Fixture::new(CommitmentFormat::Anchors);
    let commitment = fixture.their_commitment(5);
    // This one was added after the commitment.
    let mut late = fixture.htlcs[0];
    late.id = ln_types::HtlcId(7);
    late.amount = ln_types::Msat::from_msat(70_000_000);
    late.payment_hash = ln_types::PaymentHash([3; 32]);
    let mut without_commitment = fixture.htlcs.clone();
    without_commitment.push(late);
    let channel = fixture.channel();
    fixture.htlcs = without_commitment;
    let spend = identify(&channel, &commitment);
    let (mut machine, actions) = Resolution::start(
        channel,
        spend,
        &commitment,
        CLOSE,
        &fixture.htlcs,
        &env(500),
    );
    let missing = |id: u64| move |action: &Action| matches!(action, Action::HtlcMissing { htlc } if htlc.id.0 == id);
    assert!(has(&actions, missing(1)));
    assert!(!has(&actions, missing(7)));
    assert!(has(&machine.step(Event::Tip, &env(502)), missing(7)));
    assert!(machine.step(Event::Tip, &env(503)).is_empty());
}

#[test]
fn a_commitment_newer_than_we_know_still_pays_our_balance() {
    for format in FORMATS {
        let fixture = Fixture::new(format);
        let (_, actions) = fixture.start(&fixture.their_commitment(9));
        assert!(has(&actions, |action| matches!(
            action,
            Action::ToWallet { .. }
        )));
        assert!(has(&actions, |action| matches!(
            action,
            Action::Alert { .. }
        )));
        assert!(has(&actions, |action| matches!(
            action,
            Action::HtlcMissing { .. }
        )));
        assert!(claims(&actions).is_empty());
    }
}

#[test]
fn a_reorganisation_opens_what_it_took_away() {
    let fixture = Fixture::new(CommitmentFormat::Anchors);
    let commitment = fixture.our_commitment(5);
    let (mut machine, actions) = fixture.start(&commitment);
    let claim = claims(&actions)
        .into_iter()
        .find(|claim| claim.kind == TxKind::OurHtlcTimeoutTx)
        .unwrap();
    let timeout = fixture.carry_out(&claim, &commitment);
    spent(&mut machine, &timeout, 601);
    let actions = machine.step(
        Event::Unconfirmed {
            txid: timeout.compute_txid(),
        },
        &env(600),
    );
    assert!(claims(&actions).contains(&claim));
    assert!(has(&actions, |action| matches!(
        action,
        Action::Unclaim { outpoint } if outpoint.txid == timeout.compute_txid()
    )));
    // It comes back, and everything goes on.
    assert_eq!(claims(&spent(&mut machine, &timeout, 602)).len(), 1);
    let actions = machine.step(
        Event::Unconfirmed {
            txid: commitment.compute_txid(),
        },
        &env(499),
    );
    assert!(has(&actions, |action| matches!(action, Action::StartAnew)));
    assert!(machine.step(Event::Tip, &env(900)).is_empty());
}

#[test]
fn a_claim_not_worth_its_fee_is_not_waited_for() {
    let mut fixture = Fixture::new(CommitmentFormat::Anchors);
    fixture.htlcs.clear();
    let commitment = fixture.our_commitment(5);
    let (mut machine, actions) = fixture.start(&commitment);
    let outpoint = claims(&actions)[0].outpoint;
    machine.step(Event::Uneconomical { outpoint }, &env(500));
    assert_eq!(machine.claims().count(), 0);
    assert!(has(&machine.step(Event::Tip, &env(599)), is_forget));
}

#[test]
fn the_same_events_after_a_restart_lead_to_the_same_state() {
    let fixture = Fixture::new(CommitmentFormat::Anchors);
    let commitment = fixture.our_commitment(5);
    let run = || {
        let (mut machine, mut all) = fixture.start(&commitment);
        let claim = claims(&all)
            .into_iter()
            .find(|claim| claim.kind == TxKind::OurHtlcTimeoutTx)
            .unwrap();
        let timeout = fixture.carry_out(&claim, &commitment);
        all.extend(machine.step(Event::Preimage { preimage: THEIRS }, &env(502)));
        all.extend(spent(&mut machine, &timeout, 601));
        (all, machine.summary(BlockHeight(601)))
    };
    assert_eq!(run(), run());
}

#[test]
fn an_anchor_pays_for_its_commitment() {
    let fixture = Fixture::new(CommitmentFormat::Anchors);
    let channel = fixture.channel();
    let ours = channel.our_commitment.as_ref().unwrap();
    let tx = build_commitment(&channel.our_params(ours.per_commitment_point), &ours.spec).unwrap();
    let bump = AnchorBump::new(&tx).unwrap();
    assert!(bump.is_enough(Feerate::FLOOR));
    assert_eq!(bump.missing_fee(Feerate::FLOOR), Sat::ZERO);
    let feerate = Feerate::from_perkw(5000);
    let paid = bump.parent_fee.as_sat() + 330 + bump.missing_fee(feerate).as_sat();
    assert_eq!(paid, feerate.fee(bump.parent_weight).as_sat());
    let none = Fixture::new(CommitmentFormat::StaticRemotekey);
    let channel = none.channel();
    let ours = channel.our_commitment.as_ref().unwrap();
    let tx = build_commitment(&channel.our_params(ours.per_commitment_point), &ours.spec).unwrap();
    assert_eq!(AnchorBump::new(&tx), None);
}
