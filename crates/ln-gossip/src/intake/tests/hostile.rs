//! What a peer may send that it should not.

use super::*;

#[test]
fn g1_node_ids_out_of_order_or_equal() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    let swapped = SampleChannel {
        nodes: [ab.nodes[1], ab.nodes[0]],
        ..ab
    };
    assert!(
        rig.warning(swapped.announcement())
            .unwrap()
            .contains("node_id_1")
    );
    let same = SampleChannel {
        nodes: [A, A],
        ..ab
    };
    assert!(
        rig.warning(same.announcement())
            .unwrap()
            .contains("node_id_1")
    );
}

#[test]
fn g1_each_of_the_four_signatures_counts() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    for (n, name) in [
        "node_signature_1",
        "node_signature_2",
        "bitcoin_signature_1",
        "bitcoin_signature_2",
    ]
    .into_iter()
    .enumerate()
    {
        let mut message = ab.announcement();
        // Another signature in its place: the third byte of r differs.
        message[2 + 64 * n + 3] ^= 1;
        let warning = rig.warning(message).unwrap();
        assert_eq!(warning, format!("bad {name}"));
    }
    assert_eq!(rig.intake.pending.len(), 0);
}

#[test]
fn g1_wrong_chain_is_ignored() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    rig.ignored(bytes(ab.announcement_with(|a| a.chain_hash = [3; 32])));
    rig.ignored(bytes(ab.update_with(0, NOW, |u| u.chain_hash = [3; 32])));
}

#[test]
fn g1_an_output_that_is_missing_or_spent_is_not_asked_for_again() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    rig.peer(ab.announcement());
    rig.txout(scid(1), None);
    rig.ignored(ab.announcement());
    assert_eq!(rig.intake.graph.channel_count(), 0);
    // Two hours later it may be.
    for hours in [1, 2] {
        rig.now = NOW + hours * 3600;
        rig.step(Event::Tick);
    }
    assert_eq!(
        rig.peer(ab.announcement()),
        [Action::AskTxout { scid: scid(1) }]
    );
}

#[test]
fn g1_an_output_of_other_keys_earns_a_warning() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    rig.peer(ab.announcement());
    let actions = rig.txout(scid(1), Some(SampleChannel::new(scid(1), A, C).script()));
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Send { .. }))
    );
    assert_eq!(rig.intake.graph.channel_count(), 0);
}

#[test]
fn g1_strange_short_channel_ids() {
    let mut rig = Rig::new();
    // Zero is looked for like any other: the chain knows that nothing is there.
    let zero = SampleChannel::new(ShortChannelId::from_u64(0), A, B);
    assert_eq!(
        rig.peer(zero.announcement()),
        [Action::AskTxout { scid: zero.scid }]
    );
    rig.txout(zero.scid, None);
    let max = SampleChannel::new(ShortChannelId::from_u64(u64::MAX), A, B);
    assert!(
        rig.warning(max.announcement())
            .unwrap()
            .contains("at blockheight 110")
    );
}

#[test]
fn g1_an_announcement_with_unknown_fields_and_odd_features_is_stored_as_it_came() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    let message = bytes(ab.announcement_with(|a| {
        a.features = ln_wire::FeatureBytes(vec![0, 0, 0x10]);
        a.extension = vec![9, 9, 9];
    }));
    rig.peer(message.clone());
    rig.txout(scid(1), Some(ab.script()));
    let channel = rig.intake.graph.channel(scid(1)).unwrap();
    assert!(channel.has_unknown_even_features);
    assert_eq!(rig.record(channel.announcement), message);
}

#[test]
fn g2_timestamps() {
    let mut rig = Rig::new();
    let ab = rig.channel(1, A, B);
    rig.ignored(ab.update(0, 0));
    rig.ignored(ab.update(0, NOW + 25 * 3600));
    rig.ignored(ab.update(0, NOW - 15 * 24 * 3600));
    rig.peer(ab.update(0, NOW));
    assert_eq!(rig.timestamp(ab, 0), Some(NOW));
    // Equal, with other content.
    rig.ignored(bytes(ab.update_with(0, NOW, |u| u.fee_base_msat = 7)));
    rig.ignored(ab.update(0, NOW - 1));
    assert_eq!(rig.timestamp(ab, 0), Some(NOW));
    rig.peer(ab.update(0, NOW + 1));
    assert_eq!(rig.timestamp(ab, 0), Some(NOW + 1));
}

#[test]
fn g2_unknown_flags_and_strange_amounts_are_kept_as_signed() {
    let mut rig = Rig::new();
    let ab = rig.channel(1, A, B);
    let message = bytes(ab.update_with(1, NOW, |u| {
        u.message_flags = 0xfd;
        u.channel_flags = 0xfd;
        u.htlc_maximum_msat = Msat::from_msat(0);
        u.fee_base_msat = u32::MAX;
        u.fee_proportional_millionths = u32::MAX;
        u.extension = vec![1, 2];
    }));
    rig.peer(message.clone());
    let policy = *rig
        .intake
        .graph
        .channel(scid(1))
        .unwrap()
        .policy(1)
        .unwrap();
    assert_eq!(rig.record(policy.update), message);
    assert!(policy.is_enabled());
}

#[test]
fn g2_a_private_or_wrongly_signed_update_earns_a_warning() {
    let mut rig = Rig::new();
    let ab = rig.channel(1, A, B);
    let private = ab.update_with(0, NOW, |u| u.message_flags |= ChannelUpdate::DONT_FORWARD);
    assert!(
        rig.warning(bytes(private))
            .unwrap()
            .contains("dont_forward")
    );
    let mut forged = ab.update_with(0, NOW, |_| ());
    forged.channel_flags = 1;
    assert!(rig.warning(bytes(forged)).unwrap().contains("signature"));
    let malformed = ab.update(0, NOW)[..100].to_vec();
    assert!(
        rig.warning(malformed)
            .unwrap()
            .contains("malformed channel_update")
    );
}

#[test]
fn g2_flapping_is_limited_and_recovers() {
    let mut rig = Rig::new();
    let ab = rig.channel(1, A, B);
    for n in 1..=30 {
        rig.peer(ab.update(0, NOW + n));
    }
    assert_eq!(rig.timestamp(ab, 0), Some(NOW + 20));
    rig.peer(ab.update(1, NOW));
    assert_eq!(
        rig.timestamp(ab, 1),
        Some(NOW),
        "the other direction is not to blame"
    );
    rig.now = NOW + 600;
    rig.peer(ab.update(0, NOW + 601));
    assert_eq!(rig.timestamp(ab, 0), Some(NOW + 601));
    rig.ignored(ab.update(0, NOW + 602));
}

#[test]
fn g2_a_flood_of_updates_stays_bounded() {
    let limits = Limits {
        pending: 3,
        ..Limits::normal()
    };
    let mut rig = Rig::with_limits(limits);
    for n in 10..20 {
        rig.ignored(SampleChannel::new(scid(n), A, B).update(0, NOW));
    }
    for n in 0..5 {
        rig.peer(SampleChannel::new(scid(n), A, B).announcement());
        rig.peer(SampleChannel::new(scid(0), A, B).update(0, NOW + n));
        rig.peer(C.announcement(NOW + n));
    }
    assert_eq!(rig.intake.pending.len(), 3);
    assert_eq!(rig.intake.updates.take().len(), 3);
    assert_eq!(rig.intake.nodes.take().len(), 3);
}

#[test]
fn g3_a_node_needs_a_channel() {
    let mut rig = Rig::new();
    rig.ignored(A.announcement(NOW));
    rig.channel(1, A, B);
    rig.peer(A.announcement(NOW));
    rig.ignored(A.announcement(NOW));
    rig.ignored(A.announcement(NOW - 1));
    rig.ignored(A.announcement(NOW + 30 * 3600));
    rig.peer(A.announcement(NOW + 1));
    let a = rig.intake.graph.node(A.id().into()).unwrap();
    assert_eq!(a.announcement.unwrap().timestamp, NOW + 1);
}

#[test]
fn g3_addresses() {
    let mut rig = Rig::new();
    rig.channel(1, A, B);
    let mut timestamp = NOW;
    let mut announce = |rig: &mut Rig, addresses: NodeAddresses| {
        timestamp += 1;
        let message = bytes(A.announcement_with(timestamp, |a| a.addresses = addresses));
        let warning = rig.warning(message);
        let stored = rig.intake.graph.node(A.id().into()).unwrap().announcement;
        (
            warning,
            stored.is_some_and(|stored| stored.timestamp == timestamp),
        )
    };
    let port_zero = NodeAddress::Ipv4 {
        ip: [1, 2, 3, 4].into(),
        port: 0,
    };
    let dns = NodeAddress::Dns {
        hostname: "a b<>".to_owned(),
        port: 1,
    };
    let hundreds = vec![port_zero.clone(); 300].into_iter().collect();
    assert_eq!(announce(&mut rig, NodeAddresses::default()), (None, true));
    assert_eq!(
        announce(&mut rig, [port_zero].into_iter().collect()),
        (None, true)
    );
    assert_eq!(announce(&mut rig, hundreds), (None, true));
    assert_eq!(
        announce(&mut rig, NodeAddresses(vec![99, 1, 2])),
        (None, true)
    );
    assert_eq!(
        announce(&mut rig, [dns.clone()].into_iter().collect()),
        (None, true)
    );
    assert_eq!(
        announce(&mut rig, [dns.clone(), dns].into_iter().collect()),
        (None, false)
    );
    let (warning, stored) = announce(&mut rig, NodeAddresses(vec![1, 127, 0]));
    assert!(warning.unwrap().contains("addresses") && !stored);
}

#[test]
fn g3_an_alias_of_junk_is_stored_as_signed() {
    let mut rig = Rig::new();
    rig.channel(1, A, B);
    let message = bytes(A.announcement_with(NOW, |a| a.alias = [0xff; 32]));
    rig.peer(message.clone());
    let at = rig
        .intake
        .graph
        .node(A.id().into())
        .unwrap()
        .announcement
        .unwrap()
        .record;
    assert_eq!(rig.record(at), message);
    let mut forged = A.announcement(NOW + 1);
    let last = forged.len() - 10;
    forged[last] ^= 1;
    assert!(rig.warning(forged).unwrap().contains("signature"));
}

#[test]
fn what_is_no_announcement_earns_a_warning() {
    let mut rig = Rig::new();
    for message in [
        vec![],
        vec![1],
        vec![0, 18, 0, 0, 0, 0],
        vec![1, 0],
        vec![1, 1, 2, 3],
    ] {
        assert!(rig.warning(message).is_some());
    }
}
