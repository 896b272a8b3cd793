//! Records beside the onion of an HTLC, which only plugins understand.

use std::fs;

use bitcoin::hex::FromHex;
use bitcoin::secp256k1::SecretKey;
use ln_channel::{Event, HtlcState, Notice, Offer, OnionPacket};
use ln_onion::{LastHop, RouteHop, construct, payloads_for_route};
use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_testkit::schemas;
use ln_types::{CltvExpiry, Msat, NodeId, PaymentHash, PaymentSecret, ShortChannelId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hostile::living::Living;
use crate::plugin_hooks::{answers, judge};
use crate::plugins::wait_heard;
use crate::support::{invoice, invoice_status};

/// A record of the type 65537 with two bytes.
const RECORDS: [u8; 8] = [0xfe, 0, 1, 0, 1, 2, 0xab, 0xcd];
const AMOUNT: Msat = Msat::from_msat(20_000_000);
const EXPIRY: CltvExpiry = CltvExpiry(150);

fn bytes(hex: &Value) -> [u8; 32] {
    <[u8; 32]>::from_hex(hex.as_str().unwrap()).unwrap()
}

/// A payment of an invoice of the node's, with records beside its onion.
fn offer(node: &TestNode, scid: &str, bill: &Value) -> Offer {
    let hash = bytes(&bill["payment_hash"]);
    let end = LastHop::invoice(PaymentSecret(bytes(&bill["payment_secret"])), AMOUNT);
    let hop = RouteHop {
        node_id: node.id().parse::<NodeId>().unwrap().public_key(),
        short_channel_id: scid.parse::<ShortChannelId>().unwrap(),
        amount: AMOUNT,
        cltv_expiry: EXPIRY,
    };
    let hops = payloads_for_route(&[hop], &end).unwrap();
    let key = SecretKey::from_slice(&[5; 32]).unwrap();
    let made = construct(&key, &hops, &hash, 1300).unwrap();
    Offer {
        request: 1,
        amount: AMOUNT,
        payment_hash: PaymentHash(hash),
        cltv_expiry: EXPIRY,
        onion: OnionPacket::new(made.packet.to_bytes().try_into().unwrap()),
        path_key: None,
        extra_tlvs: RECORDS.to_vec(),
    }
}

#[test]
fn plugins_are_told_of_records_beside_the_onion_after_a_restart_too() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = judge(dir.path(), "judge", &json!(["htlc_accepted"]));
    answers(&plugin, "held", &json!({"result": "continue"}));
    let options = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let node = net.node_with("l1", options);
    let mut peer = Living::open(&net, &node, 2);
    let bill = invoice(&node, AMOUNT.as_msat(), "told");
    let told = || {
        let payload = wait_heard(&plugin, "htlc_accepted");
        schemas::check_hook("htlc_accepted", &payload).assert(&payload.to_string());
        payload["htlc"]["extra_tlvs"].clone()
    };
    let offer = offer(&node, &peer.scid(&node), &bill);
    peer.step(Event::OfferHtlc(offer));
    peer.follow("its HTLC committed", |peer| {
        let mut htlcs = peer.machine.state().htlcs();
        htlcs.any(|htlc| htlc.state == HtlcState::SentAddAckRevocation)
    });
    assert_eq!(told(), "fe0001000102abcd");
    fs::remove_file(format!("{}.heard", plugin.display())).unwrap();
    node.restart();
    peer.reconnect(&node);
    assert_eq!(told(), "fe0001000102abcd");
    node.call("release-judge", json!({}));
    peer.follow("the preimage", |peer| {
        peer.was_told(|notice| matches!(notice, Notice::Fulfilled { .. }))
    });
    assert_eq!(invoice_status(&node, "told"), "paid");
}
