//! Normal operation with a peer that breaks its rules.

use ln_channel::{Action, Event, Offer, OnionPacket};
use ln_codec::Encode as _;
use ln_testkit::nodes::{NodeOptions, TestNode};
use ln_testkit::peer::channel_message;
use ln_types::{ChannelId, CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentHash};
use ln_wire::{
    ChannelReady, ClosingSigned, CommitmentSigned, ErrorMessage, PeerMessage, RevokeAndAck,
    UpdateAddHtlc, UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc,
};

use super::living::{Living, bytes, must_answer, preimage, shutdown};
use crate::support::Pair;

fn fulfill(channel_id: ChannelId, id: u64, number: u8) -> Vec<u8> {
    bytes(UpdateFulfillHtlc {
        channel_id,
        id: HtlcId(id),
        payment_preimage: preimage(number),
        tlvs: ln_wire::UpdateFulfillHtlcTlvs::default(),
    })
}

fn fail(channel_id: ChannelId, id: u64) -> Vec<u8> {
    bytes(UpdateFailHtlc {
        channel_id,
        id: HtlcId(id),
        reason: vec![7; 292],
        tlvs: ln_wire::UpdateFailHtlcTlvs::default(),
    })
}

fn malformed(channel_id: ChannelId, id: u64, failure_code: u16) -> Vec<u8> {
    bytes(UpdateFailMalformedHtlc {
        channel_id,
        id: HtlcId(id),
        sha256_of_onion: [7; 32],
        failure_code,
    })
}

fn add(channel_id: ChannelId, edit: impl FnOnce(&mut UpdateAddHtlc)) -> Vec<u8> {
    let mut add = UpdateAddHtlc {
        channel_id,
        id: HtlcId(0),
        amount_msat: Msat::from_msat(20_000_000),
        payment_hash: PaymentHash([9; 32]),
        cltv_expiry: CltvExpiry(150),
        onion_routing_packet: ln_wire::OnionPacketBytes(Box::new([1; 1366])),
        tlvs: ln_wire::UpdateAddHtlcTlvs::default(),
    };
    edit(&mut add);
    bytes(add)
}

fn fee(channel_id: ChannelId, feerate: u32) -> Vec<u8> {
    bytes(UpdateFee {
        channel_id,
        feerate_per_kw: Feerate::from_perkw(feerate),
    })
}

/// A revocation of this number.
fn revocation(living: &Living, number: u64) -> RevokeAndAck {
    let signer = living.peer.signer.channel();
    let secret = signer.per_commitment_secret(CommitmentNumber(number));
    RevokeAndAck {
        channel_id: living.channel_id(),
        per_commitment_secret: secret.unwrap().0,
        next_per_commitment_point: living.peer.point(number + 2),
    }
}

/// The messages with which the peer would offer an HTLC, the last its `commitment_signed`; it forgets that it did.
fn offer_and_commit(living: &mut Living) -> (Vec<Vec<u8>>, CommitmentSigned) {
    let before = living.machine.clone();
    let actions = living.think(Event::OfferHtlc(Offer {
        request: 1,
        amount: Msat::from_msat(20_000_000),
        payment_hash: PaymentHash([9; 32]),
        cltv_expiry: CltvExpiry(150),
        onion: OnionPacket::new([1; 1366]),
        path_key: None,
        extra_tlvs: Vec::new(),
    }));
    living.machine = before;
    let mut updates = Vec::new();
    for action in actions {
        match action {
            Action::Send(PeerMessage::CommitmentSigned(commit)) => return (updates, commit),
            Action::Send(other) => updates.push(other.to_bytes()),
            _ => {}
        }
    }
    panic!("no commitment_signed")
}

/// Updates that no state of a fresh channel allows, each with a part of the answer.
fn impossible(id: ChannelId) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("claim of nothing", fulfill(id, 0, 3), "there is no htlc"),
        (
            "claim of all ones",
            fulfill(id, u64::MAX, 3),
            "there is no htlc",
        ),
        ("failure of nothing", fail(id, 0), "there is no htlc"),
        (
            "malformed nothing",
            malformed(id, 0, 0xc005),
            "there is no htlc",
        ),
        ("not malformed", malformed(id, 0, 0x4005), "BADONION"),
        (
            "add of nothing",
            add(id, |add| add.amount_msat = Msat::ZERO),
            "below the minimum",
        ),
        (
            "add of all ones",
            add(id, |add| add.amount_msat = Msat::MAX),
            "cannot pay",
        ),
        (
            "add beyond funds",
            add(id, |add| add.amount_msat = Msat::from_msat(699_000_000)),
            "cannot pay",
        ),
        (
            "add that skips",
            add(id, |add| add.id = HtlcId(1)),
            "0 is next",
        ),
        (
            "add of id all ones",
            add(id, |add| add.id = HtlcId(u64::MAX)),
            "0 is next",
        ),
        (
            "add with a time",
            add(id, |add| add.cltv_expiry = CltvExpiry(500_000_000)),
            "not a block height",
        ),
        (
            "add at the end of time",
            add(id, |add| add.cltv_expiry = CltvExpiry(u32::MAX)),
            "not a block height",
        ),
        ("no fee", fee(id, 0), "is not between"),
        ("all the fee", fee(id, u32::MAX), "is not between"),
        ("shutdown to nowhere", shutdown(id, &[]), "scriptpubkey"),
        (
            "shutdown to a key hash",
            shutdown(id, &[0x6a; 22]),
            "scriptpubkey",
        ),
        (
            "shutdown to much",
            shutdown(id, &[0x51; 10_000]),
            "scriptpubkey",
        ),
    ]
}

#[test]
fn impossible_updates_are_refused() {
    let options = NodeOptions::default().argument("--ignore-fee-limits=false");
    let pair = Pair::start_with(options);
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    let id = peer.channel_id();
    for (what, message, words) in impossible(id) {
        peer.must_be_warned(node, what, &[message], words);
    }
    peer.must_pay(node);
    must_answer(&pair, "still");
}

#[test]
fn only_who_pays_the_fee_sets_it() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open_from(&pair.net, node, 2);
    let id = peer.channel_id();
    peer.must_be_warned(node, "a fee", &[fee(id, 300)], "does not pay the fee");
    // A committed HTLC, claimed with something else, failed twice, and after all claimed.
    let htlc = peer.take_htlc(node, 20_000_000);
    peer.must_be_warned(
        node,
        "a guess",
        &[fulfill(id, htlc.0, 99)],
        "does not hash to",
    );
    let twice = [fail(id, htlc.0), fail(id, htlc.0)];
    peer.must_be_warned(node, "two failures", &twice, "resolved already");
    peer.fulfill(node, htlc);
    must_answer(&pair, "still");
}

#[test]
fn the_dance_has_its_steps() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    peer.must_pay(node);
    // Revocations when none is due, of the present and of an old commitment.
    for number in 0..4 {
        let message = bytes(revocation(&peer, number));
        peer.must_be_warned(node, "revoke_and_ack", &[message], "none was due");
    }
    // Signatures that do not sign, too few, too many.
    let (updates, good) = offer_and_commit(&mut peer);
    assert_eq!(good.htlc_signature.len(), 1);
    let edits: [(&str, fn(&mut CommitmentSigned), &str); 5] = [
        (
            "garbage",
            |commit| commit.signature = commit.htlc_signature[0],
            "signature of commitment",
        ),
        (
            "another's HTLC signature",
            |commit| commit.htlc_signature[0] = commit.signature,
            "signature 0 of the htlcs",
        ),
        (
            "none",
            |commit| commit.htlc_signature.clear(),
            "0 htlc signatures",
        ),
        (
            "two",
            |commit| commit.htlc_signature.push(commit.signature),
            "2 htlc signatures",
        ),
        (
            "483",
            |commit| commit.htlc_signature = vec![commit.signature; 483],
            "483 htlc signatures",
        ),
    ];
    for (what, edit, words) in edits {
        let mut bad = good.clone();
        edit(&mut bad);
        let mut messages = updates.clone();
        messages.push(bytes(bad));
        peer.must_be_warned(node, what, &messages, words);
    }
    // Out of place.
    let id = peer.channel_id();
    let closing = bytes(ClosingSigned {
        channel_id: id,
        fee_satoshis: ln_types::Sat::from_sat(300),
        signature: good.signature,
        tlvs: ln_wire::ClosingSignedTlvs::default(),
    });
    peer.must_be_warned(node, "closing_signed", &[closing], "is out of place");
    // channel_ready once more, with another point: ignored, as unknown odd messages are.
    let ready = bytes(ChannelReady {
        channel_id: id,
        second_per_commitment_point: peer.peer.point(40),
        tlvs: ln_wire::ChannelReadyTlvs::default(),
    });
    peer.peer.wire.send(&ready);
    peer.peer.wire.send(&channel_message(109, id, 40));
    peer.peer.wire.send(&channel_message(40_001, id, 40));
    peer.must_pay(node);
    must_answer(&pair, "still");
}

/// The BOLT 2 messages and how far their fixed parts go.
const LENGTHS: &[(u16, usize)] = &[
    (2, 35),
    (32, 321),
    (33, 272),
    (34, 132),
    (35, 98),
    (36, 67),
    (38, 36),
    (39, 106),
    (40, 50),
    (41, 50),
    (66, 52),
    (67, 60),
    (68, 42),
    (69, 42),
    (71, 68),
    (72, 42),
    (74, 36),
    (77, 66),
    (80, 80),
    (81, 75),
    (127, 36),
    (128, 1450),
    (130, 74),
    (131, 44),
    (132, 100),
    (133, 99),
    (134, 38),
    (135, 76),
    (136, 115),
    (259, 170),
];

#[test]
fn truncated_and_unknown_messages_close_the_connection() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    let id = peer.channel_id();
    for (number, length) in LENGTHS {
        for cut in [2, 20, 34, length - 1] {
            let mut message = channel_message(*number, id, *length);
            message.truncate(cut);
            must_be_closed(&mut peer, node, &message);
        }
    }
    for number in [108, 142, 30_000, 40_000] {
        must_be_closed(&mut peer, node, &channel_message(number, id, 60));
    }
    peer.must_pay(node);
    must_answer(&pair, "still");
}

/// The node says why, closes the connection, and keeps the channel.
fn must_be_closed(peer: &mut Living, node: &TestNode, message: &[u8]) {
    let number = u16::from_be_bytes([message[0], message[1]]);
    let mark = node.log().end();
    peer.peer.wire.send(message);
    let mut complaints = Vec::new();
    while let Some(heard) = peer.hear() {
        match heard {
            PeerMessage::Warning(warning) => complaints.push(warning.text()),
            PeerMessage::Error(error) => panic!("{number}: error {}", error.text()),
            _ => {}
        }
    }
    assert!(!complaints.is_empty(), "{number} of {}", message.len());
    node.wait_log_after(mark, &complaints[0]);
    peer.reconnect(node);
}

#[test]
fn a_wrong_secret_sends_the_channel_to_the_chain() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    let mut other = Living::open(&pair.net, node, 3);
    // The node commits to an HTLC; its peer revokes with a secret of another commitment.
    peer.offer(node, 20_000_000);
    loop {
        if let Some(PeerMessage::CommitmentSigned(_)) = peer.hear() {
            break;
        }
    }
    let mark = node.log().end();
    let mut wrong = revocation(&peer, 0);
    wrong.per_commitment_secret = revocation(&peer, 5).per_commitment_secret;
    peer.peer.say(wrong);
    match peer.hear() {
        Some(PeerMessage::Error(error)) => {
            assert_eq!(error.channel_id, peer.channel_id());
            assert!(
                error.text().contains("does not generate"),
                "{}",
                error.text()
            );
        }
        message => panic!("{message:?} in place of an error"),
    }
    node.wait_log_after(mark, "does not generate");
    peer.must_go_on_chain(&pair.net, node);
    // Another says that it fails its channel.
    let id = other.channel_id();
    other
        .peer
        .say(ErrorMessage::new(id, "no more \n\u{1b}[31m of this"));
    other.must_go_on_chain(&pair.net, node);
    must_answer(&pair, "still");
    pair.net.mine(1, &[node]);
    for failed in [&peer, &other] {
        node.wait_for("a channel on chain", || {
            (failed.state(node) == "ONCHAIN").then_some(())
        });
    }
    must_answer(&pair, "later");
}
