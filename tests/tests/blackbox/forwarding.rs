//! Payments on their way through a node: what it asks for, what it tells senders, and that it neither pays twice nor loses anything when it is
//! killed in between.

use ln_testkit::nodes::{NodeOptions, TestNode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::channel_moves;
use crate::line::{AMOUNT, DELTA, FEE, Line, htlcs};
use crate::plugin_events::{check_all, listener, told, wait_told};
use crate::support::{channel, invoice, invoice_status, payment_status};

#[test]
fn a_payment_goes_through_for_the_fee_that_is_asked() {
    let line = Line::start();
    let before = line.wait_quiet();
    line.pay("through");
    assert_eq!(invoice_status(&line.l3, "through"), "paid");
    assert_eq!(line.wait_quiet(), before + FEE);
    line.check();
    let moves = channel_moves(&line.l2);
    let moves: Vec<_> = moves
        .iter()
        .map(|line| {
            (
                &line["account_id"],
                &line["primary_tag"],
                &line["fees_msat"],
            )
        })
        .collect();
    let (routed, fee) = (json!("routed"), json!(FEE));
    let accounts = [&line.first, &line.second].map(|open| json!(open.channel_id));
    assert_eq!(moves.len(), 2);
    for account in &accounts {
        assert!(moves.contains(&(account, &routed, &fee)), "{moves:?}");
    }
}

#[test]
fn what_does_not_fit_comes_back_with_the_reason() {
    let line = Line::start();
    let before = line.wait_quiet();
    let scid = line.second.short_channel_id.as_str();
    let middle = json!(line.l2.id());
    let tries = [
        ("fee", AMOUNT, scid, FEE - 1, DELTA, 0x100c),
        ("delta", AMOUNT, scid, FEE, DELTA - 1, 0x100d),
        ("nowhere", AMOUNT, "1x1x1", FEE, DELTA, 0x400a),
        ("too much", 499_000_000, scid, 20_000, DELTA, 0x1007),
    ];
    for (label, amount, scid, fee, delta, code) in tries {
        let bill = invoice(&line.l3, amount, label);
        line.send_for(&bill, amount, scid, fee, delta);
        assert_eq!(line.failure(&bill), (code, middle.clone()), "{label}");
    }
    // The last node has no such invoice, which only it can tell.
    let bill = invoice(&line.l3, AMOUNT, "gone");
    let gone = json!({"label": "gone", "status": "unpaid"});
    line.l3.call("delinvoice", gone);
    line.send(&bill);
    assert_eq!(line.failure(&bill), (0x400f, json!(line.l3.id())));
    line.l3.stop();
    line.l2.wait_for("l3 to be away", || {
        let channel = channel(&line.l2, &line.second.channel_id)?;
        (channel["peer_connected"] == false).then_some(())
    });
    line.send(&bill);
    assert_eq!(line.failure(&bill), (0x1007, middle));
    line.l3.start_again();
    line.net.wait_usable(&line.l2, &line.second.channel_id);
    line.pay("at last");
    assert_eq!(line.wait_quiet(), before + FEE);
}

#[test]
fn an_htlc_that_was_handed_on_is_handed_on_once_whoever_is_killed() {
    let line = Line::start();
    let before = line.wait_quiet();
    let held = json!({"id": line.l2.id(), "ignore": true});
    line.l3.call("dev-ignore-htlcs", held);
    let bill = invoice(&line.l3, AMOUNT, "held");
    line.send(&bill);
    let arrived = || (htlcs(&line.l3, &line.second)? == 1).then_some(());
    line.l3.wait_for("the HTLC at its end", arrived);
    line.l2.kill();
    line.l2.start_again();
    line.net.wait_usable(&line.l2, &line.first.channel_id);
    line.net.wait_usable(&line.l2, &line.second.channel_id);
    assert_eq!(htlcs(&line.l2, &line.second), Some(1));
    // Connecting anew asks about it anew.
    line.l1
        .call("disconnect", json!({"id": line.l2.id(), "force": true}));
    line.net.wait_usable(&line.l2, &line.first.channel_id);
    assert_eq!(htlcs(&line.l2, &line.second), Some(1));
    assert_eq!(
        payment_status(&line.l1, &bill["payment_hash"]).as_deref(),
        Some("pending")
    );
    let taken = json!({"id": line.l2.id(), "ignore": false});
    line.l3.call("dev-ignore-htlcs", taken);
    line.l3.restart();
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    assert_eq!(line.wait_quiet(), before + FEE);
    let listed = line.l3.call("listinvoices", json!({"label": "held"}));
    assert_eq!(listed["invoices"][0]["amount_received_msat"], AMOUNT);
    line.check();
}

fn forwards(node: &TestNode, params: Value) -> Vec<Value> {
    let listed = node.call("listforwards", params);
    listed["forwards"].as_array().unwrap().clone()
}

#[test]
fn forwards_are_listed_waited_for_counted_and_deleted() {
    let line = Line::start();
    let l2 = &line.l2;
    assert_eq!(forwards(l2, json!({})), Vec::<Value>::new());
    let wait = |index: &str, next: u64| {
        let params = json!({"subsystem": "forwards", "indexname": index, "nextvalue": next});
        l2.call("wait", params)
    };
    let settled = std::thread::scope(|scope| {
        let settled = scope.spawn(|| wait("updated", 1));
        line.pay("one");
        settled.join().unwrap()
    });
    assert_eq!(settled["updated"], 1);
    let bill = invoice(&line.l3, AMOUNT, "two");
    line.send_for(&bill, AMOUNT, &line.second.short_channel_id, FEE - 1, DELTA);
    line.failure(&bill);
    let gone = invoice(&line.l3, AMOUNT, "three");
    line.l3
        .call("delinvoice", json!({"label": "three", "status": "unpaid"}));
    line.send(&gone);
    line.failure(&gone);
    line.wait_quiet();
    assert_eq!(wait("created", 3)["created"], 3);

    let all = forwards(l2, json!({}));
    let brief: Vec<_> = all.iter().map(|row| &row["status"]).collect();
    assert_eq!(brief, ["settled", "local_failed", "failed"]);
    let scids = [&line.first, &line.second].map(|open| json!(open.short_channel_id));
    for (index, row) in all.iter().enumerate() {
        assert_eq!(row["created_index"], index + 1);
        assert_eq!(
            [&row["in_channel"], &row["out_channel"]],
            [&scids[0], &scids[1]]
        );
        assert_eq!(row["in_htlc_id"], index);
    }
    assert_eq!(all[0]["in_msat"], AMOUNT + FEE);
    assert_eq!(all[0]["out_msat"], AMOUNT);
    assert_eq!(all[0]["fee_msat"], FEE);
    assert!(all[0]["resolved_time"].as_f64() >= all[0]["received_time"].as_f64());
    assert_eq!(all[1]["failcode"], 0x100c);
    assert_eq!(all[1]["failreason"], "WIRE_FEE_INSUFFICIENT");
    assert_eq!(all[1].get("out_msat"), None);
    assert_eq!(forwards(l2, json!({"status": "failed"})), all[2..]);
    assert_eq!(
        forwards(l2, json!({"in_channel": scids[1]})),
        Vec::<Value>::new()
    );
    assert_eq!(
        forwards(
            l2,
            json!({"out_channel": scids[1], "index": "created", "start": 2, "limit": 1})
        ),
        all[1..2]
    );

    let (code, text) = l2.call_err("delforward", json!([scids[0], 0, "offered"]));
    assert_eq!(code, -32602, "{text}");
    let (code, text) = l2.call_err("delforward", json!([scids[0], 0, "failed"]));
    assert_eq!((code, text.as_str()), (1401, "Could not find that forward"));
    l2.call("delforward", json!([scids[0], 0, "settled"]));
    assert_eq!(forwards(l2, json!({})), all[1..]);
    // What it earned stays, over a restart, too.
    for _ in 0..2 {
        assert_eq!(l2.call("getinfo", json!({}))["fees_collected_msat"], FEE);
        l2.restart();
    }
}

#[test]
fn plugins_hear_how_forwards_begin_and_end() {
    let dir = TempDir::new().unwrap();
    let plugin = listener(dir.path());
    let listening = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let line = Line::start_with([NodeOptions::default(), listening, NodeOptions::default()]);
    let bill = invoice(&line.l3, AMOUNT, "told");
    line.send(&bill);
    let paid = line.outcome(&bill);
    assert_eq!(paid.unwrap(), "complete");
    let settled = wait_told(&plugin, "forward_event", &json!({"status": "settled"}));
    let offered = wait_told(&plugin, "forward_event", &json!({"status": "offered"}));
    let hash = &bill["payment_hash"];
    for event in [&offered, &settled] {
        assert_eq!(event["payment_hash"], *hash);
        assert_eq!(event["in_channel"], line.first.short_channel_id);
        assert_eq!(event["out_channel"], line.second.short_channel_id);
        assert_eq!(event["fee_msat"], FEE);
    }
    assert_eq!(offered.get("preimage"), None);
    let listed = line.l1.call("listsendpays", json!({"payment_hash": hash}));
    assert_eq!(
        settled["preimage"],
        listed["payments"][0]["payment_preimage"]
    );
    let bill = invoice(&line.l3, AMOUNT, "refused");
    line.send_for(&bill, AMOUNT, &line.second.short_channel_id, 0, DELTA);
    line.failure(&bill);
    let refused = wait_told(&plugin, "forward_event", &json!({"status": "local_failed"}));
    assert_eq!(refused["failreason"], "WIRE_FEE_INSUFFICIENT");
    assert_eq!(told(&plugin, "forward_event").len(), 3);
    check_all(&plugin);
}

#[test]
fn old_terms_hold_as_long_as_is_said() {
    let line = Line::start();
    let set = |feebase: u64, enforcedelay: u64| {
        let params = json!({"id": line.second.channel_id, "feebase": feebase, "feeppm": 10, "enforcedelay": enforcedelay});
        line.l2.call("setchannel", params);
    };
    set(5000, 600);
    line.pay("by the old ones");
    set(7000, 0);
    let bill = invoice(&line.l3, AMOUNT, "too late");
    line.send(&bill);
    assert_eq!(line.failure(&bill), (0x100c, json!(line.l2.id())));
    let bill = invoice(&line.l3, AMOUNT, "by the new ones");
    let scid = line.second.short_channel_id.as_str();
    line.send_for(&bill, AMOUNT, scid, 8000, DELTA);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
}
