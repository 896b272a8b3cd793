//! How long it takes to find ways through a network as large as Bitcoin's main one.

use std::time::Instant;

use ln_gossip::store::{self, ChannelAmount, Records, internal_bytes};
use ln_gossip::{Graph, NodeKey};
use ln_route::{Knowledge, MAX_HOPS, Network, Query, Risk, find, spread};
use ln_testkit::nodes::Seed;
use ln_types::{Msat, Sat};

use crate::load::Latencies;
use crate::report::Report;

const NODES: u64 = 15_000;
const CHANNELS: u64 = 50_000;
const SEARCHES: usize = 1000;
/// What is looked for a way for, in satoshi at most.
const AMOUNT: u64 = 200_000;
/// What is spread over several ways.
const LARGE: u64 = 20_000_000;

/// Measures it.
pub(crate) fn measure(report: &mut Report) {
    let mut seed = Seed::from_environment("routes");
    let bytes = network(&mut seed);
    let before = Instant::now();
    let graph = read(&bytes);
    let aim = "50 ms for 300 MB";
    report.duration("graph: reading 50 000 channels", before.elapsed(), aim);
    let (mut found, mut missed, mut hops) = (Latencies::default(), Latencies::default(), 0);
    for _ in 0..SEARCHES {
        let network = Network::new(&graph, random_node(&mut seed));
        let query = query(&mut seed, AMOUNT);
        let before = Instant::now();
        let route = find(&network, &Knowledge::default(), &query);
        match route {
            Ok(route) => {
                found.add(before.elapsed());
                hops += route.hops.len();
            }
            Err(_) => missed.add(before.elapsed()),
        }
    }
    println!("{} routes of {hops} hops in all", found.count());
    report.duration("a route, p50", found.percentile(50), "");
    report.duration("a route, p99", found.percentile(99), "50 ms");
    report.duration("why there is none, p50", missed.percentile(50), "");
    let (mut times, mut parts) = (Latencies::default(), 0);
    for _ in 0..SEARCHES / 10 {
        let network = Network::new(&graph, random_node(&mut seed));
        let query = query(&mut seed, LARGE);
        let routes = times.time(|| spread(&network, &Knowledge::default(), &query, 32));
        parts += routes.map_or(0, |routes| routes.len());
    }
    report.duration("routes of a large amount, p50", times.percentile(50), "");
    report.duration("routes of a large amount, p99", times.percentile(99), "");
    println!("{parts} parts of large amounts");
}

fn query(seed: &mut Seed, most_sat: u64) -> Query {
    let amount = Sat::from_sat(1 + seed.below(most_sat)).to_msat_saturating();
    Query {
        destination: random_node(seed),
        amount,
        final_delay: 18,
        max_fee: amount.millionths(5000).max(Msat::from_msat(5000)),
        max_delay: 2016,
        max_hops: MAX_HOPS,
        risk: Risk::percent_per_year(10.0),
    }
}

fn random_node(seed: &mut Seed) -> NodeKey {
    node(seed.below(NODES))
}

/// Nothing here looks at keys and signatures.
fn node(number: u64) -> NodeKey {
    let mut bytes = [2; 33];
    for (place, byte) in bytes.iter_mut().skip(25).zip(number.to_be_bytes()) {
        *place = byte;
    }
    NodeKey(bytes)
}

/// A store in which few nodes have most channels: each channel joins a node to one that has some already.
fn network(seed: &mut Seed) -> Vec<u8> {
    let mut bytes = store::new_store([7; 32]);
    let mut ends = vec![0, 1];
    for number in 0..CHANNELS {
        let one = if number < NODES {
            number
        } else {
            seed.below(NODES)
        };
        let place = usize::try_from(seed.below(u64::try_from(ends.len()).unwrap_or(1)));
        let two = place.ok().and_then(|place| ends.get(place)).copied();
        let two = two.filter(|two| *two != one).unwrap_or((one + 1) % NODES);
        ends.extend([one, two]);
        let satoshis = Sat::from_sat(20_000 << seed.below(11));
        let (one, two) = (node(one.min(two)), node(one.max(two)));
        store::append(&mut bytes, &announcement(number, one, two), 0);
        store::append(&mut bytes, &internal_bytes(ChannelAmount { satoshis }), 0);
        for direction in 0..2 {
            store::append(&mut bytes, &update(seed, number, direction, satoshis), 0);
        }
    }
    bytes
}

fn scid(number: u64) -> [u8; 8] {
    ((600_000 + number) << 40 | 1 << 16).to_be_bytes()
}

/// A `channel_announcement` without valid keys and signatures.
fn announcement(number: u64, one: NodeKey, two: NodeKey) -> Vec<u8> {
    let mut bytes = vec![1, 0];
    bytes.extend([0; 4 * 64 + 2 + 32]);
    bytes.extend(scid(number));
    bytes.extend(one.0);
    bytes.extend(two.0);
    bytes.extend([2; 66]);
    bytes
}

/// A `channel_update` without a valid signature.
fn update(seed: &mut Seed, number: u64, direction: u8, capacity: Sat) -> Vec<u8> {
    let mut bytes = vec![1, 2];
    bytes.extend([0; 64 + 32]);
    bytes.extend(scid(number));
    bytes.extend([0, 0, 0, 1, 1, direction]);
    let delta = u16::try_from(18 + seed.below(127)).unwrap_or(0);
    bytes.extend(delta.to_be_bytes());
    bytes.extend(1000_u64.to_be_bytes());
    let base = u32::try_from(seed.below(2) * 1000).unwrap_or(0);
    bytes.extend(base.to_be_bytes());
    let part = u32::try_from(seed.below(1000)).unwrap_or(0);
    bytes.extend(part.to_be_bytes());
    bytes.extend(capacity.to_msat_saturating().as_msat().to_be_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Graph {
    let mut graph = Graph::new();
    let mut records = Records::new(bytes.get(1..).unwrap_or_default(), 1);
    while let Ok(Some(record)) = records.next_record() {
        graph.apply(&record);
    }
    graph
}
