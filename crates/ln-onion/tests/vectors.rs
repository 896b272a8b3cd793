//! BOLT 4's test vectors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode, TlvRecord};
use ln_onion::{
    AttributionData, BlindedHop, FAILURE_LENGTH, FailureMessage, ForwardTo, HoldTime, HopPayload,
    HtlcIn, Instruction, LastHop, OnionHop, OnionMessagePayload, OnionPacket, PAYMENT_PAYLOADS,
    Peeled, RouteHop, SharedSecret, blind_ephemeral_key, blind_path, construct,
    create_failure_packet, instruction, message_hops, message_size, open_failure, open_fulfill,
    payloads_for_route, peel, unblind_hop, wrap_failure_packet,
};
use ln_types::{BlockHeight, CltvExpiry, Msat, ShortChannelId};

const VECTORS: &str = include_str!("bolt04.txt");
const ASSOCIATED_DATA: [u8; 32] = [0x42; 32];

fn bytes(name: &str) -> Vec<u8> {
    let line = VECTORS.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == name).then_some(value)
    });
    Vec::from_hex(line.unwrap_or_else(|| panic!("no vector {name}"))).unwrap()
}

fn point(name: &str) -> PublicKey {
    PublicKey::from_slice(&bytes(name)).unwrap()
}

fn secret_key(name: &str) -> SecretKey {
    SecretKey::from_slice(&bytes(name)).unwrap()
}

/// The nodes of all vectors have keys of one byte repeated.
fn node_key(index: usize) -> SecretKey {
    let byte = 0x41 + u8::try_from(index).unwrap();
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

fn session(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

#[test]
fn payment_onion_is_built_and_peeled() {
    let hops: Vec<OnionHop> = (0..5)
        .map(|i| OnionHop {
            public_key: point(&format!("payment.{i}.pubkey")),
            payload: bytes(&format!("payment.{i}.payload")),
        })
        .collect();
    let built = construct(&session(0x41), &hops, &ASSOCIATED_DATA, PAYMENT_PAYLOADS).unwrap();
    assert_eq!(
        built.packet.to_bytes().as_hex().to_string(),
        bytes("payment.onion").as_hex().to_string()
    );
    let mut packet = OnionPacket::from_bytes(&bytes("payment.onion")).unwrap();
    for (index, hop) in hops.iter().enumerate() {
        let secret = SharedSecret::ecdh(&packet.public_key, &node_key(index));
        assert_eq!(secret, built.shared_secrets[index]);
        match peel(&packet, &secret, &ASSOCIATED_DATA).unwrap() {
            Peeled::Forward {
                payload,
                next_packet,
            } => {
                assert!(index < 4);
                assert_eq!(payload, hop.payload);
                packet = next_packet;
            }
            Peeled::Final { payload } => {
                assert_eq!(index, 4);
                assert_eq!(payload, hop.payload);
            }
        }
    }
    let last = HopPayload::read(&hops[4].payload, &[]).unwrap();
    assert_eq!(last.amt_to_forward, Some(Msat::from_msat(10_000)));
    assert_eq!(last.outgoing_cltv_value, Some(CltvExpiry(1000)));
    assert_eq!(last.payment_data.unwrap().total_msat.as_msat(), 10_000);
    assert_eq!(last.unknown.len(), 1);
}

fn secrets() -> Vec<SharedSecret> {
    let secret = |i| SharedSecret(bytes(&format!("error.{i}.secret")).try_into().unwrap());
    (0..5).map(secret).collect()
}

#[test]
fn error_is_sealed_wrapped_and_opened() {
    let secrets = secrets();
    let message = FailureMessage::TemporaryNodeFailure {}.to_bytes();
    assert_eq!(message, bytes("error.message"));
    let mut packet = create_failure_packet(&secrets[4], &message, FAILURE_LENGTH);
    for secret in secrets.iter().rev() {
        wrap_failure_packet(secret, &mut packet);
    }
    assert_eq!(packet, bytes("error.packet"));
    let opened = open_failure(&secrets, &packet, None);
    assert_eq!(opened.failure, Some((4, message)));
    let last = packet.len() - 1;
    packet[last] ^= 1;
    assert_eq!(open_failure(&secrets, &packet, None).failure, None);
}

#[test]
fn attributed_error_is_built_and_opened() {
    let secrets = secrets();
    let message = bytes("attributed.message");
    assert_eq!(
        FailureMessage::read(&message).unwrap(),
        FailureMessage::IncorrectOrUnknownPaymentDetails {
            htlc_msat: Msat::from_msat(100),
            height: BlockHeight(800_000),
        }
    );
    // The vector's message already carries its padding's length and padding.
    let failure = &message[..320];
    let mut packet = create_failure_packet(&secrets[4], failure, 1024);
    assert_eq!(packet, bytes("attributed.raw"));
    // The vectors were made with the hold times in the reverse of the order the text lists them in.
    let mut data = None;
    for index in (0..5).rev() {
        let held = HoldTime(5 - u32::try_from(index).unwrap());
        let secret = &secrets[index];
        let added = AttributionData::relay(data.as_ref(), secret, Some(&packet), held);
        wrap_failure_packet(secret, &mut packet);
        assert_eq!(packet, bytes(&format!("attributed.{index}.packet")));
        assert!(added.to_bytes() == bytes(&format!("attributed.{index}.data")));
        data = Some(added);
    }
    let data = data.unwrap();
    let opened = open_failure(&secrets, &packet, Some(&data));
    assert_eq!(opened.failure.unwrap().0, 4);
    assert_eq!(opened.hold_times, [5, 4, 3, 2, 1].map(HoldTime));
}

#[test]
fn a_changed_attributed_error_is_blamed_on_the_right_hop() {
    let secrets = secrets();
    let mut packet = create_failure_packet(&secrets[4], &[0x20, 0x02], FAILURE_LENGTH);
    let mut data = None;
    for index in (0..5).rev() {
        let secret = &secrets[index];
        data = Some(AttributionData::relay(
            data.as_ref(),
            secret,
            Some(&packet),
            HoldTime(7),
        ));
        wrap_failure_packet(secret, &mut packet);
        if index == 2 {
            packet[40] ^= 1;
        }
    }
    let opened = open_failure(&secrets, &packet, data.as_ref());
    assert_eq!(opened.failure, None);
    assert_eq!(opened.hold_times, [HoldTime(7); 2]);
}

#[test]
fn attributed_success_is_built_and_opened() {
    let secrets = secrets();
    let mut data = None;
    for index in (0..5).rev() {
        let held = HoldTime(5 - u32::try_from(index).unwrap());
        let added = AttributionData::relay(data.as_ref(), &secrets[index], None, held);
        assert_eq!(added.to_bytes(), bytes(&format!("fulfilled.{index}.data")));
        data = Some(added);
    }
    let times = open_fulfill(&secrets, &data.unwrap());
    assert_eq!(times, [5, 4, 3, 2, 1].map(HoldTime));
}

#[test]
fn route_is_blinded_and_unblinded() {
    let hop = |i: usize| {
        (
            point(&format!("blinding.{i}.node_id")),
            bytes(&format!("blinding.{i}.plain")),
        )
    };
    // Two paths joined: Bob and Carol with one session key, Dave and Eve with another.
    let first = blind_path(&session(2), &[hop(0), hop(1)]).unwrap();
    let second = blind_path(&session(1), &[hop(2), hop(3)]).unwrap();
    assert_eq!(first.first_path_key, point("blinding.0.path_key"));
    assert_eq!(first.last_path_key, point("blinding.1.path_key"));
    assert_eq!(second.last_path_key, point("blinding.3.path_key"));
    for (i, hop) in first.hops.iter().chain(&second.hops).enumerate() {
        assert_eq!(
            hop.blinded_node_id,
            point(&format!("blinding.{i}.blinded_id"))
        );
        assert_eq!(
            hop.encrypted_recipient_data,
            bytes(&format!("blinding.{i}.encrypted"))
        );
        let node = [1, 2, 3, 4][i];
        let path_key = point(&format!("blinding.{i}.path_key"));
        let secret = SharedSecret::ecdh(&path_key, &node_key(node));
        assert_eq!(secret.0.to_vec(), bytes(&format!("blinding.{i}.secret")));
        let found = unblind_hop(&secret, &path_key, &hop.encrypted_recipient_data).unwrap();
        assert_eq!(found.data.to_bytes(), bytes(&format!("blinding.{i}.plain")));
        assert_eq!(
            found.next_path_key,
            point(&format!("blinding.{i}.next_path_key"))
        );
    }
    let mut changed = first.hops[0].encrypted_recipient_data.clone();
    changed[0] ^= 1;
    let path_key = point("blinding.0.path_key");
    let secret = SharedSecret::ecdh(&path_key, &node_key(1));
    assert!(unblind_hop(&secret, &path_key, &changed).is_err());
}

/// The blinded path of the payment vector, reached through Alice.
fn partly_blinded() -> Vec<OnionHop> {
    let route = [
        RouteHop {
            node_id: point("partly.0.pubkey"),
            short_channel_id: ShortChannelId::from_u64(9),
            amount: Msat::from_msat(110_125),
            cltv_expiry: CltvExpiry(749_150),
        },
        RouteHop {
            node_id: point("partly.1.pubkey"),
            short_channel_id: ShortChannelId::from_u64(10),
            amount: Msat::from_msat(110_125),
            cltv_expiry: CltvExpiry(749_150),
        },
    ];
    let end = LastHop::Blinded {
        first_path_key: point("partly.first_path_key"),
        hops: (0..4)
            .map(|i| BlindedHop {
                blinded_node_id: point(&format!("partly.blinded.{i}.id")),
                encrypted_recipient_data: bytes(&format!("partly.blinded.{i}.encrypted")),
            })
            .collect(),
        amount: Msat::from_msat(100_000),
        total: Msat::from_msat(150_000),
        cltv_expiry: CltvExpiry(749_000),
    };
    payloads_for_route(&route, &end).unwrap()
}

#[test]
fn payment_to_a_blinded_route_is_built_and_followed() {
    let hops = partly_blinded();
    for (i, hop) in hops.iter().enumerate() {
        assert_eq!(hop.public_key, point(&format!("partly.{i}.pubkey")));
        assert_eq!(hop.payload, bytes(&format!("partly.{i}.payload")));
    }
    let built = construct(&session(3), &hops, &ASSOCIATED_DATA, PAYMENT_PAYLOADS).unwrap();
    assert_eq!(built.packet.to_bytes(), bytes("partly.0.onion"));

    let mut packet = built.packet;
    let mut path_key = None;
    let mut htlc = HtlcIn {
        amount: Msat::from_msat(110_125),
        cltv_expiry: CltvExpiry(749_150),
        has_path_key: false,
        is_final: false,
    };
    for i in 0..5 {
        assert_eq!(packet.to_bytes(), bytes(&format!("partly.{i}.onion")));
        htlc.has_path_key = path_key.is_some();
        let mut public_key = packet.public_key;
        if let Some(path_key) = &path_key {
            let secret = SharedSecret::ecdh(path_key, &node_key(i));
            public_key = blind_ephemeral_key(&secret, &public_key).unwrap();
        }
        let secret = SharedSecret::ecdh(&public_key, &node_key(i));
        let (payload, next) = open_layer(&packet, &secret, &ASSOCIATED_DATA);
        htlc.is_final = next.is_none();
        let payload = HopPayload::read(&payload, &[]).unwrap();
        let unblinded = payload.encrypted_recipient_data.as_ref().map(|data| {
            let path_key = path_key.or(payload.current_path_key).unwrap();
            let secret = SharedSecret::ecdh(&path_key, &node_key(i));
            unblind_hop(&secret, &path_key, data).unwrap()
        });
        let todo = instruction(&payload, &htlc, unblinded.as_ref()).unwrap();
        match todo {
            Instruction::Forward {
                to,
                amount,
                cltv_expiry,
                next_path_key,
            } => {
                let channel = [10, 1, 2, 3][i];
                assert_eq!(to, ForwardTo::Channel(ShortChannelId::from_u64(channel)));
                if i > 0 {
                    let expected = point(&format!("partly.{i}.next_path_key"));
                    assert_eq!(next_path_key, Some(expected));
                }
                htlc.amount = amount;
                htlc.cltv_expiry = cltv_expiry;
                path_key = next_path_key;
                packet = next.unwrap();
            }
            Instruction::Receive {
                amount,
                total,
                cltv_expiry,
                path_id,
                ..
            } => {
                assert_eq!(i, 4);
                assert_eq!((amount.as_msat(), total.as_msat()), (100_000, 150_000));
                assert_eq!(cltv_expiry, CltvExpiry(749_000));
                assert_eq!(path_id.unwrap().len(), 22);
                assert!(htlc.amount >= amount);
            }
        }
    }
}

#[test]
fn onion_message_is_built_and_followed() {
    // Dave's path through Bob and Carol, and the sender's own hop through Alice in front.
    let alice = (session_point(0), bytes("message.0.plain"));
    let front = blind_path(&session(0x63), &[alice]).unwrap();
    let rest: Vec<_> = (1..4)
        .map(|i| (session_point(i), bytes(&format!("message.{i}.plain"))))
        .collect();
    let back = blind_path(&session(1), &rest).unwrap();
    let path: Vec<BlindedHop> = front.hops.into_iter().chain(back.hops).collect();
    for (i, hop) in path.iter().enumerate() {
        assert_eq!(
            hop.blinded_node_id,
            point(&format!("message.{i}.blinded_id"))
        );
        let encrypted = bytes(&format!("message.{i}.encrypted"));
        assert_eq!(hop.encrypted_recipient_data, encrypted);
    }
    let hello = OnionMessagePayload {
        unknown: vec![TlvRecord {
            number: 1,
            value: b"hello".to_vec(),
        }],
        ..OnionMessagePayload::default()
    };
    let hops = message_hops(&path, &hello);
    let built = construct(&session(3), &hops, &[], message_size(&hops)).unwrap();
    assert_eq!(built.packet.to_bytes(), bytes("message.packet"));

    let mut packet = built.packet;
    let mut path_key = secret_key("message.0.path_secret").public_key(&secp());
    for i in 0..4 {
        assert_eq!(packet.to_bytes(), bytes(&format!("message.{i}.packet")));
        assert_eq!(path_key, point(&format!("message.{i}.path_key")));
        let path_secret = SharedSecret::ecdh(&path_key, &node_key(i));
        let public_key = blind_ephemeral_key(&path_secret, &packet.public_key).unwrap();
        let secret = SharedSecret::ecdh(&public_key, &node_key(i));
        let (payload, next) = open_layer(&packet, &secret, &[]);
        let payload = OnionMessagePayload::from_bytes(&payload).unwrap();
        let data = payload.encrypted_recipient_data.unwrap();
        path_key = unblind_hop(&path_secret, &path_key, &data)
            .unwrap()
            .next_path_key;
        match next {
            Some(next) => packet = next,
            None => assert_eq!((i, payload.unknown), (3, hello.unknown.clone())),
        }
    }
}

fn secp() -> bitcoin::secp256k1::Secp256k1<bitcoin::secp256k1::All> {
    bitcoin::secp256k1::Secp256k1::new()
}

fn session_point(index: usize) -> PublicKey {
    node_key(index).public_key(&secp())
}

fn open_layer(
    packet: &OnionPacket,
    secret: &SharedSecret,
    associated_data: &[u8],
) -> (Vec<u8>, Option<OnionPacket>) {
    match peel(packet, secret, associated_data).unwrap() {
        Peeled::Forward {
            payload,
            next_packet,
        } => (payload, Some(next_packet)),
        Peeled::Final { payload } => (payload, None),
    }
}
