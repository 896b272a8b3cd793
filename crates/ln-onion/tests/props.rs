//! Properties: what is built can be peeled, whoever fails is found, and bytes from outside never panic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use bitcoin::secp256k1::{Secp256k1, SecretKey};
use ln_codec::{Decode, Encode};
use ln_onion::{
    AttributionData, BlindedPath, EncryptedData, FailureMessage, HoldTime, HopPayload, OnionHop,
    OnionMessagePayload, OnionPacket, Peeled, SharedSecret, construct, create_failure_packet,
    open_failure, peel, wrap_failure_packet,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_filter_map("a key", |bytes| SecretKey::from_slice(&bytes).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_built_is_peeled(
        session in key(),
        route in vec((key(), vec(any::<u8>(), 2..300)), 1..12),
        size in 1300_usize..4000,
        data in vec(any::<u8>(), 0..40),
    ) {
        let secp = Secp256k1::new();
        let hops: Vec<OnionHop> = route
            .iter()
            .map(|(key, payload)| OnionHop { public_key: key.public_key(&secp), payload: payload.clone() })
            .collect();
        let built = construct(&session, &hops, &data, size);
        let frames: usize = route
            .iter()
            .map(|(_, payload)| payload.len() + 32 + if payload.len() < 0xfd { 1 } else { 3 })
            .sum();
        prop_assert_eq!(built.is_ok(), frames <= size);
        let Ok(built) = built else { return Ok(()) };
        let mut packet = built.packet;
        for (index, (key, payload)) in route.iter().enumerate() {
            packet = OnionPacket::from_bytes(&packet.to_bytes()).unwrap();
            prop_assert_eq!(packet.hop_payloads.len(), size);
            let secret = SharedSecret::ecdh(&packet.public_key, key);
            prop_assert_eq!(secret, built.shared_secrets[index]);
            match peel(&packet, &secret, &data).unwrap() {
                Peeled::Forward { payload: found, next_packet } => {
                    prop_assert_eq!(&found, payload);
                    prop_assert!(index + 1 < route.len());
                    packet = next_packet;
                }
                Peeled::Final { payload: found } => {
                    prop_assert_eq!(&found, payload);
                    prop_assert_eq!(index + 1, route.len());
                }
            }
        }
    }

    #[test]
    fn whoever_fails_is_found(
        secrets in vec(any::<[u8; 32]>().prop_map(SharedSecret), 1..26),
        who in any::<prop::sample::Index>(),
        message in vec(any::<u8>(), 2..400),
    ) {
        let who = who.index(secrets.len());
        let mut packet = create_failure_packet(&secrets[who], &message, 256);
        let mut data: Option<AttributionData> = None;
        for (index, secret) in secrets.iter().enumerate().take(who + 1).rev() {
            let held = HoldTime(u32::try_from(index).unwrap());
            data = Some(AttributionData::relay(data.as_ref(), secret, Some(&packet), held));
            wrap_failure_packet(secret, &mut packet);
        }
        let opened = open_failure(&secrets, &packet, data.as_ref());
        prop_assert_eq!(opened.failure, Some((who, message)));
        if secrets.len() <= 20 {
            let expected: Vec<HoldTime> = (0..=who).map(|i| HoldTime(u32::try_from(i).unwrap())).collect();
            prop_assert_eq!(opened.hold_times, expected);
        }
    }

    #[test]
    fn bytes_from_outside_never_panic(bytes in vec(any::<u8>(), 0..1500), secret in any::<[u8; 32]>()) {
        let secret = SharedSecret(secret);
        if let Ok(packet) = OnionPacket::from_bytes(&bytes) {
            prop_assert!(peel(&packet, &secret, &[]).is_err());
        }
        let _ = open_failure(&[secret], &bytes, None);
        let _ = HopPayload::read(&bytes, &[1, 2, 4, 5_482_373_484]);
        let _ = EncryptedData::from_bytes(&bytes);
        let _ = OnionMessagePayload::from_bytes(&bytes);
        let _ = BlindedPath::from_bytes(&bytes);
        if let Ok(failure) = FailureMessage::read(&bytes) {
            prop_assert!(bytes.starts_with(&failure.to_bytes()));
        }
    }
}
