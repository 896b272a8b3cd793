use ln_gossip::Graph;

use super::*;
use crate::cost::Risk;
use crate::network::FirstHop;
use crate::search::MAX_HOPS;
use crate::town::{Town, direction, msat, node};

fn query(amount: u64, max_fee: u64) -> Query {
    Query {
        destination: node(4),
        amount: msat(amount),
        final_delay: 9,
        max_fee: msat(max_fee),
        max_delay: 2016,
        max_hops: MAX_HOPS,
        risk: Risk::percent_per_year(10.0),
    }
}

/// The first channel and the amount of each part, over own channels of node 1: number, peer, least, most.
fn parts(
    graph: &Graph,
    own: &[(u32, u8, u64, u64)],
    query: &Query,
    most: usize,
) -> Result<Vec<(u32, u64)>, NoRoute> {
    let own = own.iter().map(|(channel, peer, least, most)| FirstHop {
        channel: direction(*channel, 1, *peer),
        peer: node(*peer),
        least: msat(*least),
        most: msat(*most),
    });
    let network = Network::new(graph, node(1)).with_own(own.collect());
    let routes = spread(&network, &Knowledge::default(), query, most)?;
    let part = |route: &Route| {
        let first = route.hops.first().unwrap();
        (first.channel.scid.transaction(), route.amount().as_msat())
    };
    Ok(routes.iter().map(part).collect())
}

#[test]
fn one_way_is_enough_if_it_can_and_the_smallest_channel_is_taken() {
    let own = [(1, 4, 1, 10), (2, 4, 1, 100), (3, 4, 1, 50), (4, 4, 45, 45)];
    let graph = Graph::new();
    assert_eq!(parts(&graph, &own, &query(40, 0), 9), Ok(vec![(3, 40)]));
}

#[test]
fn several_channels_carry_what_one_can_not() {
    let own = [(1, 4, 1, 10), (2, 4, 1, 100), (3, 4, 1, 50)];
    let graph = Graph::new();
    let whole = query(120, 0);
    assert_eq!(parts(&graph, &own, &whole, 9), Ok(vec![(2, 100), (3, 20)]));
    let amount = msat(120);
    assert_eq!(
        parts(&graph, &own, &whole, 1),
        Err(NoRoute::Amount { amount })
    );
    let amount = msat(161);
    assert_eq!(
        parts(&graph, &own, &query(161, 0), 9),
        Err(NoRoute::Amount { amount })
    );
}

#[test]
fn the_last_part_is_not_too_small_for_its_channel() {
    let own = [(1, 4, 5, 10), (2, 4, 1, 100)];
    let graph = Graph::new();
    let borrowed = parts(&graph, &own, &query(101, 0), 9);
    assert_eq!(borrowed, Ok(vec![(2, 96), (1, 5)]));
    let never = [(1, 4, 5, 10), (2, 4, 98, 100)];
    let amount = msat(101);
    assert_eq!(
        parts(&graph, &never, &query(101, 0), 9),
        Err(NoRoute::Amount { amount })
    );
}

#[test]
fn parts_go_around_each_other_and_share_what_may_be_spent() {
    let graph = Town::new()
        .channel_with(2, 2, 4, 1000, |_| ())
        .channel_with(4, 3, 4, 1000, |_| ())
        .graph();
    let own = [(1, 2, 1, 10_000_000), (3, 3, 1, 10_000_000)];
    // Each of the two holds a million, and asks for 1000.
    let found = parts(&graph, &own, &query(1_800_000, 4000), 8).unwrap();
    assert_eq!(found.iter().map(|(_, part)| part).sum::<u64>(), 1_800_000);
    for channel in [1, 3] {
        let over = found.iter().filter(|(first, _)| *first == channel);
        let sum: u64 = over.map(|(_, part)| part).sum();
        assert!((1..=1_000_000).contains(&sum), "{found:?}");
    }
    let refused = parts(&graph, &own, &query(1_800_000, 1999), 8);
    let amount = msat(1_800_000);
    assert_eq!(refused, Err(NoRoute::Amount { amount }));
}
