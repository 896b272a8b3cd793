//! `commitment_signed` and `revoke_and_ack` a peer must not send, and messages out of place: wants.md C3, C4, C7, C9.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test"
)]

mod support;

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::ecdsa;
use ln_channel::{Action, ChannelError, Event, PeerResponse};
use ln_types::{ChannelId, CommitmentNumber};
use ln_wire::{
    ClosingSigned, ClosingSignedTlvs, CommitmentSigned, ErrorMessage, PeerMessage, RevokeAndAck,
    Stfu, WarningMessage,
};
use support::Pair;

/// An offer is made; returns the peer's `commitment_signed` for it, everything before it delivered.
fn with_commit() -> (Pair, CommitmentSigned) {
    let mut pair = Pair::normal();
    for number in 0..3 {
        pair.offer(0, 10_000_000 * (number + 1), number).unwrap();
    }
    // update_add_htlc, commitment_signed, two more update_add_htlc: let the first through the dance, so that the next has two HTLCs.
    while !matches!(pair.wires[1].front(), Some(PeerMessage::CommitmentSigned(commit)) if commit.htlc_signature.len() == 3)
    {
        assert!(pair.deliver(1) || pair.deliver(0));
        while pair.deliver(0) {}
    }
    let Some(PeerMessage::CommitmentSigned(commit)) = pair.wires[1].pop_front() else {
        unreachable!()
    };
    (pair, commit)
}

fn refused(pair: &mut Pair, message: impl Into<PeerMessage>) -> ChannelError {
    let message = Box::new(message.into());
    pair.step(1, Event::Message(message)).unwrap_err()
}

/// The same signature with a high S: valid by mathematics, not by policy.
fn with_high_s(signature: ecdsa::Signature) -> ecdsa::Signature {
    let order = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36,
        0x41, 0x41_u8,
    ];
    let mut bytes = signature.serialize_compact();
    let mut borrow = 0_i16;
    for index in (0..32).rev() {
        let difference = i16::from(order[index]) - i16::from(bytes[32 + index]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + index] = difference.rem_euclid(256) as u8;
    }
    ecdsa::Signature::from_compact(&bytes).unwrap()
}

#[test]
fn c3_wrong_signatures_and_counts_are_refused() {
    let (mut pair, good) = with_commit();
    let number = CommitmentNumber(2);
    let mut bad = good.clone();
    bad.signature = good.htlc_signature[0];
    let error = refused(&mut pair, bad);
    assert_eq!(error, ChannelError::BadCommitmentSignature { number });
    assert_eq!(error.response(), PeerResponse::WarnAndDisconnect);

    let mut bad = good.clone();
    bad.signature = with_high_s(good.signature);
    let error = refused(&mut pair, bad);
    assert_eq!(error, ChannelError::BadCommitmentSignature { number });

    for (count, signatures) in [
        (0, Vec::new()),
        (2, good.htlc_signature[..2].to_vec()),
        (4, [&good.htlc_signature[..], &[good.signature]].concat()),
    ] {
        let mut bad = good.clone();
        bad.htlc_signature = signatures;
        let error = refused(&mut pair, bad);
        let expected = ChannelError::WrongSignatureCount {
            expected: 3,
            got: count,
        };
        assert_eq!(error, expected);
    }
    for index in 0..3 {
        let mut bad = good.clone();
        bad.htlc_signature[index] = good.htlc_signature[(index + 1) % 3];
        let error = refused(&mut pair, bad);
        // The first bad one is named.
        assert_eq!(error, ChannelError::BadHtlcSignature { number, index });
        let mut bad = good.clone();
        bad.htlc_signature[index] = with_high_s(good.htlc_signature[index]);
        let error = refused(&mut pair, bad);
        assert_eq!(error, ChannelError::BadHtlcSignature { number, index });
    }
    let mut bad = good.clone();
    bad.tlvs.funding_txid = Some(bitcoin::Txid::from_byte_array([1; 32]));
    assert!(matches!(
        refused(&mut pair, bad),
        ChannelError::WrongFundingTxid { .. }
    ));
    pair.wires[1].push_front(good.into());
    pair.settle();
    pair.check_agreement();
}

#[test]
fn c3_an_empty_commitment_is_borne_once() {
    let mut pair = Pair::normal();
    let (next, message) = {
        let node = &pair.nodes[0];
        let state = node.state();
        let mut notices = Vec::new();
        state
            .commitments
            .sign_next(&state.params, &node.env(), &mut notices)
            .unwrap()
    };
    pair.step(1, Event::Message(Box::new(message.into())))
        .unwrap();
    assert!(matches!(
        pair.wires[0].pop_front(),
        Some(PeerMessage::RevokeAndAck(_))
    ));
    let again = {
        let node = &pair.nodes[0];
        next.sign_again(&node.state().params, &node.env()).unwrap()
    };
    let error = refused(&mut pair, again);
    assert_eq!(error, ChannelError::EmptyCommitment);
}

fn secret_of(pair: &Pair, index: usize, number: u64) -> [u8; 32] {
    let signer = &pair.nodes[index].signer;
    signer
        .channel()
        .per_commitment_secret(CommitmentNumber(number))
        .unwrap()
        .0
}

#[test]
fn c4_a_revocation_must_be_due_and_right() {
    let mut pair = Pair::normal();
    let signer = pair.nodes[1].signer.clone();
    let point = |number| {
        signer
            .channel()
            .per_commitment_point(CommitmentNumber(number))
            .unwrap()
    };
    let good = RevokeAndAck {
        channel_id: pair.nodes[0].state().params.channel_id,
        per_commitment_secret: secret_of(&pair, 1, 0),
        next_per_commitment_point: point(2),
    };
    let step = |pair: &mut Pair, message: &RevokeAndAck| {
        pair.step(0, Event::Message(Box::new(message.clone().into())))
    };
    assert_eq!(
        step(&mut pair, &good).unwrap_err(),
        ChannelError::UnexpectedRevoke
    );
    pair.offer(0, 1_000_000, 1).unwrap();
    for secret in [[0; 32], [0xff; 32], [1; 32], secret_of(&pair, 1, 1)] {
        let bad = RevokeAndAck {
            per_commitment_secret: secret,
            ..good.clone()
        };
        let error = step(&mut pair, &bad).unwrap_err();
        let number = CommitmentNumber(0);
        assert_eq!(error, ChannelError::WrongSecret { number });
        assert_eq!(error.response(), PeerResponse::FailChannel);
    }
    step(&mut pair, &good).unwrap();
    assert_eq!(
        step(&mut pair, &good).unwrap_err(),
        ChannelError::UnexpectedRevoke
    );
}

#[test]
fn c4_secrets_must_be_of_one_chain() {
    let mut pair = Pair::normal();
    let signer = pair.nodes[1].signer.clone();
    let channel_id = pair.nodes[0].state().params.channel_id;
    // The peer names a point for commitment 3 that is not of its chain, and reveals that point's secret in due course.
    let stray = bitcoin::secp256k1::SecretKey::from_slice(&[9; 32]).unwrap();
    let secret = |number| match number {
        CommitmentNumber(3) => stray.secret_bytes(),
        number => signer.channel().per_commitment_secret(number).unwrap().0,
    };
    let point = |number| match number {
        CommitmentNumber(3) => ln_keys::public_key(&stray),
        number => signer.channel().per_commitment_point(number).unwrap(),
    };
    for revoked in 0..8 {
        if !pair.nodes[0].state().commitments.awaits_revoke() {
            pair.offer(0, 1_000_000, 1).unwrap();
        }
        let revoke = RevokeAndAck {
            channel_id,
            per_commitment_secret: secret(CommitmentNumber(revoked)),
            next_per_commitment_point: point(CommitmentNumber(revoked + 2)),
        };
        if let Err(error) = pair.step(0, Event::Message(Box::new(revoke.into()))) {
            let number = CommitmentNumber(revoked);
            assert_eq!(error, ChannelError::SecretOutOfChain { number });
            assert_eq!(error.response(), PeerResponse::FailChannel);
            return;
        }
    }
    panic!("the stray secret was never noticed")
}

#[test]
fn c7_quiescence_is_answered_as_unsupported() {
    let mut pair = Pair::normal();
    let channel_id = pair.nodes[0].state().params.channel_id;
    for initiator in [0, 1] {
        let message = Stfu {
            channel_id,
            initiator,
        };
        let error = refused(&mut pair, message);
        assert_eq!(error, ChannelError::Unsupported { message: "Stfu" });
        let answer = pair.nodes[1].channel.respond(&error);
        assert!(matches!(
            &answer[..],
            [Action::Send(PeerMessage::Warning(_))]
        ));
    }
    // The channel goes on.
    pair.offer(0, 1_000_000, 1).unwrap();
    pair.settle();
    pair.check_agreement();
}

#[test]
fn c9_an_error_fails_the_channel_it_names_or_all() {
    for (id, fails) in [
        (None, true),
        (Some(ChannelId::ALL), true),
        (Some(ChannelId([7; 32])), false),
    ] {
        let mut pair = Pair::normal();
        let id = id.unwrap_or(pair.nodes[0].state().params.channel_id);
        let message = ErrorMessage::new(id, "x".repeat(65_000).as_str());
        let error = refused(&mut pair, message);
        if fails {
            assert!(matches!(error, ChannelError::PeerError { .. }));
            let actions = pair.nodes[1].channel.respond(&error);
            assert!(matches!(
                &actions[..],
                [Action::FailChannel {
                    broadcast: true,
                    ..
                }]
            ));
        } else {
            assert!(matches!(error, ChannelError::WrongChannel { .. }));
        }
    }
}

#[test]
fn c9_warnings_are_only_logged() {
    let mut pair = Pair::normal();
    for _ in 0..100 {
        let message = WarningMessage::new(ChannelId::ALL, "\u{7}bell");
        let message = Box::new(PeerMessage::from(message));
        pair.step(1, Event::Message(message)).unwrap();
    }
    assert_eq!(pair.nodes[1].others.len(), 100);
    assert!(pair.wires[0].is_empty());
}

#[test]
fn messages_out_of_place_are_refused() {
    let mut pair = Pair::normal();
    let channel_id = pair.nodes[0].state().params.channel_id;
    let (_, commit) = with_commit();
    let closing = ClosingSigned {
        channel_id,
        fee_satoshis: ln_types::Sat::from_sat(1),
        signature: commit.signature,
        tlvs: ClosingSignedTlvs::default(),
    };
    assert!(matches!(
        refused(&mut pair, closing),
        ChannelError::OutOfPlace { .. }
    ));
}
