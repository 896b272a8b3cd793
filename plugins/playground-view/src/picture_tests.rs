use serde_json::{Value, json};

use super::*;
use crate::ask::{Htlc, Info};

fn channel(peer: &str, id: &str, to_us: u64, total: u64) -> Channel {
    Channel {
        peer_id: peer.to_owned(),
        peer_connected: true,
        state: "CHANNELD_NORMAL".to_owned(),
        channel_id: id.to_owned(),
        to_us_msat: to_us,
        total_msat: total,
        ..Channel::default()
    }
}

fn node(name: &str, id: &str, peers: &[&str], channels: Vec<Channel>) -> Known {
    Known {
        name: Some(name.to_owned()),
        answers: Some(Answers {
            info: Info {
                id: id.to_owned(),
                network: "regtest".to_owned(),
                blockheight: 7,
                ..Info::default()
            },
            channels,
            peers: peers.iter().map(|peer| (*peer).to_owned()).collect(),
            onchain_msat: 5,
        }),
        up: Some(true),
        problem: None,
    }
}

fn drawn(all: &[Known]) -> Value {
    serde_json::to_value(Picture::of(all)).unwrap()
}

#[test]
fn both_sides_make_one_channel() {
    let mut from_a = channel("02b", "c1", 700, 1000);
    from_a.htlcs.push(Htlc {
        direction: "out".to_owned(),
        amount_msat: 50,
    });
    let all = [
        node("l1", "02a", &["02b", "02c"], vec![from_a]),
        node("l2", "02b", &["02a"], vec![channel("02a", "c1", 300, 1000)]),
        node("l3", "02c", &["02a", "02x"], vec![]),
    ];
    let picture = drawn(&all);
    assert_eq!(picture["height"], 7);
    assert_eq!(picture["channels"].as_array().unwrap().len(), 1);
    let edge = &picture["channels"][0];
    assert_eq!(
        (&edge["a"], &edge["a_msat"], &edge["b"], &edge["b_msat"]),
        (&json!("02a"), &json!(700), &json!("02b"), &json!(300))
    );
    assert_eq!(edge["a_to_b_msat"], 50);
    assert_eq!(edge["connected"], true);
    // A peer without a channel is a link, if it is one of ours.
    assert_eq!(picture["links"], json!([["02a", "02c"]]));
}

#[test]
fn nothing_is_drawn_as_nothing() {
    assert_eq!(drawn(&[])["nodes"], json!([]));
    let never_asked = Known {
        name: Some("l1".to_owned()),
        ..Known::default()
    };
    let picture = drawn(&[never_asked]);
    assert_eq!(picture["nodes"][0]["name"], "l1");
    assert_eq!(picture["nodes"][0]["up"], Value::Null);
    assert_eq!(picture["channels"], json!([]));
}

#[test]
fn a_node_that_is_away_stays_and_its_channels_are_not_live() {
    let mut all = [
        node("l1", "02a", &["02b"], vec![channel("02b", "c1", 700, 1000)]),
        node("l2", "02b", &["02a"], vec![channel("02a", "c1", 999, 1000)]),
    ];
    all[1].up = Some(false);
    all[1].problem = Some("not running".to_owned());
    let picture = drawn(&all);
    assert_eq!(picture["nodes"][1]["problem"], "not running");
    let edge = &picture["channels"][0];
    // What it said last does not count against what the other says now.
    assert_eq!(edge["b_msat"], 300);
    assert_eq!(edge["connected"], false);
}

#[test]
fn peers_that_are_not_asked_are_there() {
    let all = [node("l1", "02a", &[], vec![channel("03z", "c1", 1, 2)])];
    let picture = drawn(&all);
    assert_eq!(picture["nodes"][1]["id"], "03z");
    assert_eq!(picture["nodes"][1]["ours"], false);
}

#[test]
fn a_channel_is_as_far_as_the_further_side() {
    let mut waiting = channel("02a", "c1", 300, 1000);
    waiting.state = "CHANNELD_AWAITING_LOCKIN".to_owned();
    let all = [
        node("l1", "02a", &[], vec![channel("02b", "c1", 700, 1000)]),
        node("l2", "02b", &[], vec![waiting]),
    ];
    assert_eq!(
        drawn(&all)["channels"][0]["state"],
        "CHANNELD_AWAITING_LOCKIN"
    );
}

#[test]
fn a_payment_is_told_once_by_whom_it_reaches() {
    let before = node("l2", "02b", &[], vec![channel("02a", "c1", 300, 1000)]);
    let mut after = before.clone();
    let changed = &mut after.answers.as_mut().unwrap().channels[0];
    changed.in_payments_fulfilled = 2;
    changed.in_fulfilled_msat = 70;
    let (before, after) = (before.answers.unwrap(), after.answers.unwrap());
    let payment = Happening::Payment {
        channel: "c1".to_owned(),
        from: "02a".to_owned(),
        to: "02b".to_owned(),
        count: 2,
        msat: 70,
    };
    assert_eq!(happenings(&before, &after, |_| true), [payment]);
    assert_eq!(happenings(&after, &after, |_| true), []);
    // Counters that went back tell of nothing.
    assert_eq!(happenings(&after, &before, |_| true), []);
}

#[test]
fn a_payment_to_a_stranger_is_told_by_who_sent_it() {
    let before = node("l1", "02a", &[], vec![channel("03z", "c1", 300, 1000)]);
    let mut after = before.clone();
    let changed = &mut after.answers.as_mut().unwrap().channels[0];
    changed.out_payments_fulfilled = 1;
    changed.out_fulfilled_msat = 9;
    changed.state = "CHANNELD_SHUTTING_DOWN".to_owned();
    let (before, after) = (before.answers.unwrap(), after.answers.unwrap());
    assert_eq!(happenings(&before, &after, |_| false).len(), 2);
    // The other side, if it is asked, tells of the payment; the lesser id of the state.
    assert_eq!(happenings(&before, &after, |_| true).len(), 1);
}
