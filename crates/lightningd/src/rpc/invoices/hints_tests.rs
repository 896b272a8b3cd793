#![cfg(test)]

use ln_types::CltvDelta;

use super::*;

fn candidate(dbid: u64, capacity: u64) -> Candidate {
    let id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    Candidate {
        dbid,
        hint: RouteHint {
            node_id: id.parse().unwrap(),
            short_channel_id: ShortChannelId::from_u64(dbid),
            fee_base_msat: 0,
            fee_proportional_millionths: 0,
            cltv_expiry_delta: CltvDelta(6),
        },
        capacity: Msat::from_msat(capacity),
        most: Msat::from_msat(1_000),
    }
}

#[test]
fn a_channel_that_is_too_small_is_never_chosen() {
    let candidates = [candidate(1, 10), candidate(2, 500), candidate(3, 1_000)];
    let chosen = |needed, random: u64| {
        let needed = Msat::from_msat(needed);
        choose(&candidates, needed, |total| random % total).map(|found| found.dbid)
    };
    assert_eq!(chosen(2_000, 0), None);
    assert_eq!(chosen(100, 0), Some(2));
    assert_eq!(chosen(100, 399_999), Some(2));
    assert_eq!(chosen(100, 400_000), Some(3));
    assert_eq!(chosen(1_000, 7), Some(3));
    assert_eq!(choose(&[], Msat::ZERO, |_| 0).map(|found| found.dbid), None);
}

#[test]
fn channels_are_gathered_until_they_suffice() {
    let candidates = [candidate(1, 10), candidate(2, 20), candidate(3, 30)];
    let count = |needed| gather(&candidates, Msat::from_msat(needed)).len();
    assert_eq!(
        [
            count(1),
            count(10),
            count(11),
            count(30),
            count(31),
            count(99)
        ],
        [1, 1, 2, 2, 3, 3]
    );
}
