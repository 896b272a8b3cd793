//! Openings that must come to nothing.

use bitcoin::{OutPoint, ScriptBuf};
use ln_testkit::nodes::{TestNet, TestNode};
use ln_types::{ChannelId, Feerate, Msat, Sat};
use ln_wire::{ChannelReady, OpenChannel, PeerMessage};
use serde_json::json;

use super::peer::{Hostile, channels_with, nowhere, pay_script};
use crate::support::Pair;

/// The node has no helper for openings left.
fn wait_no_openingd(node: &TestNode) {
    node.wait_for("no openingd", || {
        node.helper("openingd").is_none().then_some(())
    });
}

#[test]
fn a_funding_transaction_that_pays_something_else_opens_nothing() {
    let net = TestNet::start();
    let node = net.node("l1");
    // To another script, too little, and an output that is not there.
    let mut peer = Hostile::connect(&node, 2);
    let accepted = peer.propose(1);
    let elsewhere = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_raw_hash(
        bitcoin::hashes::Hash::all_zeros(),
    ));
    let other_script = pay_script(&net, &elsewhere, "0.01");
    peer.open_on(accepted, other_script);
    let accepted = peer.propose(2);
    let too_little = pay_script(&net, &accepted.funding_script(), "0.00999999");
    peer.open_on(accepted, too_little);
    let accepted = peer.propose(3);
    let real = pay_script(&net, &accepted.funding_script(), "0.01");
    peer.open_on(accepted, OutPoint { vout: 9, ..real });
    net.mine(1, &[&node]);
    for _ in 0..3 {
        let complaint = peer.hear_complaint();
        assert!(complaint.contains("does not pay"), "{complaint}");
    }
    node.wait_for("no channel", || {
        channels_with(&node, &peer.id()).is_empty().then_some(())
    });
    node.restart();
    assert!(channels_with(&node, &peer.id()).is_empty());
}

#[test]
fn a_funding_transaction_that_pays_makes_a_channel() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut peer = Hostile::connect(&node, 2);
    let accepted = peer.propose(1);
    let funding = pay_script(&net, &accepted.funding_script(), "0.01");
    let state = peer.open_on(accepted, funding);
    net.mine(1, &[&node]);
    let Some(PeerMessage::ChannelReady(_)) = peer.hear() else {
        panic!("no channel_ready");
    };
    peer.say(ChannelReady {
        channel_id: state.params.channel_id,
        second_per_commitment_point: peer.point(1),
        tlvs: ln_wire::ChannelReadyTlvs::default(),
    });
    node.wait_for("the channel", || {
        let channels = channels_with(&node, &peer.id());
        (channels.first()?["state"] == "CHANNELD_NORMAL").then_some(())
    });
}

#[test]
fn a_funding_outpoint_is_used_once() {
    let pair = Pair::start();
    let before = pair.wait_quiet();
    let node = &pair.l1;
    let taken = OutPoint {
        txid: pair.open.funding_txid.parse().unwrap(),
        vout: u32::try_from(pair.open.funding_outnum).unwrap(),
    };
    // That of a channel with somebody else.
    let mut peer = Hostile::connect(node, 2);
    let accepted = peer.propose(1);
    let (_, created) = peer.funding_created(accepted, taken);
    peer.say(created);
    let complaint = peer.hear_complaint();
    assert!(complaint.contains("already"), "{complaint}");
    // Its own, twice, on two connections.
    let accepted = peer.propose(2);
    peer.open_on(accepted, nowhere(7));
    let mut second = Hostile::connect(node, 3);
    let accepted = second.propose(2);
    let (_, created) = second.funding_created(accepted, nowhere(7));
    second.say(created);
    let complaint = second.hear_complaint();
    assert!(complaint.contains("already"), "{complaint}");
    wait_no_openingd(node);
    assert_eq!(channels_with(node, &peer.id()).len(), 1);
    assert!(channels_with(node, &second.id()).is_empty());
    pair.pay(10_000_000, "still");
    assert_eq!(
        pair.wait_quiet(),
        (before.0 - 10_000_000, before.1 + 10_000_000)
    );
}

#[test]
fn a_peer_opens_one_channel_at_a_time() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut peer = Hostile::connect(&node, 2);
    let accepted = peer.propose(1);
    let (_, second) = peer.proposal(2);
    peer.say(second);
    match peer.hear() {
        Some(PeerMessage::Error(error)) => {
            assert_eq!(error.channel_id, ChannelId([2; 32]));
            assert!(error.text().contains("simultaneous"), "{}", error.text());
        }
        other => panic!("{other:?} in place of an error"),
    }
    // Neither do we open one to it meanwhile.
    net.fund(&node, Sat::from_sat(1_000_000));
    let refused = node.call_err("fundchannel_start", json!([peer.id(), 100_000]));
    assert_eq!(refused.0, -1, "{}", refused.1);
    // The first is not disturbed.
    peer.open_on(accepted, nowhere(7));
    let accepted = peer.propose(3);
    peer.open_on(accepted, nowhere(8));
    assert_eq!(channels_with(&node, &peer.id()).len(), 2);
}

#[test]
fn unfunded_channels_have_a_bound() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut peer = Hostile::connect(&node, 2);
    let mut opened = 0_u8;
    let complaint = loop {
        let (proposed, open) = peer.proposal(opened + 1);
        peer.say(open);
        match peer.hear().unwrap() {
            PeerMessage::AcceptChannel(accept) => {
                let accepted = peer.accepted(proposed, &accept);
                peer.open_on(accepted, nowhere(opened + 1));
                opened += 1;
                assert!(opened < 100, "no bound");
            }
            PeerMessage::Error(error) => break error.text(),
            other => panic!("{other:?}"),
        }
    };
    assert!(complaint.contains("unconfirmed"), "{complaint}");
    // Others may.
    let mut other = Hostile::connect(&node, 3);
    other.propose(1);
}

type Edit = fn(&mut OpenChannel);

/// What no `open_channel` may say.
const IMPOSSIBLE: &[(&str, Edit)] = &[
    ("chain", |open| open.chain_hash = [7; 32]),
    ("no funding", |open| open.funding_satoshis = Sat::ZERO),
    ("a satoshi", |open| open.funding_satoshis = Sat::from_sat(1)),
    ("more than there is", |open| {
        open.funding_satoshis = Sat::from_sat(2_100_000_000_000_001);
    }),
    ("all ones", |open| {
        open.funding_satoshis = Sat::from_sat(u64::MAX)
    }),
    ("push beyond funding", |open| {
        open.push_msat = Msat::from_msat(1_000_000_001);
    }),
    ("push of all ones", |open| open.push_msat = Msat::MAX),
    ("push of all", |open| {
        open.push_msat = Msat::from_msat(1_000_000_000)
    }),
    ("dust of nothing", |open| {
        open.dust_limit_satoshis = Sat::ZERO
    }),
    ("dust 353", |open| {
        open.dust_limit_satoshis = Sat::from_sat(353)
    }),
    ("dust of all ones", |open| {
        open.dust_limit_satoshis = Sat::from_sat(u64::MAX)
    }),
    ("no reserve", |open| {
        open.channel_reserve_satoshis = Sat::ZERO
    }),
    ("reserve of all", |open| {
        open.channel_reserve_satoshis = Sat::from_sat(1_000_000)
    }),
    ("reserve of all ones", |open| {
        open.channel_reserve_satoshis = Sat::from_sat(u64::MAX);
    }),
    ("nothing in flight", |open| {
        open.max_htlc_value_in_flight_msat = Msat::ZERO;
    }),
    ("minimum of all ones", |open| {
        open.htlc_minimum_msat = Msat::MAX
    }),
    ("a delay of a year", |open| open.to_self_delay = u16::MAX),
    ("no HTLCs", |open| open.max_accepted_htlcs = 0),
    ("484 HTLCs", |open| open.max_accepted_htlcs = 484),
    ("a feerate nobody pays", |open| {
        open.feerate_per_kw = Feerate::from_perkw(u32::MAX)
    }),
    ("no type", |open| open.tlvs.channel_type = None),
    ("an empty type", |open| {
        open.tlvs.channel_type = Some(ln_types::Features::new());
    }),
    ("an unknown type", |open| {
        open.tlvs.channel_type = Some([12, 22, 100].into_iter().collect());
    }),
    ("a huge type", |open| {
        open.tlvs.channel_type = Some([12, 22, 60_000].into_iter().collect());
    }),
    ("an odd script", |open| {
        open.tlvs.upfront_shutdown_script = Some(ScriptBuf::from_bytes(vec![0x6a; 500]));
    }),
    ("a temporary id that names all", |open| {
        open.temporary_channel_id = ChannelId::ALL
    }),
];

#[test]
fn impossible_proposals_are_refused() {
    let pair = Pair::start();
    let node = &pair.l1;
    let mut peer = Hostile::connect(node, 2);
    for ((what, edit), temporary) in IMPOSSIBLE.iter().zip(1..) {
        let (_, mut open) = peer.proposal(temporary);
        edit(&mut open);
        peer.say(open);
        match peer.hear() {
            Some(PeerMessage::Error(_) | PeerMessage::Warning(_)) => {}
            None => peer = Hostile::connect(node, 2),
            other => panic!("{what}: {other:?}"),
        }
    }
    // A good one is still taken.
    Hostile::connect(node, 3).propose(1);
    wait_no_openingd(node);
    pair.pay(1_000_000, "still");
}

#[test]
fn impossible_fundings_are_refused() {
    let net = TestNet::start();
    let node = net.node("l1");
    let mut peer = Hostile::connect(&node, 2);
    let edits: [fn(&mut ln_wire::FundingCreated); 4] = [
        |created| created.funding_txid = bitcoin::hashes::Hash::all_zeros(),
        |created| created.funding_output_index ^= 1,
        |created| created.signature = high_s(created.signature),
        |created| created.temporary_channel_id = ChannelId([77; 32]),
    ];
    for (edit, temporary) in edits.into_iter().zip(1..) {
        let accepted = peer.propose(temporary);
        let (_, mut created) = peer.funding_created(accepted, nowhere(5));
        edit(&mut created);
        let named = created.temporary_channel_id == ChannelId([temporary; 32]);
        peer.say(created);
        let complaint = peer.hear_complaint();
        assert!(!complaint.is_empty());
        if !named {
            // Nobody served that id: the opening goes on until its peer is gone.
            drop(peer);
            wait_no_openingd(&node);
            peer = Hostile::connect(&node, 2);
        }
    }
    assert!(channels_with(&node, &peer.id()).is_empty());
    wait_no_openingd(&node);
}

/// The other signature of the same message, which nobody relays.
fn high_s(signature: bitcoin::secp256k1::ecdsa::Signature) -> bitcoin::secp256k1::ecdsa::Signature {
    use bitcoin::secp256k1::SecretKey;
    let mut bytes = signature.serialize_compact();
    let s = SecretKey::from_slice(&bytes[32..]).unwrap();
    // -s, by way of the key that is its negative.
    let negated = s.negate();
    bytes[32..].copy_from_slice(&negated.secret_bytes());
    bitcoin::secp256k1::ecdsa::Signature::from_compact(&bytes).unwrap()
}
