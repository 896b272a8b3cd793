//! Properties of the transport and what a hostile peer may send (T1 and T3 of the list of bad inputs).
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ln_noise::{
    Decryptor, Encryptor, HandshakeError, Initiator, MAX_MESSAGE_LENGTH, Next, Responder, Session,
    TransportError,
};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const CHAINING_KEY: [u8; 32] = [8; 32];

fn pair() -> (Encryptor, Decryptor) {
    (
        Encryptor::new(&KEY, &CHAINING_KEY),
        Decryptor::new(&KEY, &CHAINING_KEY),
    )
}

fn id(secret: &SecretKey) -> PublicKey {
    PublicKey::from_secret_key(&Secp256k1::new(), secret)
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

/// A handshake in which act number `bad.0` is changed by `bad.1`.
fn handshake(
    [alice, alice_once, bob, bob_once]: [SecretKey; 4],
    expected: PublicKey,
    tamper: impl Fn(usize, &mut Vec<u8>),
) -> Result<(Session, Session), HandshakeError> {
    let carry = |number: usize, act: &[u8]| {
        let mut act = act.to_vec();
        tamper(number, &mut act);
        act
    };
    let (initiator, act_one) = Initiator::start(id(&alice), expected, alice_once);
    let read = Responder::new(id(&bob)).read_act_one(&carry(1, &act_one))?;
    let shared = SharedSecret::new(&read.point(), &bob);
    let (responder, act_two) = read.answer(shared, bob_once)?;
    let read = initiator.read_act_two(&carry(2, &act_two))?;
    let shared = SharedSecret::new(&read.point(), &alice);
    let (act_three, at_alice) = read.finish(shared);
    let at_bob = responder.read_act_three(&carry(3, &act_three))?;
    Ok((at_alice, at_bob))
}

fn keys() -> impl Strategy<Value = [SecretKey; 4]> {
    any::<[[u8; 31]; 4]>().prop_map(|seeds| {
        seeds.map(|seed| {
            let mut bytes = [1; 32];
            bytes[1..].copy_from_slice(&seed);
            SecretKey::from_slice(&bytes).unwrap()
        })
    })
}

/// Feeds a stream in pieces and collects the messages.
fn receive(
    decryptor: &mut Decryptor,
    stream: &[u8],
    pieces: &[usize],
) -> Result<Vec<Vec<u8>>, TransportError> {
    let (mut buffer, mut messages, mut sent) = (Vec::new(), Vec::new(), 0);
    for piece in pieces.iter().copied().chain([stream.len()]) {
        let end = (sent + piece).min(stream.len());
        buffer.extend_from_slice(&stream[sent..end]);
        sent = end;
        loop {
            match decryptor.decrypt(&mut buffer)? {
                Next::Message { message, used } => {
                    messages.push(message.to_vec());
                    buffer.drain(..used);
                }
                Next::Need { total } => {
                    assert!(total > buffer.len());
                    break;
                }
            }
        }
    }
    assert!(buffer.is_empty());
    Ok(messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_sides_of_any_handshake_agree(keys in keys()) {
        let (mut at_alice, mut at_bob) = handshake(keys, id(&keys[2]), |_, _| ()).unwrap();
        prop_assert_eq!(at_alice.remote, id(&keys[2]));
        prop_assert_eq!(at_bob.remote, id(&keys[0]));
        let mut frame = Vec::new();
        at_bob.encryptor.encrypt(b"from bob", &mut frame).unwrap();
        at_alice.encryptor.encrypt(b"from alice", &mut Vec::new()).unwrap();
        let Next::Message { message, .. } = at_alice.decryptor.decrypt(&mut frame).unwrap() else { panic!() };
        prop_assert_eq!(&*message, b"from bob");
    }

    #[test]
    fn one_flipped_bit_of_any_act_ends_the_handshake(keys in keys(), act in 1..=3_usize, byte in 0..66_usize, bit in 0..8_u32) {
        let result = handshake(keys, id(&keys[2]), |number, bytes| {
            if number == act {
                let byte = byte % bytes.len();
                bytes[byte] ^= 1_u8 << bit;
            }
        });
        prop_assert!(result.is_err());
    }

    #[test]
    fn a_wrong_length_of_any_act_ends_the_handshake(keys in keys(), act in 1..=3_usize, length in 0..200_usize) {
        let result = handshake(keys, id(&keys[2]), |number, bytes| {
            if number == act {
                bytes.resize(if length == bytes.len() { 0 } else { length }, 0);
            }
        });
        let refused = matches!(result, Err(HandshakeError::Length { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn arbitrary_acts_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(read) = Responder::new(id(&key(1))).read_act_one(&bytes) {
            let shared = SharedSecret::new(&read.point(), &key(1));
            prop_assert!(read.answer(shared, key(2)).is_err());
        }
        let (initiator, _) = Initiator::start(id(&key(1)), id(&key(2)), key(3));
        prop_assert!(initiator.read_act_two(&bytes).is_err());
    }

    #[test]
    fn messages_survive_any_way_of_cutting_the_stream(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..40),
        pieces in proptest::collection::vec(0..500_usize, 0..40),
    ) {
        let (mut encryptor, mut decryptor) = pair();
        let mut stream = Vec::new();
        for message in &messages {
            encryptor.encrypt(message, &mut stream).unwrap();
        }
        prop_assert_eq!(receive(&mut decryptor, &stream, &pieces).unwrap(), messages);
    }

    #[test]
    fn one_flipped_bit_of_a_frame_is_found(message in proptest::collection::vec(any::<u8>(), 0..100), at in any::<usize>(), bit in 0..8_u32) {
        let (mut encryptor, mut decryptor) = pair();
        let mut frame = Vec::new();
        encryptor.encrypt(&message, &mut frame).unwrap();
        let at = at % frame.len();
        frame[at] ^= 1_u8 << bit;
        prop_assert!(decryptor.decrypt(&mut frame).is_err());
    }

    #[test]
    fn garbage_is_refused(mut bytes in proptest::collection::vec(any::<u8>(), 18..200)) {
        prop_assert_eq!(pair().1.decrypt(&mut bytes), Err(TransportError::LengthTag));
    }

    #[test]
    fn frames_equal_those_of_another_cipher_implementation(message in proptest::collection::vec(any::<u8>(), 0..500)) {
        let mut frame = Vec::new();
        pair().0.encrypt(&message, &mut frame).unwrap();
        let oracle = ChaCha20Poly1305::new_from_slice(&KEY).unwrap();
        let nonce = |counter: u8| Nonce::from([0, 0, 0, 0, counter, 0, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        let mut expected = oracle.encrypt(&nonce(0), &length[..]).unwrap();
        expected.extend(oracle.encrypt(&nonce(1), &message[..]).unwrap());
        prop_assert_eq!(frame, expected);
    }
}

#[test]
fn a_peer_that_wants_another_node_is_refused_at_act_one() {
    let result = handshake([key(1), key(2), key(3), key(4)], id(&key(5)), |_, _| ());
    assert!(matches!(
        result,
        Err(HandshakeError::Tag {
            act: ln_noise::Act::One
        })
    ));
}

#[test]
fn points_off_the_curve_and_the_point_at_infinity_are_refused() {
    let (_, act_one) = Initiator::start(id(&key(1)), id(&key(2)), key(3));
    for bad in [[0; 33], [2; 33], [0xff; 33]] {
        let mut act = act_one;
        act[1..34].copy_from_slice(&bad);
        if bad == [2; 33] {
            act[2..34].copy_from_slice(&[0xff; 32]);
        }
        let result = Responder::new(id(&key(2))).read_act_one(&act);
        assert!(matches!(
            result.map(|_| ()),
            Err(HandshakeError::PublicKey { .. })
        ));
    }
}

#[test]
fn act_one_reflected_as_act_two_is_refused() {
    let (initiator, act_one) = Initiator::start(id(&key(1)), id(&key(2)), key(3));
    assert!(initiator.read_act_two(&act_one).is_err());
}

#[test]
fn empty_and_longest_messages_pass_and_longer_ones_are_refused_without_harm() {
    let (mut encryptor, mut decryptor) = pair();
    let longest = vec![0xab; MAX_MESSAGE_LENGTH];
    let mut stream = b"before".to_vec();
    encryptor.encrypt(b"", &mut stream).unwrap();
    let refused = encryptor.encrypt(&vec![0; MAX_MESSAGE_LENGTH + 1], &mut stream);
    assert_eq!(refused, Err(TransportError::TooLong { length: 65536 }));
    let length = stream.len();
    let refused = encryptor.encrypt_with(&mut stream, |out| out.resize(out.len() + 70_000, 1));
    assert_eq!(refused, Err(TransportError::TooLong { length: 70_000 }));
    assert_eq!(stream.len(), length);
    encryptor.encrypt(&longest, &mut stream).unwrap();
    assert_eq!(&stream[..6], b"before");
    assert_eq!(
        receive(&mut decryptor, &stream[6..], &[]).unwrap(),
        [vec![], longest]
    );
}

#[test]
fn a_length_followed_by_silence_asks_for_exactly_the_frame() {
    let (mut encryptor, mut decryptor) = pair();
    let mut stream = Vec::new();
    encryptor.encrypt(&[1; 1000], &mut stream).unwrap();
    assert_eq!(decryptor.decrypt(&mut []), Ok(Next::Need { total: 18 }));
    assert_eq!(
        decryptor.decrypt(&mut stream[..17]),
        Ok(Next::Need { total: 18 })
    );
    for _ in 0..3 {
        assert_eq!(
            decryptor.decrypt(&mut stream[..18]),
            Ok(Next::Need { total: 1034 })
        );
    }
    assert!(matches!(
        decryptor.decrypt(&mut stream),
        Ok(Next::Message { used: 1034, .. })
    ));
}

#[test]
fn a_replayed_frame_is_refused() {
    let (mut encryptor, mut decryptor) = pair();
    let mut stream = Vec::new();
    encryptor.encrypt(b"once", &mut stream).unwrap();
    let mut again = stream.clone();
    assert!(decryptor.decrypt(&mut stream).is_ok());
    assert_eq!(
        decryptor.decrypt(&mut again),
        Err(TransportError::LengthTag)
    );
}

#[test]
fn many_rotations_keep_both_sides_together() {
    let (mut encryptor, mut decryptor) = pair();
    for number in 0..2600_u32 {
        let mut frame = Vec::new();
        encryptor
            .encrypt(&number.to_be_bytes(), &mut frame)
            .unwrap();
        let Next::Message { message, .. } = decryptor.decrypt(&mut frame).unwrap() else {
            panic!("incomplete")
        };
        assert_eq!(*message, number.to_be_bytes());
    }
}
