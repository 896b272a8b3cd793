//! Closing with a peer that breaks its rules.

use ln_channel::{Action, Closing, ClosingAction, ClosingFeerates, Event};
use ln_testkit::nodes::TestNode;
use ln_testkit::peer::channel_message;
use ln_types::{Feerate, HtlcId, Sat};
use ln_wire::{ClosingSigned, FeeRange, PeerMessage, UpdateFulfillHtlc};

use super::living::{Living, bytes, must_answer, preimage, shutdown};
use crate::support::Pair;

/// A script that may stand in `shutdown`.
fn script(byte: u8) -> Vec<u8> {
    let mut script = vec![0, 20];
    script.extend([byte; 20]);
    script
}

/// Both sides have said `shutdown` on this connection, and the node negotiates.
fn shut_down(peer: &mut Living, node: &TestNode) {
    let complete = |living: &Living| living.done.contains(&Action::ShutdownComplete);
    peer.follow("shutdown on both sides", complete);
    node.wait_for("the negotiation", || {
        (peer.state(node) == "CLOSINGD_SIGEXCHANGE").then_some(())
    });
}

/// The peer's proper proposal, as opener.
fn proposal(peer: &Living) -> ClosingSigned {
    let feerate = Feerate::from_perkw(1000);
    let feerates = ClosingFeerates {
        preferred: feerate,
        min: Feerate::from_perkw(253),
        max: None,
    };
    let mut closing = Closing::new(peer.machine.state().clone(), &feerates).unwrap();
    match closing.start(&peer.peer.signer).unwrap().pop() {
        Some(ClosingAction::Send(message)) => message,
        other => panic!("{other:?}"),
    }
}

/// It is warned, and shuts down again where it is connected anew.
fn must_be_warned(peer: &mut Living, node: &TestNode, what: &str, message: &[u8], words: &str) {
    peer.done.clear();
    peer.must_be_warned(node, what, &[message.to_vec()], words);
    shut_down(peer, node);
}

type Edit = fn(&mut ClosingSigned);

/// What no proposal may say, each with a part of the answer.
const IMPOSSIBLE: &[(&str, Edit, &str)] = &[
    (
        "fee of nothing",
        |closing| closing.fee_satoshis = Sat::ZERO,
        "closing",
    ),
    (
        "fee of all ones",
        |closing| closing.fee_satoshis = Sat::from_sat(u64::MAX),
        "closing",
    ),
    (
        "another fee",
        |closing| closing.fee_satoshis = Sat::from_sat(999),
        "signature of the closing",
    ),
    (
        "fee beyond funds",
        |closing| closing.fee_satoshis = Sat::from_sat(1_000_000),
        "closing",
    ),
    (
        "a range that ends before it starts",
        |closing| {
            closing.tlvs.fee_range = Some(FeeRange {
                min_fee_satoshis: Sat::from_sat(u64::MAX),
                max_fee_satoshis: Sat::ZERO,
            });
        },
        "fee range",
    ),
];

#[test]
fn a_close_that_is_disturbed_comes_to_its_end() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    let id = peer.channel_id();
    // No other script after the first, and the first twice only after a connection.
    let ours = bitcoin::ScriptBuf::from_bytes(script(5));
    peer.step(Event::Shutdown { script: ours });
    shut_down(&mut peer, node);
    let good = proposal(&peer);
    for (what, edit, words) in IMPOSSIBLE.iter().copied() {
        let mut bad = good.clone();
        edit(&mut bad);
        must_be_warned(&mut peer, node, what, &bytes(bad), words);
    }
    let claim = UpdateFulfillHtlc {
        channel_id: id,
        id: HtlcId(0),
        payment_preimage: preimage(1),
        tlvs: ln_wire::UpdateFulfillHtlcTlvs::default(),
    };
    must_be_warned(&mut peer, node, "a claim", &bytes(claim), "");
    must_be_warned(
        &mut peer,
        node,
        "half a proposal",
        &bytes(good.clone())[..50],
        "",
    );
    must_be_warned(
        &mut peer,
        node,
        "unknown even",
        &channel_message(108, id, 40),
        "",
    );
    // Ignored.
    peer.peer.wire.send(&channel_message(109, id, 40));
    must_answer(&pair, "still");
    // What the two agree on is broadcast, and pays the node what it has.
    peer.peer.say(good);
    while let Some(message) = peer.hear() {
        if matches!(message, PeerMessage::ClosingSigned(_)) {
            break;
        }
    }
    peer.must_go_on_chain(&pair.net, node);
    assert_eq!(peer.state(node), "CLOSINGD_COMPLETE");
    pair.net.mine(1, &[node]);
    must_answer(&pair, "later");
}

#[test]
fn shutdown_is_kept_to() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Living::open(&pair.net, node, 2);
    let id = peer.channel_id();
    let mut other = Living::open(&pair.net, node, 3);
    // An HTLC keeps the channel from closing; meanwhile the script stays.
    let htlc = peer.take_htlc(node, 20_000_000);
    let ours = bitcoin::ScriptBuf::from_bytes(script(5));
    peer.step(Event::Shutdown { script: ours });
    node.wait_for("shutdown", || {
        (peer.state(node) == "CHANNELD_SHUTTING_DOWN").then_some(())
    });
    let same = shutdown(id, &script(5));
    peer.must_be_warned(
        node,
        "another script",
        &[shutdown(id, &script(6))],
        "shutdown",
    );
    peer.must_be_warned(node, "the same again", &[same], "shutdown");
    peer.fulfill(node, htlc);
    if !peer.done.contains(&Action::ShutdownComplete) {
        shut_down(&mut peer, node);
    }
    // Nobody else minds.
    other.must_pay(node);
    must_answer(&pair, "still");
    let good = proposal(&peer);
    peer.peer.say(good);
    peer.must_go_on_chain(&pair.net, node);
}
