use std::collections::HashSet;

use ln_gossip::Graph;
use ln_types::CltvDelta;
use ln_wire::ChannelUpdate;
use proptest::prelude::*;

use super::*;
use crate::edge::Terms;
use crate::network::{FirstHop, Hint};
use crate::town::{Town, direction, msat, node, scid};

fn query(to: u8, amount: u64) -> Query {
    Query {
        destination: node(to),
        amount: msat(amount),
        final_delay: 9,
        max_fee: Msat::MAX,
        max_delay: 2016,
        max_hops: MAX_HOPS,
        risk: Risk::percent_per_year(10.0),
    }
}

/// The channels of a way from node 1.
fn way(graph: &Graph, known: &Knowledge, query: &Query) -> Result<Vec<u32>, NoRoute> {
    let route = find(&Network::new(graph, node(1)), known, query)?;
    let channels = route.hops.iter();
    Ok(channels.map(|hop| hop.channel.scid.transaction()).collect())
}

/// 1 - 2 - 4 and 1 - 3 - 4, the latter dearer.
fn diamond() -> Town {
    let dear = |update: &mut ChannelUpdate| update.fee_base_msat = 5000;
    Town::new()
        .channel(1, 1, 2)
        .channel(2, 2, 4)
        .channel_with(3, 1, 3, 1_000_000, dear)
        .channel_with(4, 3, 4, 1_000_000, dear)
}

#[test]
fn fees_and_delays_add_up_from_the_end() {
    let graph = Town::new()
        .channel(1, 1, 2)
        .channel_with(2, 2, 3, 1_000_000, |update| {
            update.fee_base_msat = 7;
            update.fee_proportional_millionths = 100_000;
            update.cltv_expiry_delta = CltvDelta(40);
        })
        .channel_with(3, 3, 4, 1_000_000, |update| {
            update.fee_proportional_millionths = 10_000;
        })
        .graph();
    let network = Network::new(&graph, node(1));
    let route = find(&network, &Knowledge::default(), &query(4, 1_000_000)).unwrap();
    let hop = |channel, from, to, amount, delay| Hop {
        channel: direction(channel, from, to),
        node: node(to),
        amount: msat(amount),
        delay,
    };
    // 10 000 + 1000 for the last channel, 101 100 + 7 for the one before; the first is the payer's own.
    let hops = vec![
        hop(1, 1, 2, 1_112_107, 55),
        hop(2, 2, 3, 1_011_000, 15),
        hop(3, 3, 4, 1_000_000, 9),
    ];
    assert_eq!(route.hops, hops);
    assert_eq!((route.fee(), route.delay()), (msat(112_107), 55));
    assert_eq!(
        (route.amount(), route.sent()),
        (msat(1_000_000), msat(1_112_107))
    );
    // The same way from the middle.
    let middle = find(
        &Network::new(&graph, node(2)),
        &Knowledge::default(),
        &query(4, 1_000_000),
    );
    assert_eq!(middle.unwrap().sent(), msat(1_011_000));
}

#[test]
fn the_cheapest_way_is_taken_unless_it_is_to_be_avoided() {
    let graph = diamond().graph();
    let mut known = Knowledge::default();
    let query = query(4, 1_000_000);
    assert_eq!(way(&graph, &known, &query), Ok(vec![1, 2]));
    known.avoid_channel(direction(2, 4, 2));
    assert_eq!(way(&graph, &known, &query), Ok(vec![1, 2]));
    known.avoid_channel(direction(2, 2, 4));
    assert_eq!(way(&graph, &known, &query), Ok(vec![3, 4]));
    known.avoid_node(node(3));
    let refused = way(&graph, &known, &query);
    assert_eq!(refused, Err(NoRoute::Apart(node(4))));
}

#[test]
fn what_was_refused_is_not_tried_again() {
    let graph = diamond().graph();
    let network = Network::new(&graph, node(1));
    let mut known = Knowledge::default();
    let route = find(&network, &known, &query(4, 500_000)).unwrap();
    known.take(&route.hops);
    known.refused(direction(2, 2, 4));
    known.give_back(&route.hops);
    assert_eq!(way(&graph, &known, &query(4, 500_000)), Ok(vec![3, 4]));
    assert_eq!(way(&graph, &known, &query(4, 100_000)), Ok(vec![1, 2]));
    known.avoid_node(node(3));
    assert_eq!(way(&graph, &known, &query(4, 499_999)), Ok(vec![1, 2]));
    let amount = msat(500_000);
    let refused = way(&graph, &known, &query(4, 500_000));
    assert_eq!(refused, Err(NoRoute::Amount { amount }));
    // What another part takes of it is gone.
    let other = find(&network, &known, &query(4, 100_000)).unwrap();
    known.take(other.beyond_the_first());
    assert_eq!(way(&graph, &known, &query(4, 399_999)), Ok(vec![1, 2]));
    assert!(way(&graph, &known, &query(4, 400_000)).is_err());
}

#[test]
fn newer_terms_count() {
    let graph = diamond().graph();
    let mut known = Knowledge::default();
    let policy = *graph.channel(scid(2)).unwrap().policy(0).unwrap();
    let dearer = Terms {
        fee_base_msat: 9000,
        ..Terms::from(&policy)
    };
    assert!(known.told(direction(2, 2, 4), dearer));
    assert!(!known.told(direction(2, 2, 4), dearer));
    assert_eq!(way(&graph, &known, &query(4, 1_000_000)), Ok(vec![3, 4]));
    let closed = Terms {
        is_enabled: false,
        ..dearer
    };
    known.told(direction(4, 3, 4), closed);
    assert_eq!(way(&graph, &known, &query(4, 1_000_000)), Ok(vec![1, 2]));
    // Whoever tells something else each time is believed, but not for ever worth an attempt.
    let news = (10..20).map(|fee_base_msat| {
        let terms = Terms {
            fee_base_msat,
            ..dearer
        };
        known.told(direction(2, 2, 4), terms)
    });
    assert_eq!(news.filter(|news| *news).count(), 1);
}

#[test]
fn limits_are_kept_and_their_breach_is_told() {
    let graph = diamond().graph();
    let known = Knowledge::default();
    let with = |change: fn(&mut Query)| {
        let mut query = query(4, 1_000_000);
        change(&mut query);
        way(&graph, &known, &query)
    };
    assert_eq!(with(|query| query.max_fee = msat(1000)), Ok(vec![1, 2]));
    let (fee, max) = (msat(1000), msat(999));
    let refused = with(|query| query.max_fee = msat(999));
    assert_eq!(refused, Err(NoRoute::Fee { fee, max }));
    assert_eq!(with(|query| query.max_delay = 15), Ok(vec![1, 2]));
    let (delay, max) = (15, 14);
    let refused = with(|query| query.max_delay = 14);
    assert_eq!(refused, Err(NoRoute::Delay { delay, max }));
    let refused = with(|query| query.max_hops = 1);
    assert_eq!(refused, Err(NoRoute::Apart(node(4))));
    let amount = msat(1_000_000_001);
    let refused = with(|query| query.amount = msat(1_000_000_001));
    assert_eq!(refused, Err(NoRoute::Amount { amount }));
    // What is told is what would have to change first.
    let refused = with(|query| {
        query.amount = msat(1_000_000_001);
        query.max_fee = Msat::ZERO;
    });
    assert_eq!(refused, Err(NoRoute::Amount { amount }));
    let refused = with(|query| query.destination = node(9));
    assert_eq!(refused, Err(NoRoute::Unknown(node(9))));
    let refused = with(|query| query.destination = node(1));
    assert_eq!(refused, Err(NoRoute::Apart(node(1))));
}

#[test]
fn a_slow_way_gives_place_to_a_dear_one_if_it_must() {
    let graph = diamond()
        .channel_with(5, 2, 5, 1_000_000, |update| {
            update.fee_base_msat = 0;
            update.cltv_expiry_delta = CltvDelta(900);
        })
        .channel_with(6, 5, 6, 1_000_000, |update| {
            update.fee_base_msat = 0;
            update.cltv_expiry_delta = CltvDelta(900);
        })
        .channel(7, 4, 6)
        .graph();
    let known = Knowledge::default();
    let slow = query(6, 100_000);
    assert_eq!(way(&graph, &known, &slow), Ok(vec![1, 5, 6]));
    let fast = Query {
        max_delay: 100,
        ..slow
    };
    assert_eq!(way(&graph, &known, &fast), Ok(vec![1, 2, 7]));
}

#[test]
fn the_payers_own_channels_are_known_better_than_the_graph() {
    let graph = diamond().graph();
    let known = Knowledge::default();
    let own = |channel, peer, most| FirstHop {
        channel: direction(channel, 1, peer),
        peer: node(peer),
        least: msat(1),
        most: msat(most),
    };
    let way = |own: &[FirstHop], amount| {
        let network = Network::new(&graph, node(1)).with_own(own.to_vec());
        let route = find(&network, &known, &query(4, amount))?;
        let hops = route.hops.into_iter();
        Ok(hops
            .map(|hop| hop.channel.scid.transaction())
            .collect::<Vec<_>>())
    };
    assert_eq!(way(&[], 1000), Err(NoRoute::Apart(node(4))));
    let only = [own(3, 3, 100_000)];
    assert_eq!(way(&only, 1000), Ok(vec![3, 4]));
    let amount = msat(95_001);
    assert_eq!(way(&only, 95_000), Ok(vec![3, 4]));
    assert_eq!(way(&only, 95_001), Err(NoRoute::Amount { amount }));
    // Private ones count, and the smallest that is enough.
    let several = [own(9, 2, 500_000), own(8, 2, 300_000), own(7, 2, 100_000)];
    assert_eq!(way(&several, 200_000), Ok(vec![8, 2]));
}

#[test]
fn hints_lead_where_the_graph_does_not() {
    let graph = diamond().graph();
    let terms = Terms {
        fee_base_msat: 10,
        fee_proportional_millionths: 0,
        cltv_expiry_delta: CltvDelta(20),
        htlc_minimum: Msat::ZERO,
        htlc_maximum: Msat::MAX,
        is_enabled: true,
    };
    let hint = |channel, from, to| Hint {
        from: node(from),
        to: node(to),
        channel: scid(channel),
        terms,
    };
    let network = Network::new(&graph, node(1)).with_hints([hint(20, 4, 7), hint(21, 7, 8)]);
    let route = find(&network, &Knowledge::default(), &query(8, 1000)).unwrap();
    assert_eq!((route.fee(), route.delay()), (msat(1020), 55));
    // What it says of a public channel is known better.
    let network = network.with_hints([hint(2, 2, 4)]);
    let route = find(&network, &Knowledge::default(), &query(4, 1000)).unwrap();
    assert_eq!(route.fee(), msat(1000));
    let mut known = Knowledge::default();
    known.avoid_channel(direction(21, 7, 8));
    let refused = find(&network, &known, &query(8, 1000));
    assert_eq!(refused, Err(NoRoute::Apart(node(8))));
}

proptest! {
    #[test]
    fn whatever_is_found_keeps_to_the_terms(
        ends in prop::collection::vec((1_u8..9, 1_u8..9, any::<(u16, u16, u8)>(), 1_u64..2_000_000), 1..24),
        amount in 1_u64..2_000_000_000,
        max_fee in 0_u64..500_000,
        max_delay in 9_u32..600,
    ) {
        let mut town = Town::new();
        for (number, (a, b, (base, ppm, delta), sat)) in (1..).zip(ends) {
            if a != b {
                town = town.channel_with(number, a, b, sat, |update| {
                    update.fee_base_msat = u32::from(base);
                    update.fee_proportional_millionths = u32::from(ppm);
                    update.cltv_expiry_delta = CltvDelta(u16::from(delta));
                });
            }
        }
        let graph = town.graph();
        let query = Query { max_fee: msat(max_fee), max_delay, ..query(2, amount) };
        let network = Network::new(&graph, node(1));
        let Ok(route) = find(&network, &Knowledge::default(), &query) else { return Ok(()) };
        let mut at = node(1);
        let mut seen = HashSet::from([at]);
        for (index, hop) in route.hops.iter().enumerate() {
            let channel = graph.channel(hop.channel.scid).unwrap();
            prop_assert_eq!(channel.source(hop.channel.direction), at);
            at = channel.destination(hop.channel.direction);
            prop_assert_eq!(at, hop.node);
            prop_assert!(seen.insert(at));
            let terms = Terms::from(channel.policy(hop.channel.direction).unwrap());
            prop_assert!((terms.htlc_minimum..=terms.htlc_maximum).contains(&hop.amount));
            if let Some(before) = index.checked_sub(1).and_then(|before| route.hops.get(before)) {
                prop_assert_eq!(before.amount, hop.amount.saturating_add(terms.fee(hop.amount)));
                let blocks = u32::from(terms.cltv_expiry_delta.0);
                prop_assert_eq!(before.delay, hop.delay.saturating_add(blocks));
            }
        }
        prop_assert_eq!((at, route.amount(), route.hops.last().unwrap().delay), (node(2), msat(amount), 9));
        prop_assert!(route.fee() <= query.max_fee && route.delay() <= max_delay);
    }
}
