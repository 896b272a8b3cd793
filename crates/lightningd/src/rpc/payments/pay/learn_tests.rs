use ln_codec::Encode as _;
use ln_gossip::samples::{self, SampleChannel, SampleNode, amount, bytes};
use ln_gossip::{Graph, NodeKey};
use ln_route::{MAX_HOPS, Network, NoRoute, Query, Risk, find};
use ln_types::{Msat, ShortChannelId};

use super::*;

/// 1 - 2 - 4 for less than 1 - 3 - 4: the channels are named after their ends.
const CHANNELS: [(u8, u8); 4] = [(1, 2), (2, 4), (1, 3), (3, 4)];

fn channel(a: u8, b: u8) -> SampleChannel {
    let scid = ShortChannelId::new(100, u32::from(a * 10 + b), 0).unwrap();
    SampleChannel::new(scid, SampleNode(a), SampleNode(b))
}

fn node(number: u8) -> NodeKey {
    SampleNode(number).id().into()
}

fn graph() -> Graph {
    let messages = CHANNELS.map(|(a, b)| {
        let channel = channel(a, b);
        let update = |direction| {
            let update = channel.update_with(direction, 5, |update| {
                update.fee_base_msat = u32::from(a) * 100;
            });
            bytes(update)
        };
        let (one, two) = (update(0), update(1));
        [channel.announcement(), amount(1_000_000), one, two]
    });
    samples::graph(&messages.concat())
}

/// The way from 1 to 4.
fn way(known: &Knowledge, amount: u64) -> Result<Route, NoRoute> {
    let query = Query {
        destination: node(4),
        amount: Msat::from_msat(amount),
        final_delay: 9,
        max_fee: Msat::MAX,
        max_delay: 2016,
        max_hops: MAX_HOPS,
        risk: Risk::percent_per_year(10.0),
    };
    find(&Network::new(&graph(), node(1)), known, &query)
}

/// The node in the middle of the way.
fn over(known: &Knowledge, amount: u64) -> u8 {
    let route = way(known, amount).unwrap();
    let middle = route.hops[0].node;
    (2..4).find(|number| node(*number) == middle).unwrap()
}

fn failure(index: u32, message: &FailureMessage) -> PaymentFailure {
    PaymentFailure {
        onion_reply: None,
        destination_permanent: index == 2 && message.code().has(FailureCode::PERM),
        erring_index: Some(index),
        code: Some(message.code().0),
        erring_node: None,
        erring_channel: None,
        erring_direction: None,
        message: Some(message.to_bytes()),
        detail: "reply from remote".to_owned(),
    }
}

/// What is known after a part of 100 000 msat by the cheaper way failed, and whether it was worth something.
fn after(failure: &PaymentFailure) -> (Knowledge, bool) {
    let mut known = Knowledge::default();
    let route = way(&known, 100_000).unwrap();
    assert_eq!(route.hops[0].node, node(2));
    known.take(route.beyond_the_first());
    let news = learn(&mut known, &route, failure);
    known.give_back(route.beyond_the_first());
    (known, news)
}

/// An update of the channel from 2 to 4 with this base fee.
fn update(fee_base_msat: u32) -> ChannelUpdate {
    let direction = u8::from(node(2) > node(4));
    channel(2, 4).update_with(direction, 6, |update| update.fee_base_msat = fee_base_msat)
}

fn fee_insufficient(update: ChannelUpdate) -> FailureMessage {
    FailureMessage::FeeInsufficient {
        htlc_msat: Msat::from_msat(1),
        channel_update: bytes(update),
    }
}

#[test]
fn a_channel_without_room_may_have_room_for_less() {
    let full = FailureMessage::TemporaryChannelFailure {
        channel_update: Vec::new(),
    };
    let (known, news) = after(&failure(1, &full));
    assert!(news);
    assert_eq!((over(&known, 100_000), over(&known, 10_000)), (3, 2));
    // Ours is asked anew each time.
    let (known, news) = after(&failure(0, &full));
    assert!(!news);
    assert_eq!(over(&known, 100_000), 2);
}

#[test]
fn what_is_wrong_with_a_channel_or_a_node_lasts() {
    let (known, news) = after(&failure(1, &FailureMessage::UnknownNextPeer {}));
    assert!(news);
    assert_eq!(over(&known, 1), 3);
    let (known, news) = after(&failure(1, &FailureMessage::TemporaryNodeFailure {}));
    assert!(news);
    assert_eq!(over(&known, 1), 3);
    let (known, news) = after(&failure(0, &FailureMessage::PermanentChannelFailure {}));
    assert!(news);
    assert_eq!(over(&known, 1), 3);
}

#[test]
fn a_peer_that_can_not_read_its_onion_is_gone_around() {
    let unreadable = FailureMessage::InvalidOnionHmac {
        sha256_of_onion: [0; 32],
    };
    let mut by_peer = failure(1, &unreadable);
    by_peer.erring_channel = Some(channel(1, 2).scid);
    let (known, news) = after(&by_peer);
    assert!(news);
    assert_eq!(over(&known, 1), 3);
}

#[test]
fn new_terms_count_if_the_right_node_signed_them() {
    let (known, news) = after(&failure(1, &fee_insufficient(update(201))));
    assert!(news);
    assert_eq!(over(&known, 100_000), 2);
    assert_eq!(
        way(&known, 100_000).unwrap().fee(),
        Msat::from_msat(201 + 1)
    );
    let (known, news) = after(&failure(1, &fee_insufficient(update(900))));
    assert!(news);
    assert_eq!(over(&known, 100_000), 3);
    // Of another channel, in the other direction, with a signature over something else, or cut off.
    let direction = u8::from(node(2) > node(4));
    let mut forged = update(201);
    forged.fee_base_msat = 0;
    let wrong = [
        channel(3, 4).update_with(0, 6, |_| ()),
        channel(2, 4).update_with(direction ^ 1, 6, |_| ()),
        forged,
    ];
    for wrong in wrong.map(fee_insufficient) {
        let (known, news) = after(&failure(1, &wrong));
        assert!(news);
        assert_eq!(over(&known, 100_000), 3);
    }
    let mut cut_off = failure(1, &fee_insufficient(update(201)));
    cut_off.message.as_mut().unwrap().truncate(60);
    assert_eq!(over(&after(&cut_off).0, 100_000), 3);
}

#[test]
fn the_payees_word_is_the_last_unless_it_complains_of_the_way() {
    let refused = FailureMessage::IncorrectOrUnknownPaymentDetails {
        htlc_msat: Msat::from_msat(100_000),
        height: ln_types::BlockHeight(1),
    };
    let (known, news) = after(&failure(2, &refused));
    assert!(!news);
    assert_eq!(over(&known, 100_000), 2);
    let (_, news) = after(&failure(2, &FailureMessage::MppTimeout {}));
    assert!(!news);
    let wrong = FailureMessage::FinalIncorrectHtlcAmount {
        incoming_htlc_amt: Msat::from_msat(1),
    };
    let (known, news) = after(&failure(2, &wrong));
    assert!(news);
    assert_eq!(over(&known, 100_000), 3);
}

#[test]
fn an_answer_that_nobody_can_read_speaks_against_the_way() {
    let mut garbage = failure(0, &FailureMessage::UnknownNextPeer {});
    garbage.code = None;
    garbage.erring_index = None;
    garbage.message = None;
    let (known, news) = after(&garbage);
    assert!(news);
    assert_eq!(over(&known, 100_000), 3);
    // Straight to the payee there is no other.
    let mut known = Knowledge::default();
    let mut route = way(&known, 100_000).unwrap();
    route.hops.truncate(1);
    assert!(!learn(&mut known, &route, &garbage));
}
