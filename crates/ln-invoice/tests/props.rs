//! Properties: what is written is read back, here and by another implementation; nothing from outside panics.
#![allow(clippy::unwrap_used)]

use std::str::FromStr;

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::{PubkeyHash, ScriptBuf, ScriptHash, WPubkeyHash, WScriptHash};
use ln_invoice::{
    Description, EncodeError, Expectations, Invoice, RouteHint, decode, decode_unsigned,
};
use ln_types::{
    CltvDelta, Features, Msat, Network, NodeId, PaymentHash, PaymentSecret, ShortChannelId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_filter_map("a key", |bytes| SecretKey::from_slice(&bytes).ok())
}

fn node_id() -> impl Strategy<Value = NodeId> {
    key().prop_map(|key| key.public_key(&Secp256k1::new()).into())
}

prop_compose! {
    fn hint()(node_id in node_id(), scid: u64, fees: (u32, u32), delta: u16) -> RouteHint {
        RouteHint {
            node_id,
            short_channel_id: ShortChannelId::from_u64(scid),
            fee_base_msat: fees.0,
            fee_proportional_millionths: fees.1,
            cltv_expiry_delta: CltvDelta(delta),
        }
    }
}

fn fallback() -> impl Strategy<Value = ScriptBuf> {
    prop_oneof![
        any::<[u8; 20]>().prop_map(|h| ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(h))),
        any::<[u8; 20]>().prop_map(|h| ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(h))),
        any::<[u8; 20]>().prop_map(|h| ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(h))),
        any::<[u8; 32]>().prop_map(|h| ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array(h))),
    ]
}

fn description() -> impl Strategy<Value = Description> {
    prop_oneof![
        "\\PC{0,150}".prop_map(Description::Text),
        any::<[u8; 32]>().prop_map(Description::Hash),
    ]
}

prop_compose! {
    fn invoice()(
        amount in option::of(1..100_000_000_000_000_000_u64),
        timestamp in 0..1_u64 << 35,
        hashes: ([u8; 32], [u8; 32]),
        description in description(),
        expiry in 0..1_u64 << 40,
        delta in 0..1_000_000_u32,
        fallbacks in vec(fallback(), 0..3),
        routes in vec(vec(hint(), 1..4), 0..3),
        bits in vec((0..100_u16).prop_filter("not metadata", |bit| bit & !1 != 48), 0..6),
        metadata in option::of(vec(any::<u8>(), 0..80)),
    ) -> Invoice {
        Invoice {
            network: Network::Regtest,
            amount: amount.map(Msat::from_msat),
            timestamp,
            payment_hash: PaymentHash(hashes.0),
            payment_secret: PaymentSecret(hashes.1),
            description,
            expiry,
            min_final_cltv_expiry: delta,
            payee: None,
            fallbacks,
            routes,
            features: bits.into_iter().collect(),
            metadata,
            extra: Vec::new(),
        }
    }
}

fn sign(invoice: &Invoice, key: &SecretKey) -> String {
    let secp = Secp256k1::new();
    invoice
        .sign(|unsigned| {
            let message = Message::from_digest(unsigned.hash());
            Ok::<_, EncodeError>(secp.sign_ecdsa_recoverable(&message, key))
        })
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(invoice in invoice(), key in key(), stated: bool) {
        let payee: NodeId = key.public_key(&Secp256k1::new()).into();
        let invoice = Invoice { payee: stated.then_some(payee), ..invoice };
        let text = sign(&invoice, &key);
        let read = decode(&text, &Expectations::default()).unwrap();
        prop_assert_eq!(&read.invoice, &invoice);
        prop_assert_eq!(read.payee, payee);
        prop_assert_eq!(decode_unsigned(&text, &Expectations::default()).unwrap(), invoice);
    }

    #[test]
    fn another_implementation_reads_the_same(invoice in invoice(), key in key()) {
        // It wants the features of a payment secret, a delta of 64 bits at most and text of its own limits.
        let features: Features = [8, 14].into_iter().collect();
        let invoice = Invoice { features, metadata: None, ..invoice };
        let text = sign(&invoice, &key);
        let theirs = lightning_invoice::Bolt11Invoice::from_str(&text).unwrap();
        prop_assert_eq!(theirs.amount_milli_satoshis(), invoice.amount.map(Msat::as_msat));
        prop_assert_eq!(theirs.payment_hash().as_byte_array(), &invoice.payment_hash.0);
        prop_assert_eq!(theirs.payment_secret().0, invoice.payment_secret.0);
        prop_assert_eq!(theirs.duration_since_epoch().as_secs(), invoice.timestamp);
        prop_assert_eq!(theirs.expiry_time().as_secs(), invoice.expiry);
        prop_assert_eq!(theirs.min_final_cltv_expiry_delta(), u64::from(invoice.min_final_cltv_expiry));
        prop_assert_eq!(theirs.route_hints().len(), invoice.routes.len());
        prop_assert_eq!(theirs.fallback_addresses().len(), invoice.fallbacks.len());
        prop_assert_eq!(theirs.recover_payee_pub_key(), key.public_key(&Secp256k1::new()));
    }

    #[test]
    fn a_changed_letter_is_noticed(invoice in invoice(), key in key(), place: prop::sample::Index, letter in "[a-z0-9]") {
        let text = sign(&invoice, &key);
        let place = place.index(text.len());
        let changed = format!("{}{letter}{}", &text[..place], &text[place + 1..]);
        prop_assert!(changed == text || decode(&changed, &Expectations::default()).is_err());
    }

    #[test]
    fn text_from_outside_never_panics(text in "\\PC{0,300}", words in "ln(bc|bcrt)[0-9]{0,25}[munp]?1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{0,400}") {
        prop_assert!(decode(&text, &Expectations::default()).is_err());
        prop_assert!(decode(&words, &Expectations::default()).is_err());
    }

    #[test]
    fn words_from_outside_never_panic(words in vec(0..32_u8, 0..400), key in key()) {
        let unsigned = ln_invoice::UnsignedInvoice { hrp: "lnbc1m".to_owned(), words };
        let message = Message::from_digest(unsigned.hash());
        let text = unsigned.finish(&Secp256k1::new().sign_ecdsa_recoverable(&message, &key));
        prop_assert!(decode(&text, &Expectations::default()).is_err());
    }
}
