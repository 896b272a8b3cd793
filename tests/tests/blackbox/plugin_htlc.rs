//! What a plugin may change about an HTLC that goes on.

use std::path::PathBuf;

use ln_testkit::nodes::{NodeOptions, TestNet};
use ln_testkit::schemas;
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin_hooks::{answers, judge};
use crate::plugins::{heard, wait_heard};
use crate::support::{Pair, invoice, invoice_status};

/// A payload for the last hop: amount, expiry, secret and whole amount, and a record that nobody knows.
fn payload(amount: u64, expiry: u64, secret: &str, more: &str) -> String {
    format!(
        "02{}04{}08{}{}{}",
        record(amount),
        record(expiry),
        length(secret.len() / 2 + 8 - usize::try_from(amount.leading_zeros() / 8).unwrap()),
        secret,
        truncated(amount)
    ) + more
}

fn truncated(number: u64) -> String {
    let hex = format!("{number:x}");
    if hex.len() % 2 == 1 {
        format!("0{hex}")
    } else {
        hex
    }
}

fn length(bytes: usize) -> String {
    format!("{bytes:02x}")
}

fn record(number: u64) -> String {
    let text = truncated(number);
    length(text.len() / 2) + &text
}

/// Two nodes with a channel, of which the second has a plugin that judges HTLCs.
struct Judged {
    pair: Pair,
    plugin: PathBuf,
    _dir: TempDir,
}

impl Judged {
    fn start() -> Self {
        let net = TestNet::start();
        let dir = TempDir::new().unwrap();
        let hooks = json!(["htlc_accepted", "invoice_payment"]);
        let plugin = judge(dir.path(), "judge", &hooks);
        let options = NodeOptions::default()
            .argument(format!("--plugin={}", plugin.display()))
            .argument("--accept-htlc-tlv-type=65536")
            .allow_complaint("plugin-judge: answered the hook");
        let l1 = net.node("l1");
        let l2 = net.node_with("l2", options);
        let open = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
        Self {
            pair: Pair { l1, l2, open, net },
            plugin,
            _dir: dir,
        }
    }

    fn answer(&self, answer: &Value) {
        answers(&self.plugin, "htlc_accepted", answer);
    }

    /// Pays, with some secret: how it ended.
    fn send(&self, bill: &Value, amount: u64, secret: &Value) -> String {
        let Pair { l1, l2, open, .. } = &self.pair;
        let hop = json!({
            "id": l2.id(),
            "channel": open.short_channel_id,
            "amount_msat": amount,
            "delay": 15,
        });
        let hash = &bill["payment_hash"];
        let params = json!({"route": [hop], "payment_hash": hash, "payment_secret": secret});
        l1.call("sendpay", params);
        l1.wait_for("the end of the payment", || {
            let sent = l1.poll("listsendpays", json!({"payment_hash": hash}))?;
            let last = sent["payments"].as_array()?.last()?.clone();
            let status = last["status"].as_str()?.to_owned();
            (status != "pending").then_some(status)
        })
    }
}

#[test]
fn a_plugin_may_have_an_invoice_paid_with_less() {
    let judged = Judged::start();
    let l2 = &judged.pair.l2;
    judged.answer(&json!({"result": "continue"}));
    let bill = invoice(l2, 10_000, "less");
    let secret = bill["payment_secret"].clone();
    assert_eq!(judged.send(&bill, 9_000, &secret), "failed");
    let told = wait_heard(&judged.plugin, "htlc_accepted");
    schemas::check_hook("htlc_accepted", &told).assert("htlc_accepted");
    for (amount, outcome) in [(json!(9_001), "failed"), (json!("9000msat"), "complete")] {
        judged.answer(&json!({"result": "continue", "invoice_msat": amount}));
        assert_eq!(judged.send(&bill, 9_000, &secret), outcome);
    }
    assert_eq!(invoice_status(l2, "less"), "paid");
    let paid = l2.call("listinvoices", json!({"label": "less"}));
    assert_eq!(paid["invoices"][0]["amount_received_msat"], 9_000);
    // What can't be meant gives nothing away.
    for nonsense in [
        json!({"result": "continue", "invoice_msat": "much"}),
        json!({"result": "continue", "forward_to": "here"}),
        json!({"result": "continue", "extra_tlvs": "0001"}),
    ] {
        let bill = invoice(l2, 30_000, &nonsense.to_string());
        judged.answer(&nonsense);
        let secret = &bill["payment_secret"];
        assert_eq!(judged.send(&bill, 30_000, secret), "failed");
    }
    // There is nothing to forward: where to makes no difference.
    let elsewhere = "ab".repeat(32);
    judged.answer(
        &json!({"result": "continue", "forward_to": elsewhere, "extra_tlvs": "fe0001000100"}),
    );
    let bill = invoice(l2, 40_000, "forwarded");
    let secret = &bill["payment_secret"];
    assert_eq!(judged.send(&bill, 40_000, secret), "complete");
}

#[test]
fn a_plugin_may_give_an_htlc_another_payload() {
    let judged = Judged::start();
    let l2 = &judged.pair.l2;
    let bill = invoice(l2, 20_000, "secret");
    let wrong = json!("77".repeat(32));
    assert_eq!(judged.send(&bill, 20_000, &wrong), "failed");
    // The right secret, and a record that only the operator accepts.
    let height = l2.call("getinfo", json!({}))["blockheight"]
        .as_u64()
        .unwrap();
    let right = bill["payment_secret"].as_str().unwrap();
    let changed = payload(20_000, height + 10, right, "fe00010000020102");
    judged.answer(&json!({"result": "continue", "payload": changed}));
    assert_eq!(judged.send(&bill, 20_000, &wrong), "complete");
    let asked = heard(&judged.plugin).into_iter();
    let mut asked = asked.filter(|call| call["method"] == "invoice_payment");
    let last = asked.next_back().unwrap();
    let extra = json!([{"type": 65_536, "length": 2, "value": "0102"}]);
    assert_eq!(last["params"]["payment"]["extratlvs"], extra);
}
