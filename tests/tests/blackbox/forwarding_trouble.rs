//! Payments on their way through a node to which much happens: processes are killed, channels go to the chain, plugins and full channels send
//! them another way.

use std::path::PathBuf;
use std::thread;

use ln_testkit::nodes::{HelperProcess, NodeOptions, OpenChannel, Seed, TestNode, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::check;
use crate::kill::{self, Due, Victim, dues, is_paid, mourning};
use crate::line::{AMOUNT, DELTA, FEE, FINAL, Line, htlcs};
use crate::plugin_hooks::{answers, judge};
use crate::plugins::wait_heard;
use crate::support::{
    channel, confirmed_msat, invoice, invoice_status, payment_status, send, to_us_at_rest,
    wait_arrived,
};

const VICTIMS: &[Victim] = &[
    Victim::Node,
    Victim::Node,
    Victim::Node,
    Victim::Channeld,
    Victim::Channeld,
    Victim::Helper("connectd"),
    Victim::Helper("hsmd"),
];

/// So many senders pay so often, one payment after the other.
const SENDERS: usize = 4;
const EACH: usize = 3;
/// What the first payment of a round carries; the others carry one more each. And what is asked for that.
const SMALL_MSAT: u64 = 1_000_000;
const SMALL_FEE: u64 = 11;

/// Pays and waits for the end, or until the sender goes away.
fn pay(line: &Line, due: &Due) {
    let (hash, secret) = (&due.invoice["payment_hash"], &due.invoice["payment_secret"]);
    let route = line.route(
        due.amount_msat,
        &line.second.short_channel_id,
        SMALL_FEE,
        DELTA,
    );
    let params = json!({"route": route, "payment_hash": hash, "payment_secret": secret});
    if line.l1.try_call("sendpay", params).is_ok() {
        drop(line.l1.try_call("waitsendpay", json!([hash])));
    }
}

/// A number that l2 counts in a channel.
fn count(line: &Line, open: &OpenChannel, name: &str) -> Option<u64> {
    channel(&line.l2, &open.channel_id)?[name].as_u64()
}

/// How many steps l2 has seen: an HTLC offered to it, one offered by it, and the end of each that was paid.
fn steps(line: &Line) -> Option<u64> {
    let counts = [
        count(line, &line.first, "in_payments_offered"),
        count(line, &line.first, "in_payments_fulfilled"),
        count(line, &line.second, "out_payments_offered"),
        count(line, &line.second, "out_payments_fulfilled"),
    ];
    counts.into_iter().sum()
}

/// Kills one process of a node; the channelds there were, if it was one of them.
fn kill(node: &TestNode, victim: Victim, seed: &mut Seed) -> Vec<HelperProcess> {
    if victim != Victim::Channeld {
        return kill::kill(node, victim);
    }
    let all = kill::channelds(node);
    if !all.is_empty() {
        seed.choose(&all).kill();
    }
    all
}

/// Kills and revives while payments are under way.
fn disturb(line: &Line, dues: &[Due], seed: &mut Seed) {
    let before = steps(line).unwrap();
    let moment = seed.below(4 * 10);
    let nodes = [&line.l2, &line.l2, &line.l2, &line.l1, &line.l3];
    let (node, victim) = (*seed.choose(&nodes), *seed.choose(VICTIMS));
    let again = (seed.below(3) > 0).then(|| (*seed.choose(&nodes), *seed.choose(VICTIMS)));
    let second = again.map(|(node, victim)| (node.name(), victim));
    let name = node.name();
    eprintln!("{victim:?} of {name} after {moment}, then {second:?}");
    thread::scope(|scope| {
        for dues in dues.chunks(EACH) {
            scope.spawn(|| dues.iter().for_each(|due| pay(line, due)));
        }
        wait_until("some steps", || {
            (steps(line)? >= before + moment).then_some(())
        });
        let mark = node.log().end();
        let channelds = kill(node, victim, seed);
        kill::revive(node, victim, &channelds);
        if let Some((other, victim)) = again {
            // In the middle of agreeing upon the channels again, or soon after.
            node.wait_log_after(mark, "Handed peer");
            let channelds = kill(other, victim, seed);
            kill::revive(other, victim, &channelds);
        }
    });
}

/// Every payment was made once or not at all, and all say the same. What each owns now.
fn settled(line: &Line, dues: &[Due], before: [u64; 3]) -> [u64; 3] {
    let after = line.balances();
    let [mut payer, mut middle, mut payee] = before;
    let mut paid = 0;
    for due in dues {
        if is_paid(&line.l1, &line.l3, due) {
            payer -= due.amount_msat + SMALL_FEE;
            middle += SMALL_FEE;
            payee += due.amount_msat;
            paid += 1;
        }
    }
    eprintln!("{paid} of {} paid", dues.len());
    assert_eq!(after, [payer, middle, payee]);
    let came = count(line, &line.first, "in_payments_offered");
    let went = count(line, &line.second, "out_payments_offered");
    assert!(went <= came, "{went:?} of {came:?} were handed on");
    line.check();
    after
}

/// Kills the middle while the payee stands still with HTLCs of its, and lets it go on only when the middle is back.
fn disturb_held(line: &Line, dues: &[Due], seed: &mut Seed) {
    let before = steps(line).unwrap();
    let (moment, node_too) = (seed.below(20), seed.below(2) == 0);
    eprintln!("l2 killed after {moment}, then l3 {node_too}");
    thread::scope(|scope| {
        let chunks = dues.chunks(EACH);
        let senders: Vec<_> = chunks
            .map(|dues| scope.spawn(|| dues.iter().for_each(|due| pay(line, due))))
            .collect();
        wait_until("some steps", || {
            (steps(line)? >= before + moment).then_some(())
        });
        line.l3.pause();
        line.l2
            .wait_for("an HTLC that was handed on, or the end of all", || {
                let over = senders.iter().all(|sender| sender.is_finished());
                (over || htlcs(&line.l2, &line.second)? > 0).then_some(())
            });
        line.l2.kill();
        line.l2.start_again();
        line.net.wait_usable(&line.l2, &line.first.channel_id);
        line.l3.go_on();
        if node_too {
            line.l3.kill();
            line.l3.start_again();
        }
    });
}

#[test]
fn what_is_under_way_arrives_once_or_not_at_all_whoever_dies() {
    let line = Line::start_with([mourning(), mourning(), mourning()]);
    let mut seed = Seed::from_environment("forward");
    let mut balances = line.balances();
    for round in 0..8 {
        let dues = dues(&line.l3, round, SENDERS * EACH, SMALL_MSAT);
        if round % 4 == 0 {
            disturb_held(&line, &dues, &mut seed);
        } else {
            disturb(&line, &dues, &mut seed);
        }
        balances = settled(&line, &dues, balances);
    }
    line.pay("last");
    let [payer, middle, payee] = balances;
    let last = [payer - AMOUNT - FEE, middle + FEE, payee + AMOUNT];
    assert_eq!(line.balances(), last);
}

/// Closes a channel alone and has the commitment mined, which only these nodes see. The commitment's id.
fn close_alone(line: &Line, by: &TestNode, open: &OpenChannel, seeing: &[&TestNode]) -> Value {
    let params = json!({"id": open.channel_id, "unilateraltimeout": 1});
    let closed = by.call("close", params);
    assert_eq!(closed["type"], "unilateral");
    line.net.wait_mempool(1);
    line.net.mine(1, seeing);
    line.net.wait_state(by, &open.channel_id, "ONCHAIN");
    closed["txids"][0].clone()
}

/// Waits until a transaction in the mempool spends this output of another: its id.
fn wait_claim(line: &Line, of: &Value, outnum: u64) -> Value {
    let chain = &line.net.chain;
    let spends = |input: &Value| input["txid"] == *of && input["vout"] == outnum;
    let claims = |txid: &String| {
        let tx = chain.try_call("getrawtransaction", json!([txid, true]));
        let inputs = tx.ok().and_then(|tx| tx["vin"].as_array().cloned());
        inputs.is_some_and(|inputs| inputs.iter().any(spends))
    };
    wait_until(
        "a transaction in the mempool that spends the output",
        || chain.mempool().into_iter().find(claims).map(Value::from),
    )
}

/// The output of a commitment with the value of the HTLC.
fn htlc_output(line: &Line, commitment: &Value, msat: u64) -> u64 {
    let tx = line
        .net
        .chain
        .call("getrawtransaction", json!([commitment, true]));
    let mut outputs = tx["vout"].as_array().unwrap().iter();
    let value: f64 = format!("0.{:08}", msat / 1000).parse().unwrap();
    let is_it = |output: &&Value| (output["value"].as_f64().unwrap() - value).abs() < 1e-9;
    let found = outputs.find(is_it);
    found.expect("an output for the HTLC")["n"]
        .as_u64()
        .unwrap()
}

/// A payment to l2 itself.
fn pay_the_middle(line: &Line, label: &str) {
    let bill = invoice(&line.l2, AMOUNT, label);
    send(&line.l1, &line.l2, &line.first, &bill, AMOUNT);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
}

#[test]
fn an_htlc_that_times_out_on_chain_fails_upstream_and_only_that() {
    let line = Line::start();
    let ignored = json!({"id": line.l2.id(), "ignore": true});
    line.l3.call("dev-ignore-htlcs", ignored);
    let bill = invoice(&line.l3, AMOUNT, "lost");
    // So many blocks that the claim is deep long before the HTLC that came in is in danger.
    let scid = &line.second.short_channel_id;
    line.send_for(&bill, AMOUNT, scid, FEE, 10 * DELTA);
    wait_arrived(&line.l3, &line.second.channel_id);
    line.l3.stop();
    let awake = [&line.l1, &line.l2];
    let commitment = close_alone(&line, &line.l2, &line.second, &awake);
    let output = htlc_output(&line, &commitment, AMOUNT);
    let blocks = u32::try_from(FINAL).unwrap();
    line.l2.restart();
    line.net.mine(blocks, &awake);
    wait_claim(&line, &commitment, output);
    line.net.mine(1, &awake);
    assert_eq!(htlcs(&line.l2, &line.first), Some(1), "it is not deep yet");
    line.net.mine(2, &awake);
    let middle = json!(line.l2.id());
    assert_eq!(line.failure(&bill), (0x4008, middle));
    line.net.wait_usable(&line.l1, &line.first.channel_id);
    pay_the_middle(&line, "still usable");
    assert!(line.l1.log().all_with("hit deadline").is_empty());
    for node in awake {
        line.net
            .wait_state(node, &line.first.channel_id, "CHANNELD_NORMAL");
        check(node);
    }
}

/// Mines a block with nothing in it.
fn mine_empty(line: &Line, nodes: &[&TestNode]) {
    let address = line.net.chain.new_address();
    line.net.chain.call("generateblock", json!([address, []]));
    line.net.wait_synced(nodes);
}

#[test]
fn what_the_chain_does_not_settle_in_time_is_given_up_upstream() {
    let line = Line::start();
    let ignored = json!({"id": line.l2.id(), "ignore": true});
    line.l3.call("dev-ignore-htlcs", ignored);
    let bill = invoice(&line.l3, AMOUNT, "late");
    line.send(&bill);
    wait_arrived(&line.l3, &line.second.channel_id);
    line.l3.stop();
    let awake = [&line.l1, &line.l2];
    let listed = channel(&line.l2, &line.first.channel_id).unwrap();
    let expiry = listed["htlcs"][0]["expiry"].as_u64().unwrap();
    // Nothing of l2's is ever in a block.
    while line.net.chain.height() < expiry - 4 {
        mine_empty(&line, &awake);
    }
    line.net.wait_mempool(1);
    assert_eq!(htlcs(&line.l2, &line.first), Some(1));
    mine_empty(&line, &awake);
    line.l2.wait_log("Abandoning unresolved onchain HTLC");
    assert_eq!(line.failure(&bill), (0x4008, json!(line.l2.id())));
    pay_the_middle(&line, "still usable");
    // Late, but not too late.
    line.l2.restart();
    line.net.wait_mempool(1);
    line.net.mine(1, &awake);
    line.net
        .wait_state(&line.l2, &line.second.channel_id, "ONCHAIN");
    line.net.wait_mempool(1);
    line.net.mine(4, &awake);
    check(&line.l1);
    check(&line.l2);
}

#[test]
fn a_preimage_goes_on_before_the_end_of_its_htlc_is_committed() {
    let silent = NodeOptions::default().argument("--dev-disable-commit-after=1");
    let line = Line::start_with([NodeOptions::default(), NodeOptions::default(), silent]);
    line.pay("not committed");
    assert_eq!(htlcs(&line.l2, &line.second), Some(1));
    line.l2.kill();
    line.l2.start_again();
    line.wait_quiet();
    line.check();
}

/// A line whose last node has a plugin that holds HTLCs until it is told otherwise.
struct Holding {
    line: Line,
    plugin: PathBuf,
    _dir: TempDir,
}

impl Holding {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let plugin = judge(dir.path(), "hold", &json!(["htlc_accepted"]));
        let holds = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
        let line = Line::start_with([NodeOptions::default(), NodeOptions::default(), holds]);
        // What its claims on the chain cost.
        line.net.fund(&line.l3, Sat::from_sat(1_000_000));
        line.net.wait_synced(&[&line.l1, &line.l2]);
        answers(&plugin, "held", &json!({"result": "continue"}));
        Self {
            line,
            plugin,
            _dir: dir,
        }
    }

    /// Sends a payment that stays with the plugin.
    fn send(&self, label: &str) -> Value {
        self.send_for(label, 10 * DELTA)
    }

    /// The same with so many blocks for the middle.
    fn send_for(&self, label: &str, delta: u64) -> Value {
        let bill = invoice(&self.line.l3, AMOUNT, label);
        let scid = &self.line.second.short_channel_id;
        self.line.send_for(&bill, AMOUNT, scid, FEE, delta);
        wait_heard(&self.plugin, "htlc_accepted");
        bill
    }

    fn release(&self, label: &str) {
        self.line.l3.call("release-hold", json!({}));
        self.line.l3.wait_for("the invoice to be paid", || {
            (invoice_status(&self.line.l3, label) == "paid").then_some(())
        });
    }
}

#[test]
fn a_preimage_that_only_the_chain_shows_completes_the_payment() {
    let holding = Holding::start();
    let line = &holding.line;
    let bill = holding.send("on chain");
    line.l2.kill();
    holding.release("on chain");
    let awake = [&line.l1, &line.l3];
    let commitment = close_alone(line, &line.l3, &line.second, &awake);
    let output = htlc_output(line, &commitment, AMOUNT);
    wait_claim(line, &commitment, output);
    line.net.mine(1, &awake);
    let hash = &bill["payment_hash"];
    assert_eq!(payment_status(&line.l1, hash).as_deref(), Some("pending"));
    line.l2.start_again();
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    pay_the_middle(line, "still usable");
    line.net.wait_usable(&line.l2, &line.first.channel_id);
    to_us_at_rest(&line.l2, &line.first.channel_id);
    check(&line.l1);
    check(&line.l2);
    check(&line.l3);
}

/// Mines a block with this transaction alone.
fn mine_only(line: &Line, tx: &str, nodes: &[&TestNode]) {
    let address = line.net.chain.new_address();
    let params = json!([address, [tx]]);
    line.net.chain.call("generateblock", params);
    line.net.wait_synced(nodes);
}

#[test]
fn a_preimage_in_the_very_block_in_which_it_would_be_given_up_counts() {
    let holding = Holding::start();
    let line = &holding.line;
    let bill = holding.send_for("last block", DELTA);
    let listed = channel(&line.l2, &line.first.channel_id).unwrap();
    let expiry = listed["htlcs"][0]["expiry"].as_u64().unwrap();
    line.l2.kill();
    holding.release("last block");
    let commitment = close_alone(line, &line.l3, &line.second, &[&line.l1, &line.l3]);
    let output = htlc_output(line, &commitment, AMOUNT);
    let claim = wait_claim(line, &commitment, output);
    let awake = [&line.l1, &line.l3];
    while line.net.chain.height() < expiry - 4 {
        mine_empty(line, &awake);
    }
    // What l2 sends to the mempool now competes with the claim.
    let claim = line.net.chain.call("getrawtransaction", json!([claim]));
    line.l2.start_again();
    line.net.wait_synced(&[&line.l2]);
    line.net
        .wait_state(&line.l2, &line.second.channel_id, "ONCHAIN");
    line.net.wait_usable(&line.l2, &line.first.channel_id);
    let all = [&line.l1, &line.l2, &line.l3];
    mine_only(line, claim.as_str().unwrap(), &all);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    assert!(line.l2.log().all_with("Abandoning").is_empty());
    pay_the_middle(line, "still usable");
    line.check();
}

#[test]
fn a_preimage_claims_the_htlc_that_came_in_on_chain() {
    let holding = Holding::start();
    let line = &holding.line;
    let bill = holding.send("upstream");
    line.l2.pause();
    let commitment = close_alone(line, &line.l1, &line.first, &[&line.l1, &line.l3]);
    line.l2.go_on();
    line.net.wait_synced(&[&line.l2]);
    line.net
        .wait_state(&line.l2, &line.first.channel_id, "ONCHAIN");
    let before = confirmed_msat(&line.l2);
    holding.release("upstream");
    let output = htlc_output(line, &commitment, AMOUNT + FEE);
    wait_claim(line, &commitment, output);
    line.net.mine(1, &[&line.l1, &line.l2, &line.l3]);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    line.l2.wait_for("the value of the HTLC", || {
        (confirmed_msat(&line.l2) > before + AMOUNT - 20_000_000).then_some(())
    });
    line.check();
}

#[test]
fn an_htlc_that_was_paid_for_is_claimed_from_a_peer_that_is_gone() {
    let holding = Holding::start();
    let line = &holding.line;
    let bill = holding.send_for("gone", DELTA);
    line.l1.kill();
    holding.release("gone");
    let awake = [&line.l2, &line.l3];
    let listed = channel(&line.l2, &line.first.channel_id).unwrap();
    let expiry = listed["htlcs"][0]["expiry"].as_u64().unwrap();
    line.l2.wait_for("the end of the HTLC that went out", || {
        (htlcs(&line.l2, &line.second)? == 0).then_some(())
    });
    line.l2.restart();
    while line.net.chain.height() < expiry - DELTA / 2 {
        assert!(line.net.chain.mempool().is_empty(), "it is early");
        line.net.mine(1, &awake);
    }
    let funding = json!(line.first.funding_txid);
    let commitment = wait_claim(line, &funding, line.first.funding_outnum);
    line.net.mine(1, &awake);
    let output = htlc_output(line, &commitment, AMOUNT + FEE);
    wait_claim(line, &commitment, output);
    line.net.mine(1, &awake);
    assert!(line.net.chain.height() < expiry);
    line.l1.start_again();
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    line.net.wait_synced(&[&line.l1]);
    line.net
        .wait_state(&line.l1, &line.first.channel_id, "ONCHAIN");
    line.check();
}

/// Opens another channel to the last node, which has less than a payment left on the middle's side.
fn another(line: &Line) -> OpenChannel {
    let capacity = Sat::from_sat(300_000);
    let open = line.net.open_funded_channel(&line.l2, &line.l3, capacity);
    line.net.wait_synced(&[&line.l1]);
    open
}

#[test]
fn a_channel_that_is_too_empty_is_not_the_only_way() {
    let line = Line::start();
    let other = another(&line);
    let drain = invoice(&line.l3, 250_000_000, "drain");
    send(&line.l2, &line.l3, &other, &drain, 250_000_000);
    let hash = json!({"payment_hash": drain["payment_hash"]});
    assert_eq!(line.l2.call("waitsendpay", hash)["status"], "complete");
    let (empty, full) = (
        to_us_at_rest(&line.l2, &other.channel_id),
        to_us_at_rest(&line.l2, &line.second.channel_id),
    );
    let bill = invoice(&line.l3, AMOUNT, "around");
    line.send_for(&bill, AMOUNT, &other.short_channel_id, FEE, DELTA);
    assert_eq!(line.outcome(&bill).unwrap(), "complete");
    assert_eq!(
        to_us_at_rest(&line.l2, &line.second.channel_id),
        full - AMOUNT
    );
    assert_eq!(to_us_at_rest(&line.l2, &other.channel_id), empty);
    line.wait_quiet();
    line.check();
}

#[test]
fn a_plugin_chooses_the_channel() {
    let dir = TempDir::new().unwrap();
    let plugin = judge(dir.path(), "judge", &json!(["htlc_accepted"]));
    let judges = NodeOptions::default().argument(format!("--plugin={}", plugin.display()));
    let line = Line::start_with([NodeOptions::default(), judges, NodeOptions::default()]);
    let other = another(&line);
    let before = line.wait_quiet();
    let (ours, usual) = (
        to_us_at_rest(&line.l2, &other.channel_id),
        to_us_at_rest(&line.l2, &line.second.channel_id),
    );
    let answer = json!({"result": "continue", "forward_to": other.channel_id});
    answers(&plugin, "htlc_accepted", &answer);
    line.pay("the other way");
    let heard = wait_heard(&plugin, "htlc_accepted");
    assert_eq!(heard["forward_to"], line.second.channel_id);
    assert_eq!(to_us_at_rest(&line.l2, &other.channel_id), ours - AMOUNT);
    assert_eq!(to_us_at_rest(&line.l2, &line.second.channel_id), usual);
    assert_eq!(line.wait_quiet(), before + AMOUNT + FEE);
    // There is no such channel.
    let nowhere = json!({"result": "continue", "forward_to": "ab".repeat(32)});
    answers(&plugin, "htlc_accepted", &nowhere);
    let bill = invoice(&line.l3, AMOUNT, "nowhere");
    line.send(&bill);
    assert_eq!(line.failure(&bill), (0x400a, json!(line.l2.id())));
    line.wait_quiet();
    line.check();
}
