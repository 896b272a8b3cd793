//! Payments to nodes that are no peers: the way is found, and another if it does not hold what it promised.

use ln_testkit::nodes::{OpenChannel, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::line::{AMOUNT, DELTA, FEE, FINAL, Line};
use crate::support::{channel, invoice, invoice_status, pay_and_kill, send};

/// A line whose channels everybody knows.
fn public_line() -> Line {
    let line = Line::start();
    let all = [&line.l1, &line.l2, &line.l3];
    line.net.announce(&line.first, &all);
    for node in all {
        line.net.wait_announced(&line.second, node);
    }
    line
}

/// The parts of a payment by how they stand.
fn parts(node: &TestNode, bill: &Value, status: &str) -> usize {
    let params = json!({"payment_hash": bill["payment_hash"], "status": status});
    let listed = node.call("listsendpays", params);
    listed["payments"].as_array().unwrap().len()
}

#[test]
fn an_invoice_of_somebody_further_away_is_paid() {
    let line = public_line();
    let bill = invoice(&line.l3, AMOUNT, "far");
    let paid = line.l1.call("pay", json!([bill["bolt11"]]));
    assert_eq!(paid["amount_msat"], AMOUNT);
    assert_eq!(paid["amount_sent_msat"], AMOUNT + FEE);
    assert_eq!(
        (&paid["parts"], &paid["destination"]),
        (&json!(1), &json!(line.l3.id()))
    );
    assert_eq!(invoice_status(&line.l3, "far"), "paid");
    // Twice is once.
    let again = line.l1.call("pay", json!([bill["bolt11"]]));
    assert_eq!(again["payment_preimage"], paid["payment_preimage"]);
    assert_eq!(parts(&line.l1, &bill, "complete"), 1);
    line.wait_quiet();
    line.check();
}

#[test]
fn what_a_payment_may_cost_is_kept_to_and_told() {
    let line = public_line();
    let bill = invoice(&line.l3, AMOUNT, "limits");
    let pay = |limit: &str, value: Value| {
        line.l1
            .call_err("pay", json!({"bolt11": bill["bolt11"], limit: value}))
    };
    let (code, text) = pay("maxfee", json!(FEE - 1));
    assert_eq!(code, 206, "{text}");
    assert!(text.contains("1001msat in fees"), "{text}");
    assert!(text.contains("raise maxfee"), "{text}");
    let (code, text) = pay("maxdelay", json!(DELTA + 9));
    assert_eq!(code, 206, "{text}");
    assert!(text.contains("raise maxdelay"), "{text}");
    let scid = format!("{}/0", line.second.short_channel_id);
    let other = format!("{}/1", line.second.short_channel_id);
    for excluded in [json!([line.l2.id()]), json!([scid, other])] {
        let (code, text) = pay("exclude", excluded);
        assert_eq!(code, 205, "{text}");
        assert!(text.contains("no usable channels lead"), "{text}");
    }
    for (param, value) in [("layers", json!(["mine"])), ("payer_note", json!("hi"))] {
        let params = json!({"invstring": bill["bolt11"], param: value});
        let (code, text) = line.l1.call_err("xpay", params);
        assert_eq!(code, -32602, "{text}");
        assert!(text.starts_with(param), "{text}");
    }
    let much = invoice(&line.l3, 800_000_000, "much");
    let (code, text) = line.l1.call_err("pay", json!([much["bolt11"]]));
    assert_eq!(code, 205, "{text}");
    assert!(text.contains("can carry 800000000msat"), "{text}");
    let stranger = line.net.node("l4");
    let nowhere = invoice(&stranger, AMOUNT, "nowhere");
    let (code, text) = line.l1.call_err("pay", json!([nowhere["bolt11"]]));
    assert_eq!(code, 205, "{text}");
    assert!(text.contains("nothing is known of"), "{text}");
    assert_eq!(parts(&line.l1, &bill, "failed"), 0);
    let exact = json!({"bolt11": bill["bolt11"], "maxfee": FEE});
    line.l1.call("pay", exact);
}

#[test]
fn a_route_is_found_and_can_be_sent_by() {
    let line = public_line();
    let bill = invoice(&line.l3, AMOUNT, "by hand");
    let found = line
        .l1
        .call("getroute", json!([line.l3.id(), AMOUNT, 10, FINAL]));
    let expected = line.route(AMOUNT, &line.second.short_channel_id, FEE, DELTA);
    for (hop, expected) in found["route"]
        .as_array()
        .unwrap()
        .iter()
        .zip(expected.as_array().unwrap())
    {
        for member in ["id", "channel", "amount_msat", "delay"] {
            assert_eq!(hop[member], expected[member], "{member}: {found}");
        }
    }
    let params = json!({
        "route": found["route"],
        "payment_hash": bill["payment_hash"],
        "payment_secret": bill["payment_secret"],
    });
    line.l1.call("sendpay", params);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");

    let ask = |params: Value| line.l1.call("getroute", params)["route"].clone();
    let from_middle = json!({
        "id": line.l3.id(), "amount_msat": 1000, "riskfactor": 1, "fromid": line.l2.id(),
    });
    assert_eq!(ask(from_middle).as_array().unwrap().len(), 1);
    let fail = |params: Value| line.l1.call_err("getroute", params);
    let one_hop = json!({"id": line.l3.id(), "amount_msat": 1000, "riskfactor": 1, "maxhops": 1});
    assert_eq!(fail(one_hop).0, 205);
    let (code, text) = fail(json!([line.net.node("l4").id(), 1000, 1]));
    assert_eq!(code, 205);
    assert!(text.contains("nothing is known of"), "{text}");
    let (code, text) = fail(json!([line.l3.id(), "1000000btc", 1]));
    assert_eq!(code, 205);
    assert!(text.contains("can carry"), "{text}");
    assert_eq!(fail(json!([line.l3.id(), 0, 1])).0, -32602);
    assert_eq!(fail(json!(["l3", 1000, 1])).0, -32602);
    let nonsense = json!({"id": line.l3.id(), "amount_msat": 1, "riskfactor": 1, "exclude": ["x"]});
    assert_eq!(fail(nonsense).0, -32602);
}

#[test]
fn a_node_without_public_channels_is_reached_by_what_its_invoice_says() {
    let net = TestNet::start();
    let [l1, l2, l3] = ["l1", "l2", "l3"].map(|name| net.node(name));
    let first = net.open_channel(&l1, &l2, Sat::from_sat(1_000_000));
    net.announce(&first, &[&l1, &l2]);
    net.connect(&l2, &l3);
    net.fund(&l2, Sat::from_sat(2_000_000));
    let private = json!({"id": l3.id(), "amount": 500_000, "announce": false});
    let opened = l2.call("fundchannel", private);
    net.wait_mempool(1);
    net.mine(6, &[&l1, &l2, &l3]);
    let id = opened["channel_id"].as_str().unwrap();
    net.wait_usable(&l2, id);
    net.wait_usable(&l3, id);
    net.wait_announced(&first, &l3);
    let bill = invoice(&l3, AMOUNT, "hidden");
    let paid = l1.call("pay", json!([bill["bolt11"]]));
    assert_eq!(paid["amount_sent_msat"], AMOUNT + FEE);
    assert_eq!(invoice_status(&l3, "hidden"), "paid");
}

/// Two ways from l1 to l4: by l2 and, for more, by l3.
struct Diamond {
    l1: TestNode,
    l2: TestNode,
    l3: TestNode,
    l4: TestNode,
    cheap: OpenChannel,
    // Last: the nodes end before their chain.
    net: TestNet,
}

/// What l3 asks for.
const DEAR: u64 = 50_000;

impl Diamond {
    fn start() -> Self {
        let net = TestNet::start();
        let [l1, l2, l3, l4] = ["l1", "l2", "l3", "l4"].map(|name| net.node(name));
        let open =
            |from: &TestNode, to: &TestNode| net.open_channel(from, to, Sat::from_sat(1_000_000));
        let ours = [open(&l1, &l2), open(&l1, &l3)];
        let cheap = open(&l2, &l4);
        let dear = open(&l3, &l4);
        let terms = json!({"id": dear.channel_id, "feebase": DEAR, "enforcedelay": 0});
        l3.call("setchannel", terms);
        let all = [&l1, &l2, &l3, &l4];
        net.announce(&dear, &all);
        for open in ours.iter().chain([&cheap]) {
            net.wait_announced(open, &l1);
        }
        l1.wait_for("what the dear channel asks for", || {
            let scid = json!({"short_channel_id": dear.short_channel_id});
            let listed = l1.poll("listchannels", scid)?;
            let mut directions = listed["channels"].as_array()?.iter();
            directions
                .any(|channel| channel["base_fee_millisatoshi"] == DEAR)
                .then_some(())
        });
        Self {
            l1,
            l2,
            l3,
            l4,
            cheap,
            net,
        }
    }

    /// Pays away what l2 has in its channel with l4, but for `left`.
    fn drain(&self, left: u64) {
        let ours = channel(&self.l2, &self.cheap.channel_id).unwrap();
        let amount = ours["spendable_msat"].as_u64().unwrap() - left;
        let bill = invoice(&self.l4, amount, "drain");
        send(&self.l2, &self.l4, &self.cheap, &bill, amount);
        let paid = json!({"payment_hash": bill["payment_hash"]});
        assert_eq!(self.l2.call("waitsendpay", paid)["status"], "complete");
    }
}

#[test]
fn a_way_that_is_exhausted_is_left_for_another() {
    let diamond = Diamond::start();
    let (l1, l4) = (&diamond.l1, &diamond.l4);
    let bill = invoice(l4, AMOUNT, "cheap");
    let paid = l1.call("pay", json!([bill["bolt11"]]));
    assert_eq!(paid["amount_sent_msat"], AMOUNT + FEE);
    diamond.drain(AMOUNT / 2);
    let bill = invoice(l4, AMOUNT, "dear");
    let paid = l1.call("xpay", json!([bill["bolt11"]]));
    assert_eq!(paid["amount_sent_msat"], AMOUNT + DEAR + 1000);
    assert_eq!(
        (&paid["failed_parts"], &paid["successful_parts"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (parts(l1, &bill, "failed"), parts(l1, &bill, "complete")),
        (1, 1)
    );
    let listed = l1.call("listpays", json!({"payment_hash": bill["payment_hash"]}));
    assert_eq!(listed["pays"][0]["status"], "complete");
    // A peer that is away is none to go by.
    diamond.l3.stop();
    let bill = invoice(l4, AMOUNT, "no way left");
    let (code, text) = l1.call_err("pay", json!([bill["bolt11"]]));
    assert_eq!(code, 210, "{text}");
    assert!(
        text.starts_with("Ran out of routes to try after 1 attempt"),
        "{text}"
    );
    assert!(text.contains("WIRE_TEMPORARY_CHANNEL_FAILURE"), "{text}");
    assert_eq!(parts(l1, &bill, "pending"), 0);
    let less = invoice(l4, AMOUNT / 4, "what is left");
    l1.call("pay", json!([less["bolt11"]]));
}

#[test]
fn several_ways_carry_what_one_can_not() {
    let diamond = Diamond::start();
    let (l1, l4) = (&diamond.l1, &diamond.l4);
    let bill = invoice(l4, 1_500_000_000, "wide");
    let paid = l1.call("pay", json!([bill["bolt11"]]));
    assert!(paid["parts"].as_u64().unwrap() >= 2, "{paid}");
    assert_eq!(paid["amount_msat"], 1_500_000_000_u64);
    let sent = paid["amount_sent_msat"].as_u64().unwrap();
    assert!(sent > 1_500_000_000 + DEAR, "{paid}");
    assert!(sent < 1_500_000_000 + 8_000_000, "{paid}");
    assert_eq!(invoice_status(l4, "wide"), "paid");
    assert_eq!(parts(l1, &bill, "pending"), 0);
    let all = [&diamond.l2, &diamond.l3];
    diamond.net.wait_synced(&all);
}

#[test]
fn terms_that_have_changed_are_learned_from_the_failure() {
    let line = public_line();
    line.l2.call("dev-suppress-gossip", json!({}));
    let scid = &line.second.short_channel_id;
    let terms = json!({"id": scid, "feebase": 7000, "enforcedelay": 0});
    line.l2.call("setchannel", terms);
    let bill = invoice(&line.l3, AMOUNT, "dearer");
    let paid = line.l1.call("pay", json!([bill["bolt11"]]));
    assert_eq!(paid["amount_sent_msat"], AMOUNT + 7000 + 1000);
    assert_eq!(parts(&line.l1, &bill, "failed"), 1);
    // What it learned is not spread, nor does it count for the next.
    let listed = line
        .l1
        .call("listchannels", json!({"short_channel_id": scid}));
    let known = listed["channels"].as_array().unwrap();
    assert!(
        known
            .iter()
            .all(|channel| channel["base_fee_millisatoshi"] == 1)
    );
    let bill = invoice(&line.l3, AMOUNT, "too dear");
    let least = json!({"bolt11": bill["bolt11"], "maxfee": 5000});
    let (code, text) = line.l1.call_err("pay", least);
    assert_eq!(code, 210, "{text}");
    assert!(text.contains("WIRE_FEE_INSUFFICIENT"), "{text}");
}

#[test]
fn paying_again_after_a_kill_anywhere_on_the_way_pays_once() {
    let line = public_line();
    let [mut payer, mut middle, mut payee] = line.balances();
    for lines in [2, 8, 16, 30] {
        for victim in [&line.l1, &line.l2, &line.l3] {
            let label = format!("{} after {lines} lines", victim.name());
            let bill = invoice(&line.l3, AMOUNT / 10, &label);
            pay_and_kill(&line.l1, victim, &bill, lines);
            line.wait_quiet();
            let paid = line.l1.call("pay", json!([bill["bolt11"]]));
            let cost = AMOUNT / 10 + FEE / 10 + 1;
            assert_eq!(paid["amount_sent_msat"], cost, "{label}");
            assert_eq!(parts(&line.l1, &bill, "complete"), 1, "{label}");
            payer -= cost;
            middle += cost - AMOUNT / 10;
            payee += AMOUNT / 10;
            assert_eq!(line.balances(), [payer, middle, payee], "{label}");
        }
    }
    line.check();
}
