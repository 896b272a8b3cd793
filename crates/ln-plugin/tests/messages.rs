//! docs/book/src/plugins/messages.md and the types agree: every message that the page shows is read by its type, and written back as it stands there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use ln_plugin::protocol::{
    GetManifestParams, InitParams, LogParams, Manifest, MessageParams, ProgressParams,
};
use ln_plugin::{hooks, topics};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The sections: a heading, and its blocks of JSON.
fn sections() -> Vec<(String, Vec<Value>)> {
    let page = include_str!("../../../docs/book/src/plugins/messages.md");
    let section = |text: &str| {
        let heading = text.lines().next().unwrap_or_default().replace('`', "");
        let blocks = text.split("```json\n").skip(1);
        let blocks = blocks.filter_map(|rest| rest.split("```").next());
        let read = |block| serde_json::from_str(block).expect(block);
        (heading, blocks.map(read).collect())
    };
    page.split("\n### ").skip(1).map(section).collect()
}

/// A value reads as a type, which writes it as it was. What the type does not keep on purpose is in `dropped`.
fn same<T: DeserializeOwned + Serialize>(value: &Value, dropped: &[&str]) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"));
    let mut wanted = value.clone();
    if let Value::Object(members) = &mut wanted {
        members.retain(|name, _| !dropped.contains(&name.as_str()));
    }
    assert_eq!(serde_json::to_value(&read).unwrap(), wanted);
}

/// A hook: the first block is the question, the others are answers.
fn hook<P, A>(blocks: &[Value])
where
    P: DeserializeOwned + Serialize,
    A: DeserializeOwned + Serialize,
{
    let (question, answers) = blocks.split_first().unwrap();
    same::<P>(&question["params"], &[]);
    assert!(!answers.is_empty());
    for answer in answers {
        same::<A>(&answer["result"], &[]);
    }
}

fn hooks(name: &str, blocks: &[Value]) -> bool {
    use hooks::*;
    match name {
        "peer_connected" => hook::<PeerConnected, PeerConnectedAnswer>(blocks),
        "openchannel" => hook::<OpenChannel, OpenChannelAnswer>(blocks),
        "htlc_accepted" => hook::<HtlcAccepted, HtlcAcceptedAnswer>(blocks),
        "invoice_payment" => hook::<InvoicePayment, InvoicePaymentAnswer>(blocks),
        "rpc_command" => hook::<RpcCommand, RpcCommandAnswer>(blocks),
        "custommsg" => hook::<CustomMessage, Continue>(blocks),
        "commitment_revocation" => hook::<CommitmentRevocation, Continue>(blocks),
        "db_write" => hook::<DbWrite, Continue>(blocks),
        "recover" => hook::<Recover, Continue>(blocks),
        _ => return false,
    }
    true
}

fn topic(name: &str, told: &Value) -> bool {
    use topics::*;
    match name {
        "connect" => same::<Connected>(told, &[]),
        "disconnect" => same::<Disconnected>(told, &[]),
        "custommsg" => same::<CustomMessage>(told, &[]),
        "block_added" => same::<BlockAdded>(told, &[]),
        "channel_opened" => same::<ChannelOpened>(told, &[]),
        "channel_state_changed" => same::<ChannelStateChanged>(told, &[]),
        // The old forms.
        "coin_movement" => same::<CoinMovement>(told, &["tags", "txid", "utxo_txid", "vout"]),
        "balance_snapshot" => same::<BalanceSnapshot>(told, &[]),
        "invoice_creation" => same::<InvoiceCreated>(told, &[]),
        "invoice_payment" => same::<InvoicePaid>(told, &[]),
        "forward_event" => same::<ForwardEvent>(told, &[]),
        "sendpay_success" => same::<SendpaySuccess>(told, &[]),
        "sendpay_failure" => same::<SendpayFailure>(told, &[]),
        "warning" | "log" => same::<LogLine>(told, &[]),
        "plugin_started" | "plugin_stopped" => same::<PluginLife>(told, &[]),
        "deprecated_oneshot" => same::<DeprecatedOneshot>(told, &[]),
        _ => return false,
    }
    true
}

#[test]
fn the_page_of_messages_and_the_types_agree() {
    let mut seen = BTreeSet::new();
    for (heading, blocks) in sections() {
        if let Some(name) = heading.strip_prefix("Hook ") {
            assert!(hooks(name, &blocks), "no hook {name}");
            seen.insert("hook");
        } else if let Some(name) = heading.strip_prefix("Topic ") {
            for block in &blocks {
                let told = &block["params"][name];
                assert!(topic(name, told), "no topic {name}");
            }
            seen.insert("topic");
        } else {
            frame(&heading, &blocks);
        }
    }
    assert_eq!(seen.len(), 2);
}

fn frame(heading: &str, blocks: &[Value]) {
    let params = &blocks[0]["params"];
    let read = |value: &Value| value.clone();
    match heading {
        "getmanifest" => {
            same::<GetManifestParams>(params, &[]);
            let manifest = &blocks[1]["result"];
            same::<Manifest>(manifest, &[]);
            let manifest: Manifest = serde_json::from_value(read(manifest)).unwrap();
            manifest.check().unwrap();
        }
        "init" => same::<InitParams>(params, &[]),
        "log" => same::<LogParams>(params, &[]),
        "message" => drop(serde_json::from_str::<MessageParams>(&params.to_string()).unwrap()),
        "progress" => drop(serde_json::from_str::<ProgressParams>(&params.to_string()).unwrap()),
        "shutdown" | "demo" | "check" | "setconfig" | "demo_told" => {}
        other => panic!("{other} is not looked at"),
    }
}
