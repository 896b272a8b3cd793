//! BOLT 8 §Appendix A: Transport Test Vectors.
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

use bitcoin::secp256k1::ecdh::SharedSecret;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use data_encoding::HEXLOWER;
use ln_noise::{
    Act, Decryptor, Encryptor, HandshakeError, Initiator, Next, Responder,
    ResponderAwaitingActThree, Session,
};

const INITIATOR_ID: &str = "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa";
const RESPONDER_ID: &str = "028d7500dd4c12685d1f568b4c2b5048e8534b873319f3a8daa612b469132ec7f7";
const ACT_ONE: &str = "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a";
const ACT_TWO: &str = "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae";
const ACT_THREE: &str = "00b9e3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa22355361aa02e55a8fc28fef5bd6d71ad0c38228dc68b1c466263b47fdf31e560e139ba";
const CHAINING_KEY: &str = "919219dbb2920afa8db80f9a51787a840bcf111ed8d588caf9ab4be716e42b01";
const INITIATOR_SENDS: &str = "969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9";
const RESPONDER_SENDS: &str = "bb9020b8965f4df047e07f955f3c4b88418984aadc5cdb35096b9ea8fa5c3442";

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn array(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

fn point(text: &str) -> PublicKey {
    text.parse().unwrap()
}

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

fn initiator() -> Initiator {
    let (initiator, act_one) =
        Initiator::start(point(INITIATOR_ID), point(RESPONDER_ID), secret(0x12));
    assert_eq!(HEXLOWER.encode(&act_one), ACT_ONE);
    initiator
}

fn answer(act_one: &str) -> Result<ResponderAwaitingActThree, HandshakeError> {
    let read = Responder::new(point(RESPONDER_ID)).read_act_one(&hex(act_one))?;
    let shared = SharedSecret::new(&read.point(), &secret(0x21));
    let (responder, act_two) = read.answer(shared, secret(0x22))?;
    assert_eq!(HEXLOWER.encode(&act_two), ACT_TWO);
    Ok(responder)
}

fn act_two_error(act_two: &str) -> HandshakeError {
    initiator()
        .read_act_two(&hex(act_two))
        .map(|_| ())
        .unwrap_err()
}

fn act_one_error(act_one: &str) -> HandshakeError {
    answer(act_one).map(|_| ()).unwrap_err()
}

fn act_three_error(act_three: &str) -> HandshakeError {
    answer(ACT_ONE)
        .unwrap()
        .read_act_three(&hex(act_three))
        .unwrap_err()
}

fn has_keys(mut session: Session, sending: &str, receiving: &str) {
    let (mut ours, mut expected) = (Vec::new(), Vec::new());
    session.encryptor.encrypt(b"x", &mut ours).unwrap();
    Encryptor::new(&array(sending), &array(CHAINING_KEY))
        .encrypt(b"x", &mut expected)
        .unwrap();
    assert_eq!(ours, expected);
    let mut theirs = Vec::new();
    Encryptor::new(&array(receiving), &array(CHAINING_KEY))
        .encrypt(b"y", &mut theirs)
        .unwrap();
    let Next::Message { message, .. } = session.decryptor.decrypt(&mut theirs).unwrap() else {
        panic!("incomplete")
    };
    assert_eq!(message, b"y");
}

#[test]
fn transport_initiator_successful_handshake() {
    let read = initiator().read_act_two(&hex(ACT_TWO)).unwrap();
    let shared = SharedSecret::new(&read.point(), &secret(0x11));
    let (act_three, session) = read.finish(shared);
    assert_eq!(HEXLOWER.encode(&act_three), ACT_THREE);
    assert_eq!(session.remote, point(RESPONDER_ID));
    has_keys(session, INITIATOR_SENDS, RESPONDER_SENDS);
}

#[test]
fn transport_initiator_act2_short_read() {
    let expected = HandshakeError::Length {
        act: Act::Two,
        got: 49,
        expected: 50,
    };
    assert_eq!(act_two_error(&ACT_TWO[..98]), expected);
}

#[test]
fn transport_initiator_act2_bad_version() {
    let bad = "0102466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae";
    assert_eq!(
        act_two_error(bad),
        HandshakeError::Version {
            act: Act::Two,
            version: 1
        }
    );
}

#[test]
fn transport_initiator_act2_bad_key_serialization() {
    let bad = "0004466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730ae";
    assert_eq!(
        act_two_error(bad),
        HandshakeError::PublicKey { act: Act::Two }
    );
}

#[test]
fn transport_initiator_act2_bad_mac() {
    let bad = "0002466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276e2470b93aac583c9ef6eafca3f730af";
    assert_eq!(act_two_error(bad), HandshakeError::Tag { act: Act::Two });
}

#[test]
fn transport_responder_successful_handshake() {
    let session = answer(ACT_ONE)
        .unwrap()
        .read_act_three(&hex(ACT_THREE))
        .unwrap();
    assert_eq!(session.remote, point(INITIATOR_ID));
    has_keys(session, RESPONDER_SENDS, INITIATOR_SENDS);
}

#[test]
fn transport_responder_act1_short_read() {
    let expected = HandshakeError::Length {
        act: Act::One,
        got: 49,
        expected: 50,
    };
    assert_eq!(act_one_error(&ACT_ONE[..98]), expected);
}

#[test]
fn transport_responder_act1_bad_version() {
    let bad = "01036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a";
    assert_eq!(
        act_one_error(bad),
        HandshakeError::Version {
            act: Act::One,
            version: 1
        }
    );
}

#[test]
fn transport_responder_act1_bad_key_serialization() {
    let bad = "00046360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6a";
    assert_eq!(
        act_one_error(bad),
        HandshakeError::PublicKey { act: Act::One }
    );
}

#[test]
fn transport_responder_act1_bad_mac() {
    let bad = "00036360e856310ce5d294e8be33fc807077dc56ac80d95d9cd4ddbd21325eff73f70df6086551151f58b8afe6c195782c6b";
    assert_eq!(act_one_error(bad), HandshakeError::Tag { act: Act::One });
}

#[test]
fn transport_responder_act3_bad_version() {
    let bad = format!("01{}", &ACT_THREE[2..]);
    assert_eq!(
        act_three_error(&bad),
        HandshakeError::Version {
            act: Act::Three,
            version: 1
        }
    );
}

#[test]
fn transport_responder_act3_short_read() {
    let expected = HandshakeError::Length {
        act: Act::Three,
        got: 65,
        expected: 66,
    };
    assert_eq!(act_three_error(&ACT_THREE[..130]), expected);
}

#[test]
fn transport_responder_act3_bad_mac_for_ciphertext() {
    let bad = format!("00c9{}", &ACT_THREE[4..]);
    assert_eq!(
        act_three_error(&bad),
        HandshakeError::Ciphertext { act: Act::Three }
    );
}

#[test]
fn transport_responder_act3_bad_rs() {
    let bad = "00bfe3a702e93e3a9948c2ed6e5fd7590a6e1c3a0344cfc9d5b57357049aa2235536ad09a8ee351870c2bb7f78b754a26c6cef79a98d25139c856d7efd252c2ae73c";
    assert_eq!(
        act_three_error(bad),
        HandshakeError::PublicKey { act: Act::Three }
    );
}

#[test]
fn transport_responder_act3_bad_mac() {
    let bad = format!("{}bb", &ACT_THREE[..130]);
    assert_eq!(
        act_three_error(&bad),
        HandshakeError::Tag { act: Act::Three }
    );
}

#[test]
fn transport_message_test() {
    let outputs = [
        (
            0,
            "cf2b30ddf0cf3f80e7c35a6e6730b59fe802473180f396d88a8fb0db8cbcf25d2f214cf9ea1d95",
        ),
        (
            1,
            "72887022101f0b6753e0c7de21657d35a4cb2a1f5cde2650528bbc8f837d0f0d7ad833b1a256a1",
        ),
        (
            500,
            "178cb9d7387190fa34db9c2d50027d21793c9bc2d40b1e14dcf30ebeeeb220f48364f7a4c68bf8",
        ),
        (
            501,
            "1b186c57d44eb6de4c057c49940d79bb838a145cb528d6e8fd26dbe50a60ca2c104b56b60e45bd",
        ),
        (
            1000,
            "4a2f3cc3b5e78ddb83dcb426d9863d9d9a723b0337c89dd0b005d89f8d3c05c52b76b29b740f09",
        ),
        (
            1001,
            "2ecd8c8a5629d0d02ab457a0fdd0f7b90a192cd46be5ecb6ca570bfc5e268338b1a16cf4ef2d36",
        ),
    ];
    let mut encryptor = Encryptor::new(&array(INITIATOR_SENDS), &array(CHAINING_KEY));
    let mut decryptor = Decryptor::new(&array(INITIATOR_SENDS), &array(CHAINING_KEY));
    let mut expected = outputs.iter().peekable();
    for index in 0..=1001 {
        let mut frame = Vec::new();
        encryptor.encrypt(b"hello", &mut frame).unwrap();
        if let Some((_, output)) = expected.next_if(|(at, _)| *at == index) {
            assert_eq!(HEXLOWER.encode(&frame), *output, "output {index}");
        }
        let Next::Message { message, used } = decryptor.decrypt(&mut frame).unwrap() else {
            panic!("incomplete")
        };
        assert_eq!((&*message, used), (&b"hello"[..], 39));
    }
    assert!(expected.next().is_none());
}
