//! Tests of [`super::Mux`].

use super::*;
use ln_wire::ErrorMessage;
use proptest::prelude::*;

const LINK: LinkId = LinkId(1);
const CHANNEL: ChannelId = ChannelId([7; 32]);

fn id() -> NodeId {
    let key = bitcoin::secp256k1::SecretKey::from_slice(&[1; 32]).unwrap();
    let secp = bitcoin::secp256k1::Secp256k1::new();
    NodeId::from(key.public_key(&secp))
}

fn mux() -> Mux {
    Mux::new(id(), 5, Network::Regtest, true, Instant::now())
}

fn channel_message(number: u16, channel_id: ChannelId) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend(channel_id.0);
    message.extend([0; 100]);
    message
}

fn on(mux: &mut Mux, message: &[u8]) -> Action {
    mux.on_message(message, Instant::now())
}

fn refused(action: &Action) -> bool {
    matches!(action, Action::Refuse(_))
}

#[test]
fn a_channel_message_goes_to_whoever_serves_the_channel() {
    let mut mux = mux();
    assert!(mux.attach(CHANNEL, LINK).is_empty());
    let message = channel_message(132, CHANNEL);
    assert_eq!(on(&mut mux, &message), Action::ToLink(LINK));
    mux.detach(LINK);
    assert!(matches!(on(&mut mux, &message), Action::ToLightningd(_)));
}

#[test]
fn messages_for_nobody_are_kept_in_order_and_reported_once() {
    let mut mux = mux();
    let (first, second) = (channel_message(136, CHANNEL), channel_message(36, CHANNEL));
    let Action::ToLightningd(FromConnectd::PeerSpoke(spoke)) = on(&mut mux, &first) else {
        panic!("not reported")
    };
    assert_eq!(
        (spoke.channel_id, spoke.message_type, spoke.counter),
        (CHANNEL, 136, 5)
    );
    assert_eq!(on(&mut mux, &second), Action::Nothing);
    assert_eq!(mux.attach(CHANNEL, LINK), [first, second]);
    assert!(mux.attach(CHANNEL, LINK).is_empty());
}

#[test]
fn a_rejected_channel_is_forgotten_and_reported_again() {
    let mut mux = mux();
    let message = channel_message(136, CHANNEL);
    on(&mut mux, &message);
    mux.reject(&CHANNEL);
    assert_eq!(mux.kept_bytes, 0);
    assert!(matches!(on(&mut mux, &message), Action::ToLightningd(_)));
    assert_eq!(mux.attach(CHANNEL, LINK), [message]);
}

#[test]
fn too_much_for_nobody_closes_the_door_until_somebody_comes() {
    let mut mux = mux();
    let mut big = channel_message(128, CHANNEL);
    big.resize(60_000, 0);
    while mux.has_room() {
        on(&mut mux, &big);
    }
    assert!(mux.kept_bytes < KEPT_BYTES + 60_001);
    mux.attach(CHANNEL, LINK);
    assert!(mux.has_room());
}

#[test]
fn too_many_unknown_channels_close_the_door() {
    let mut mux = mux();
    let mut number: u16 = 0;
    while mux.has_room() {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&number.to_be_bytes());
        on(&mut mux, &channel_message(136, ChannelId(id)));
        number += 1;
    }
    assert_eq!(usize::from(number), KEPT_CHANNELS);
    mux.reject(&ChannelId([0; 32]));
    assert!(mux.has_room());
}

#[test]
fn a_channel_is_known_by_its_final_id_once_funding_is_created() {
    let (temporary, mut mux) = (ChannelId([1; 32]), mux());
    mux.attach(temporary, LINK);
    let mut created = 34_u16.to_be_bytes().to_vec();
    created.extend(temporary.0);
    created.extend([7; 32]);
    created.extend([0, 0]);
    created.extend([0; 64]);
    mux.on_sent(&created, LINK);
    assert_eq!(
        on(&mut mux, &channel_message(35, CHANNEL)),
        Action::ToLink(LINK)
    );
    assert_eq!(
        on(&mut mux, &channel_message(36, CHANNEL)),
        Action::ToLink(LINK)
    );
    assert_eq!(
        on(&mut mux, &channel_message(36, temporary)),
        Action::ToLink(LINK)
    );

    let mut as_fundee = Mux::new(id(), 5, Network::Regtest, true, Instant::now());
    as_fundee.attach(temporary, LINK);
    assert_eq!(on(&mut as_fundee, &created), Action::ToLink(LINK));
    assert_eq!(
        on(&mut as_fundee, &channel_message(36, CHANNEL)),
        Action::ToLink(LINK)
    );
}

#[test]
fn an_opening_is_found_behind_the_chain_hash() {
    let mut message = 32_u16.to_be_bytes().to_vec();
    message.extend(Network::Regtest.chain_hash());
    message.extend(CHANNEL.0);
    let Action::ToLightningd(FromConnectd::PeerSpoke(spoke)) = on(&mut mux(), &message) else {
        panic!("not reported")
    };
    assert_eq!(spoke.channel_id, CHANNEL);
}

#[test]
fn pings_are_answered_below_65532_only() {
    let mut mux = mux();
    assert_eq!(
        on(&mut mux, &[0, 18, 0, 2, 0, 1, 9]),
        Action::Reply(vec![0, 19, 0, 2, 0, 0])
    );
    for bytes in [65532_u16, 65533, 65534, 65535] {
        let [high, low] = bytes.to_be_bytes();
        assert_eq!(on(&mut mux, &[0, 18, high, low, 0, 0]), Action::Nothing);
    }
    let Action::Reply(pong) = on(&mut mux, &[0, 18, 0xff, 0xfb, 0, 0]) else {
        panic!("no pong")
    };
    assert_eq!(pong.len(), 65535);
    assert_eq!(on(&mut mux, &pong), Action::Nothing, "nobody asked for it");
    assert!(
        refused(&on(&mut mux, &[0, 18, 0, 1, 0, 9])),
        "padding missing"
    );
    assert!(refused(&on(&mut mux, &[0, 19, 0, 9])), "padding missing");
}

#[test]
fn a_flood_of_pings_pauses_the_peer_and_channel_messages_do_not() {
    let (mut mux, now) = (mux(), Instant::now());
    mux.attach(CHANNEL, LINK);
    let mut channel = channel_message(128, CHANNEL);
    channel.resize(60_000, 0);
    for _ in 0..200 {
        mux.on_message(&channel, now);
    }
    assert_eq!(mux.paused_until(now), None);
    for _ in 0..200 {
        mux.on_message(&[0, 18, 0xff, 0xfb, 0, 0], now);
    }
    assert!(mux.paused_until(now).is_some());
}

#[test]
fn unknown_odd_types_are_passed_on_and_even_ones_refused() {
    let mut mux = mux();
    for number in [3_u16, 511, 32769, 65535] {
        let message = number.to_be_bytes();
        let action = on(&mut mux, &message);
        let Action::ToLightningd(FromConnectd::CustomMessage(custom)) = action else {
            panic!("{action:?}")
        };
        assert_eq!(custom.message, message);
    }
    for number in [0_u16, 4, 260, 512, 32768] {
        assert!(refused(&on(&mut mux, &number.to_be_bytes())), "{number}");
    }
    // But those that a plugin knows, as long as it is there.
    let types = Rc::new(RefCell::new(vec![32768]));
    let mut mux = mux.with_custom_types(Rc::clone(&types));
    let known = 32768_u16.to_be_bytes();
    let passed_on = on(&mut mux, &known);
    assert!(matches!(
        passed_on,
        Action::ToLightningd(FromConnectd::CustomMessage(_))
    ));
    assert!(refused(&on(&mut mux, &32770_u16.to_be_bytes())));
    types.borrow_mut().clear();
    assert!(refused(&on(&mut mux, &known)));
}

#[test]
fn empty_short_and_repeated_first_messages_are_refused() {
    let mut mux = mux();
    assert!(refused(&on(&mut mux, &[])));
    assert!(refused(&on(&mut mux, &[0])));
    assert!(refused(&on(&mut mux, &[0, 16, 0, 0, 0, 0])));
    for number in [2_u16, 32, 33, 36, 128, 136, 259] {
        let mut message = number.to_be_bytes().to_vec();
        message.extend([0; 31]);
        assert!(refused(&on(&mut mux, &message)), "{number}");
    }
}

#[test]
fn complaints_go_to_the_channels_daemon_or_to_lightningd() {
    let mut mux = mux();
    let error =
        |channel_id, text| PeerMessage::from(ErrorMessage::new(channel_id, text)).to_bytes();
    let Action::ToLightningd(FromConnectd::PeerError(report)) = on(&mut mux, &error(CHANNEL, "no"))
    else {
        panic!("not reported")
    };
    assert_eq!((report.warning, report.text.as_str()), (false, "no"));
    mux.attach(CHANNEL, LINK);
    assert_eq!(on(&mut mux, &error(CHANNEL, "no")), Action::ToLink(LINK));
    let all = on(&mut mux, &error(ChannelId::ALL, &"long ".repeat(10_000)));
    let Action::Failed(FromConnectd::PeerError(report)) = all else {
        panic!("{all:?}")
    };
    assert_eq!(report.text.len(), TEXT_CHARS);
    let warned = on(&mut mux, &warning("mind the gap"));
    let Action::ToLightningd(FromConnectd::PeerError(report)) = warned else {
        panic!("{warned:?}")
    };
    assert_eq!(
        (report.warning, report.text.as_str()),
        (true, "mind the gap")
    );
    assert!(refused(&on(&mut mux, &[0, 17, 1, 2])));
}

#[test]
fn gossip_goes_to_gossipd_and_filters_start_the_stream() {
    let mut mux = mux();
    for number in [256_u16, 257, 258, 261, 262, 263, 264] {
        assert_eq!(
            on(&mut mux, &number.to_be_bytes()),
            Action::ToGossipd,
            "{number}"
        );
    }
    let filter = GossipTimestampFilter {
        chain_hash: Network::Regtest.chain_hash(),
        first_timestamp: 1,
        timestamp_range: 2,
    };
    let message = PeerMessage::from(filter.clone()).to_bytes();
    assert_eq!(on(&mut mux, &message), Action::Stream(filter));
    let elsewhere = PeerMessage::from(GossipTimestampFilter {
        chain_hash: [1; 32],
        first_timestamp: 1,
        timestamp_range: 2,
    });
    assert!(refused(&on(&mut mux, &elsewhere.to_bytes())));
    assert!(refused(&on(&mut mux, &message[..10])));
}

#[test]
fn every_known_message_goes_somewhere() {
    for number in (0..=u16::MAX).filter(|number| PeerMessage::knows(*number)) {
        let mut message = number.to_be_bytes().to_vec();
        message.extend([0; 200]);
        let _ = on(&mut mux(), &message);
        let expected = PeerMessage::is_gossip_number(number)
            || PeerMessage::is_query_number(number)
            || matches!(number, 1 | 7 | 9 | 16..=19 | 513);
        assert_eq!(channel_id_at(number).is_none(), expected, "{number}");
    }
}

#[test]
fn an_id_added_by_lightningd_is_served_by_the_same_daemon() {
    let (temporary, mut mux) = (ChannelId([1; 32]), mux());
    assert_eq!(mux.add_channel_id(temporary, CHANNEL), None);
    mux.attach(temporary, LINK);
    let early = channel_message(36, CHANNEL);
    on(&mut mux, &early);
    assert_eq!(
        mux.add_channel_id(temporary, CHANNEL),
        Some((LINK, vec![early]))
    );
    assert_eq!(
        on(&mut mux, &channel_message(132, CHANNEL)),
        Action::ToLink(LINK)
    );
}

proptest! {
    #[test]
    fn no_message_makes_it_panic_and_what_is_kept_is_counted(
        messages in proptest::collection::vec(
            (0..600_u16, 0..3_u8, proptest::collection::vec(any::<u8>(), 0..80)),
            0..40,
        ),
    ) {
        let mut mux = mux();
        mux.attach(ChannelId([2; 32]), LINK);
        for (number, channel, rest) in messages {
            let mut message = channel_message(number, ChannelId([channel; 32]));
            message.truncate(34);
            message.extend(rest);
            let _ = on(&mut mux, &message);
            let kept: usize = mux.kept.values().flatten().map(Vec::len).sum();
            prop_assert_eq!(mux.kept_bytes, kept);
        }
        mux.reject(&ChannelId([0; 32]));
        mux.attach(ChannelId([1; 32]), LINK);
        let kept: usize = mux.kept.values().flatten().map(Vec::len).sum();
        prop_assert_eq!(mux.kept_bytes, kept);
    }

    #[test]
    fn no_bytes_make_it_panic(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = on(&mut mux(), &message);
        let _ = crate::init::judge(&message, &ln_types::Features::new(), Network::Regtest);
    }
}
