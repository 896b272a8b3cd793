//! Paying invoices: exactly once, in as many parts as it takes, and with a reason if not.

use std::thread;

use ln_testkit::nodes::{NodeOptions, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::{CAPACITY_MSAT, Pair, invoice, invoice_status, parts_wait, pay_and_kill};

/// The parts of a payment.
fn parts(node: &TestNode, payment_hash: &Value) -> Vec<Value> {
    let reply = node.call("listsendpays", json!({"payment_hash": payment_hash}));
    reply["payments"].as_array().unwrap().clone()
}

/// The attempts at a payment.
fn attempts(node: &TestNode, payment_hash: &Value) -> Vec<Value> {
    let reply = node.call("listpays", json!({"payment_hash": payment_hash}));
    reply["pays"].as_array().unwrap().clone()
}

/// Sends a part of 1 or 2, which the payee keeps until it has both.
fn send_part(pair: &Pair, due: &Value, partid: u64, amount_msat: u64, total_msat: u64) -> Value {
    let route = json!([{
        "node_id_out": pair.l2.id(),
        "short_channel_id_dir": format!("{}/0", pair.open.short_channel_id),
        "amount_out_msat": amount_msat,
        "cltv_out": 20,
    }]);
    let part = json!({
        "route": route,
        "payment_hash": due["payment_hash"],
        "payment_secret": due["payment_secret"],
        "amount_msat": total_msat,
        "partid": partid,
        "groupid": 1,
        "bolt11": due["bolt11"],
    });
    pair.l1.call("sendpay", part)
}

#[test]
fn whoever_asks_and_however_often_an_invoice_is_paid_once() {
    let pair = Pair::start();
    let due = invoice(&pair.l2, 50_000_000, "once");
    let hash = &due["payment_hash"];
    let proofs: Vec<Value> = thread::scope(|scope| {
        let payers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| pair.l1.call("pay", json!([due["bolt11"]]))))
            .collect();
        payers
            .into_iter()
            .map(|payer| payer.join().unwrap()["payment_preimage"].clone())
            .collect()
    });
    assert!(proofs.iter().all(|proof| proof == &proofs[0]));
    assert_eq!(parts(&pair.l1, hash).len(), 1);
    assert_eq!(pair.wait_quiet(), (CAPACITY_MSAT - 50_000_000, 50_000_000));
    // By route, too: what is paid is paid.
    let again = crate::support::send(&pair.l1, &pair.l2, &pair.open, &due, 50_000_000);
    assert_eq!(again["status"], "complete");
    let other = json!({
        "route": [{
            "id": pair.l2.id(),
            "channel": pair.open.short_channel_id,
            "amount_msat": 40_000_000,
            "delay": 15,
        }],
        "payment_hash": hash,
        "payment_secret": due["payment_secret"],
    });
    let (code, text) = pair.l1.call_err("sendpay", other);
    assert_eq!(code, 201, "{text}");
    assert_eq!(
        text,
        "Already succeeded with amount 50000000msat (not 40000000msat)"
    );
    pair.l1.restart();
    pair.wait_quiet();
    let later = pair.l1.call("pay", json!([due["bolt11"]]));
    assert_eq!(later["payment_preimage"], proofs[0]);
    let (code, _) = pair.l1.call_err("delpay", json!([hash, "failed"]));
    assert_eq!(code, 208);
    pair.l1.call("delpay", json!([hash, "complete"]));
    assert!(parts(&pair.l1, hash).is_empty());
    assert_eq!(pair.wait_quiet().1, 50_000_000);
}

#[test]
fn a_payment_that_was_under_way_when_the_node_was_killed_is_finished_not_repeated() {
    let pair = Pair::start_with(parts_wait());
    let (half, total) = (30_000_000, 60_000_000);
    let due = invoice(&pair.l2, total, "halves");
    let hash = &due["payment_hash"];
    let sent = send_part(&pair, &due, 1, half, total);
    assert_eq!(
        (&sent["status"], &sent["partid"]),
        (&json!("pending"), &json!(1))
    );
    assert_eq!(send_part(&pair, &due, 1, half, total)["id"], sent["id"]);
    let waiting = json!({"payment_hash": hash, "partid": 1, "timeout": 1});
    assert_eq!(pair.l1.call_err("waitsendpay", waiting).0, 200);
    assert_eq!(pair.l1.call_err("waitsendpay", json!([hash])).0, 208);
    assert_eq!(
        pair.l1.call_err("delpay", json!([hash, "pending"])).0,
        -32602
    );
    let route = json!([{
        "id": pair.l2.id(),
        "channel": pair.open.short_channel_id,
        "amount_msat": total,
        "delay": 15,
    }]);
    let another = json!({
        "route": route,
        "payment_hash": hash,
        "payment_secret": due["payment_secret"],
    });
    let (code, text) = pair.l1.call_err("sendpay", another);
    assert_eq!(code, 200, "{text}");
    assert!(
        text.starts_with("Payment with groupid=1 still in progress"),
        "{text}"
    );
    thread::scope(|scope| {
        // This call is cut off with the node.
        scope.spawn(|| drop(pair.l1.try_call("pay", json!([due["bolt11"]]))));
        pair.l1.wait_log("pay: waiting for part");
        pair.l1.kill();
    });
    pair.l1.start_again();
    pair.net.wait_usable(&pair.l1, &pair.open.channel_id);
    assert_eq!(attempts(&pair.l1, hash)[0]["status"], "pending");
    thread::scope(|scope| {
        let payer = scope.spawn(|| pair.l1.call("pay", json!([due["bolt11"]])));
        pair.l1.wait_log("pay: waiting for part");
        send_part(&pair, &due, 2, half, total);
        let paid = payer.join().unwrap();
        assert_eq!(
            (&paid["parts"], &paid["amount_sent_msat"]),
            (&json!(2), &json!(total))
        );
    });
    assert_eq!(invoice_status(&pair.l2, "halves"), "paid");
    assert_eq!(pair.wait_quiet().1, total);
    let pays = attempts(&pair.l1, hash);
    assert_eq!(pays.len(), 1);
    assert_eq!(pays[0]["number_of_parts"], 2);
    assert_eq!(pays[0]["amount_msat"], total);
}

#[test]
fn an_amount_that_no_channel_holds_alone_is_spread_over_several() {
    let pair = Pair::start();
    let second = pair
        .net
        .open_channel(&pair.l1, &pair.l2, Sat::from_sat(1_000_000));
    pair.net.wait_usable(&pair.l1, &second.channel_id);
    // Each side must have something that it keeps.
    let amount = 4_400_000_000_u64;
    let due = invoice(&pair.l2, amount, "much");
    let paid = pair.l1.call("pay", json!([due["bolt11"]]));
    assert_eq!(paid["parts"], 2);
    assert_eq!(paid["amount_msat"], amount);
    // They are sent at once, each to its channel: either may be first in the list.
    let mut ids: Vec<u64> = parts(&pair.l1, &due["payment_hash"])
        .iter()
        .map(|part| part["partid"].as_u64().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
    assert_eq!(invoice_status(&pair.l2, "much"), "paid");
    let whole = invoice(&pair.l2, 790_000_000, "more than is left");
    let (code, text) = pair.l1.call_err("pay", json!([whole["bolt11"]]));
    assert_eq!(code, 205, "{text}");
    assert!(
        text.contains("spendable") && text.contains("790000000msat"),
        "{text}"
    );
    let less = invoice(&pair.l2, 500_000_000, "what is left");
    assert_eq!(pair.l1.call("pay", json!([less["bolt11"]]))["parts"], 1);
}

#[test]
fn whether_there_are_parts_is_the_operators_choice() {
    let pair = Pair::start_with(NodeOptions::default().argument("--disable-mpp"));
    let second = pair
        .net
        .open_channel(&pair.l1, &pair.l2, Sat::from_sat(1_000_000));
    pair.net.wait_usable(&pair.l1, &second.channel_id);
    let due = invoice(&pair.l2, 4_400_000_000, "much");
    let (code, text) = pair.l1.call_err("pay", json!([due["bolt11"]]));
    assert_eq!(code, 205, "{text}");
    assert!(text.contains("disable-mpp"), "{text}");
    let shown = |name: &str| {
        let listed = pair.l1.call("listconfigs", json!([name]));
        listed["configs"][name]["value_bool"].clone()
    };
    assert_eq!(
        (shown("xpay-slow-mode"), shown("xpay-handle-pay")),
        (json!(false), json!(true))
    );
    for name in ["xpay-slow-mode", "xpay-handle-pay"] {
        let (_, text) = pair.l1.call_err("setconfig", json!([name, "perhaps"]));
        assert!(text.contains("neither true nor false"), "{text}");
        pair.l1.call("setconfig", json!([name, true]));
    }
    assert_eq!(shown("xpay-slow-mode"), true);
    let less = invoice(&pair.l2, 500_000_000, "less");
    assert_eq!(pair.l1.call("pay", json!([less["bolt11"]]))["parts"], 1);
}

#[test]
fn what_can_not_be_paid_is_refused_with_a_reason() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    let l3 = pair.net.node("l3");
    let stranger = invoice(&l3, 1_000_000, "stranger");
    let (code, text) = l1.call_err("pay", json!([stranger["bolt11"]]));
    assert_eq!(code, 205);
    assert!(text.contains("no channel with the payee"), "{text}");

    let open = json!({"amount_msat": "any", "label": "any", "description": "gift"});
    let open = l2.call("invoice", open);
    let bolt11 = &open["bolt11"];
    let (code, text) = l1.call_err("pay", json!([bolt11]));
    assert_eq!(
        (code, text.as_str()),
        (-32602, "msatoshi parameter required")
    );
    let limits = json!({"bolt11": bolt11, "amount_msat": 5000, "maxfee": 1, "exemptfee": 1});
    assert_eq!(l1.call_err("pay", limits).0, -32602);
    let paid = l1.call(
        "pay",
        json!({"invstring": bolt11, "amount_msat": 5000, "label": "to l2", "maxfee": 0}),
    );
    assert_eq!(paid["amount_msat"], 5000);
    assert_eq!(attempts(l1, &open["payment_hash"])[0]["label"], "to l2");

    let fixed = invoice(l2, 1000, "fixed");
    let (code, text) = l1.call_err("pay", json!([fixed["bolt11"], 1000]));
    assert_eq!(
        (code, text.as_str()),
        (-32602, "msatoshi parameter unnecessary")
    );
    let excluded = json!({"bolt11": fixed["bolt11"], "exclude": [l2.id()]});
    assert_eq!(l1.call_err("pay", excluded).0, 205);

    let hashed = l2.call(
        "invoice",
        json!({"amount_msat": 1000, "label": "hash", "description": "a book", "deschashonly": true}),
    );
    let wrong = json!({"bolt11": hashed["bolt11"], "description": "a bike"});
    assert_eq!(l1.call_err("pay", wrong).0, -32602);
    let right = json!({"bolt11": hashed["bolt11"], "description": "a book"});
    l1.call("pay", right);
    let listed = &attempts(l1, &hashed["payment_hash"])[0];
    assert_eq!(listed["description"], "a book");

    let brief = json!({"amount_msat": 1000, "label": "brief", "description": "-", "expiry": 1});
    let brief = l2.call("invoice", brief);
    l2.wait_for("the invoice to expire", || {
        (invoice_status(l2, "brief") == "expired").then_some(())
    });
    let (code, text) = l1.call_err("pay", json!([brief["bolt11"]]));
    assert_eq!((code, text.as_str()), (207, "Invoice expired"));

    let own = invoice(l1, 123_000, "own");
    let paid = l1.call("pay", json!([own["bolt11"]]));
    assert_eq!(
        (&paid["status"], &paid["parts"]),
        (&json!("complete"), &json!(1))
    );
    assert_eq!(invoice_status(l1, "own"), "paid");
    assert_eq!(
        l1.call("pay", json!([own["bolt11"]]))["payment_preimage"],
        paid["payment_preimage"]
    );
    let unknown = json!({"route": [], "payment_hash": "11".repeat(32), "amount_msat": 1});
    assert_eq!(l1.call_err("sendpay", unknown).0, 203);
}

#[test]
fn lists_are_filtered_and_paged() {
    let pair = Pair::start();
    let (l1, l2) = (&pair.l1, &pair.l2);
    for round in 0..4 {
        pair.pay(1_000_000, &format!("round {round}"));
    }
    let lost = invoice(l2, 1_000_000, "lost");
    crate::support::send(l1, l2, &pair.open, &lost, 999_000);
    assert_eq!(
        l1.call_err("waitsendpay", json!([lost["payment_hash"]])).0,
        203
    );
    for (method, list) in [("listsendpays", "payments"), ("listpays", "pays")] {
        let count = |params: Value| l1.call(method, params)[list].as_array().unwrap().len();
        assert_eq!(count(json!({})), 5);
        assert_eq!(count(json!({"status": "failed"})), 1);
        assert_eq!(count(json!({"status": "pending"})), 0);
        assert_eq!(count(json!({"bolt11": lost["bolt11"]})), 1);
        assert_eq!(
            count(json!({"index": "created", "start": 2, "limit": 2})),
            2
        );
        assert_eq!(count(json!({"index": "updated", "start": 2})), 4);
        let paged = json!({"status": "complete", "index": "created", "start": 3, "limit": 9});
        assert_eq!(count(paged), 2);
        assert_eq!(l1.call_err(method, json!({"start": 2})).0, -32602);
        assert_eq!(l1.call_err(method, json!({"limit": 2})).0, -32602);
    }
}

#[test]
fn paying_again_after_a_kill_at_any_moment_pays_once() {
    let pair = Pair::start();
    let amount = 11_000_000;
    for (round, lines) in [3, 9, 15, 21, 30, 40].into_iter().enumerate() {
        for (count, victim) in [&pair.l1, &pair.l2].into_iter().enumerate() {
            let label = format!("round {round}, {}", victim.name());
            let due = invoice(&pair.l2, amount, &label);
            pay_and_kill(&pair.l1, victim, &due, lines);
            for node in [&pair.l1, &pair.l2] {
                pair.net.wait_usable(node, &pair.open.channel_id);
            }
            let paid = pair.l1.call("pay", json!([due["bolt11"]]));
            assert_eq!(paid["amount_sent_msat"], amount, "{label}");
            assert_eq!(invoice_status(&pair.l2, &label), "paid");
            let complete = parts(&pair.l1, &due["payment_hash"])
                .into_iter()
                .filter(|part| part["status"] == "complete");
            assert_eq!(complete.count(), 1, "{label}");
            let times = u64::try_from(round * 2 + count + 1).unwrap();
            let theirs = times * amount;
            assert_eq!(
                pair.wait_quiet(),
                (CAPACITY_MSAT - theirs, theirs),
                "{label}"
            );
        }
    }
}

#[test]
fn a_payee_that_is_away_is_named_as_the_reason() {
    let pair = Pair::start();
    let due = invoice(&pair.l2, 1_000_000, "later");
    pair.l2.stop();
    pair.l1.wait_for("the peer to be gone", || {
        let peers = pair.l1.poll("listpeers", json!([pair.l2.id()]))?;
        (peers["peers"][0]["connected"] == false).then_some(())
    });
    let (code, text) = pair.l1.call_err("pay", json!([due["bolt11"]]));
    assert_eq!(code, 205);
    assert!(text.contains("not connected"), "{text}");
    let route = json!([{
        "id": pair.l2.id(),
        "channel": "0x0x0",
        "amount_msat": 1_000_000,
        "delay": 15,
    }]);
    let part = json!({
        "route": route,
        "payment_hash": due["payment_hash"],
        "payment_secret": due["payment_secret"],
    });
    let (code, text) = pair.l1.call_err("sendpay", part.clone());
    assert_eq!(code, 204);
    assert!(text.contains("First peer not ready"), "{text}");
    pair.l2.start_again();
    pair.wait_quiet();
    assert!(parts(&pair.l1, &due["payment_hash"]).is_empty());
    pair.l1.call("sendpay", part);
    let paid = pair.l1.call("pay", json!([due["bolt11"]]));
    assert_eq!(paid["amount_sent_msat"], 1_000_000);
    assert_eq!(parts(&pair.l1, &due["payment_hash"]).len(), 1);
}
