//! Any order of events: the rig checks after each that a reader of the store comes to the same graph.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Channel 0..6 joins two of four nodes.
fn channel(n: u8) -> SampleChannel {
    let pairs = [(1, 2), (1, 3), (1, 9), (2, 3), (2, 9), (3, 9)];
    let (a, b) = pairs[usize::from(n % 6)];
    SampleChannel::new(scid(u32::from(n % 6)), SampleNode(a), SampleNode(b))
}

fn play(rig: &mut Rig, kind: u8, n: u8, time: u8) {
    let channel = channel(n);
    let timestamp = NOW.saturating_add(u32::from(time) * 40_000);
    rig.now = rig.now.max(timestamp);
    let height = BlockHeight(110 + u32::from(time) * 20);
    match kind % 10 {
        0 | 1 => drop(rig.peer(channel.announcement())),
        2 => drop(rig.txout(channel.scid, Some(channel.script()))),
        3 => drop(rig.txout(channel.scid, None)),
        4 | 5 => drop(rig.peer(channel.update(n & 1, timestamp))),
        6 => drop(rig.peer(SampleNode(n % 4 + 1).announcement(timestamp))),
        7 => {
            let scids = vec![channel.scid];
            rig.step(Event::Spent { height, scids });
        }
        8 => drop(rig.step(Event::Block { height })),
        _ => drop(rig.step(Event::Tick)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_of_events_leaves_store_and_graph_in_step(
        events in vec((any::<u8>(), any::<u8>(), 0_u8..60), 1..60),
    ) {
        let mut rig = Rig::new();
        for (kind, n, time) in events {
            play(&mut rig, kind, n, time);
        }
        // And a store written anew says the same.
        let before: Vec<_> = rig.intake.graph.channels().map(|(scid, c)| (scid, c.amount)).collect();
        let new = store::rewrite(&rig.store, [1; 32]);
        let mut graph = Graph::new();
        let mut records = Records::new(&new.bytes[1..], 1);
        while let Some(record) = records.next_record().unwrap() {
            graph.apply(&record);
        }
        let after: Vec<_> = graph.channels().map(|(scid, c)| (scid, c.amount)).collect();
        prop_assert_eq!(before, after);
        prop_assert_eq!(graph.live_records(), rig.intake.graph.live_records());
        prop_assert_eq!(graph.dead_records(), 0);
    }
}
