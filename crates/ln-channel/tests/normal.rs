//! Normal operation on two nodes in memory.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

mod support;

use ln_channel::{Action, Event, HtlcState, Notice};
use ln_types::{Feerate, HtlcId, Msat, Side};
use support::{Pair, preimage};

#[test]
fn a_channel_gets_ready_when_its_funding_is_deep() {
    let mut pair = Pair::opened(&support::Setup::default());
    pair.confirm(2);
    pair.settle();
    assert!(!pair.nodes[0].state().ready.local);
    pair.confirm(3);
    pair.settle();
    for node in &pair.nodes {
        assert!(node.state().ready.local && node.state().ready.remote);
        assert!(node.notices.contains(&Notice::Ready));
        assert!(node.state().remote_alias.is_some());
    }
    pair.check_agreement();
}

#[test]
fn records_beside_the_onion_reach_whoever_decides() {
    let mut pair = Pair::normal();
    let records = vec![0xfe, 0, 1, 0, 1, 2, 0xab, 0xcd];
    let offer = |pair: &mut Pair, records: &[u8], number| {
        let mut offer = pair.make_offer(0, 100_000_000, number);
        offer.extra_tlvs = records.to_vec();
        pair.step(0, Event::OfferHtlc(offer)).unwrap();
    };
    let told = |pair: &Pair| -> Vec<Vec<u8>> {
        let notices = pair.nodes[1].notices.iter();
        let received = notices.filter_map(|notice| match notice {
            Notice::Received(htlc) => Some(htlc.extra_tlvs.clone()),
            _ => None,
        });
        received.collect()
    };
    // Lost on the way and sent again: the state kept them.
    offer(&mut pair, &records, 1);
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    assert_eq!(told(&pair), [records]);
    // They are kept no longer than the onion.
    let htlcs = &pair.nodes[1].state().commitments.htlcs;
    let htlc = htlcs.get(Side::Remote, HtlcId(0)).unwrap();
    assert!(htlc.onion.is_none() && htlc.extra_tlvs.is_empty());
    // More than anybody needs is not kept at all.
    let mut many = vec![0xfe, 0, 1, 0, 1, 0xfd, 0x10, 0];
    many.resize(many.len() + 0x1000, 7);
    assert!(many.len() > ln_channel::MAX_EXTRA_TLVS);
    offer(&mut pair, &many, 2);
    pair.settle();
    assert_eq!(told(&pair).last().unwrap(), &[]);
    pair.check_agreement();
}

#[test]
fn a_payment_moves_the_balance() {
    let mut pair = Pair::normal();
    assert_eq!(pair.balances(0), (600_000_000, 400_000_000));
    pair.offer(0, 100_000_000, 1).unwrap();
    pair.settle();
    let htlc = pair.nodes[1]
        .state()
        .commitments
        .htlcs
        .get(Side::Remote, HtlcId(0))
        .unwrap()
        .clone();
    assert_eq!(htlc.state, HtlcState::RcvdAddAckRevocation);
    let received = pair.nodes[1]
        .notices
        .iter()
        .find_map(|notice| match notice {
            Notice::Received(htlc) => Some(htlc.clone()),
            _ => None,
        });
    let received = received.unwrap();
    assert_eq!(received.amount, Msat::from_msat(100_000_000));
    assert_eq!(received.onion.unwrap().0[0], 1);
    assert!(pair.nodes[0].notices.contains(&Notice::Offered {
        id: HtlcId(0),
        request: 1
    }));
    pair.check_agreement();
    pair.fulfill(1, 0, 1);
    pair.settle();
    assert!(pair.nodes[0].notices.contains(&Notice::Fulfilled {
        id: HtlcId(0),
        preimage: preimage(1),
        attribution_data: None
    }));
    let removed = Notice::OfferedRemoved(HtlcId(0));
    assert!(pair.nodes[0].notices.contains(&removed));
    assert!(
        pair.nodes[1]
            .notices
            .contains(&Notice::ReceivedRemoved(HtlcId(0)))
    );
    assert_eq!(pair.balances(0), (500_000_000, 500_000_000));
    pair.check_agreement();
}

#[test]
fn a_failed_payment_comes_back() {
    let mut pair = Pair::normal();
    pair.offer(1, 50_000_000, 1).unwrap();
    pair.settle();
    pair.fail(0, 0);
    pair.settle();
    assert!(pair.nodes[1].notices.contains(&Notice::Failed {
        id: HtlcId(0),
        reason: vec![3; 292],
        attribution_data: None
    }));
    assert_eq!(pair.balances(0), (600_000_000, 400_000_000));
    pair.check_agreement();
}

#[test]
fn payments_gather_while_a_revocation_is_awaited() {
    let mut pair = Pair::normal();
    for number in 0..20 {
        pair.offer(0, 1_000_000, number).unwrap();
    }
    // One commitment for the first, none yet for the other nineteen.
    let commits = |pair: &Pair| {
        pair.wires[1]
            .iter()
            .filter(|message| matches!(message, ln_wire::PeerMessage::CommitmentSigned(_)))
            .count()
    };
    assert_eq!(commits(&pair), 1);
    pair.settle();
    // The first, the other nineteen, and one acknowledgement of the peer's commitment.
    assert!(pair.nodes[0].state().commitments.remote_number.0 <= 3);
    for id in 0..20 {
        pair.fulfill(1, id, id);
    }
    pair.settle();
    assert_eq!(pair.balances(0), (580_000_000, 420_000_000));
    assert!(pair.nodes[0].state().commitments.htlcs.is_empty());
    pair.check_agreement();
}

#[test]
fn the_opener_follows_the_feerate_it_wants() {
    let mut pair = Pair::normal();
    pair.nodes[0].feerates.desired = Feerate::from_perkw(3000);
    pair.step(0, Event::Feerates).unwrap();
    pair.settle();
    for node in &pair.nodes {
        assert_eq!(node.state().feerate(), Feerate::from_perkw(3000));
    }
    pair.check_agreement();
}

#[test]
fn a_deep_channel_is_announced() {
    let mut pair = Pair::normal();
    pair.confirm(6);
    pair.settle();
    let announced = |pair: &Pair, index: usize| {
        pair.nodes[index]
            .others
            .iter()
            .find_map(|other| match other {
                Action::Announce { announcement, .. } => Some(announcement.clone()),
                _ => None,
            })
    };
    let one = announced(&pair, 0).unwrap();
    assert_eq!(Some(&one), announced(&pair, 1).as_ref());
    let digest = one.signed_digest();
    for (signature, key) in [
        (one.node_signature_1, one.node_id_1.public_key()),
        (one.node_signature_2, one.node_id_2.public_key()),
        (one.bitcoin_signature_1, one.bitcoin_key_1),
        (one.bitcoin_signature_2, one.bitcoin_key_2),
    ] {
        ln_keys::secp()
            .verify_ecdsa(&digest, &signature, &key)
            .unwrap();
    }
    // Not again on the next connection, unless the peer asks by sending its own.
    pair.disconnect();
    pair.reconnect();
    pair.settle();
    assert_eq!(pair.nodes[0].others.len(), 1);
}
