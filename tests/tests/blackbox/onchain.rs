//! HTLCs, lies and reorganisations on the chain.

use ln_testkit::nodes::{HelperProcess, NodeOptions, OpenChannel, TestNode, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::accounts;
use crate::support::{
    CAPACITY_MSAT, Pair, confirmed_msat, invoice, invoice_status, parts_wait, payment_status, send,
    wait_arrived,
};

const PART_MSAT: u64 = 500_000_000;

/// Two nodes, and an HTLC from the first that the second holds because it is only half of its payment.
struct Held {
    pair: Pair,
    invoice: Value,
}

impl Held {
    fn start() -> Self {
        let pair = Pair::start_with(parts_wait());
        // So that both have a balance.
        pair.pay(1_000_000_000, "before");
        pair.wait_quiet();
        let invoice = invoice(&pair.l2, 2 * PART_MSAT, "halves");
        let held = Self { pair, invoice };
        held.send_half(&held.pair.open, 1);
        let id = &held.pair.open.channel_id;
        wait_arrived(&held.pair.l2, id);
        held
    }

    fn send_half(&self, open: &OpenChannel, partid: u64) {
        let route = json!([{
            "id": self.pair.l2.id(),
            "channel": open.short_channel_id,
            "amount_msat": PART_MSAT,
            "delay": 15,
        }]);
        self.pair.l1.call(
            "sendpay",
            json!({
                "route": route,
                "payment_hash": self.invoice["payment_hash"],
                "payment_secret": self.invoice["payment_secret"],
                "amount_msat": 2 * PART_MSAT,
                "partid": partid,
                "groupid": 1,
            }),
        );
    }

    /// What became of a half.
    fn half(&self, partid: u64) -> Option<Value> {
        let hash = &self.invoice["payment_hash"];
        let reply = self
            .pair
            .l1
            .poll("listsendpays", json!({"payment_hash": hash}))?;
        let mut parts = reply["payments"].as_array()?.iter();
        parts.find(|part| part["partid"] == partid).cloned()
    }

    fn wait_half(&self, partid: u64, status: &str) {
        self.pair
            .l1
            .wait_for(&format!("part {partid} to be {status}"), || {
                (self.half(partid)?["status"] == status).then_some(())
            });
    }
}

/// One node closes a channel alone and has its commitment mined; the other hears of it only then, lest it does the same. The commitment.
pub(crate) fn close_alone(pair: &Pair, by: &TestNode, other: Option<&TestNode>) -> Value {
    let id = &pair.open.channel_id;
    if let Some(other) = other {
        other.pause();
    }
    let closed = by.call("close", json!({"id": id, "unilateraltimeout": 1}));
    assert_eq!(closed["type"], "unilateral");
    pair.net.wait_mempool(1);
    pair.net.mine(1, &[by]);
    pair.net.wait_state(by, id, "ONCHAIN");
    if let Some(other) = other {
        other.go_on();
        pair.net.wait_synced(&[other]);
        pair.net.wait_state(other, id, "ONCHAIN");
    }
    closed["txids"][0].clone()
}

/// Waits until a transaction in the mempool spends an output of a commitment.
fn wait_claim(pair: &Pair, commitment: &Value) {
    let chain = &pair.net.chain;
    let claims = |txid: &String| {
        let tx = chain.try_call("getrawtransaction", json!([txid, true]));
        let inputs = tx.ok().and_then(|tx| tx["vin"].as_array().cloned());
        inputs.is_some_and(|inputs| inputs.iter().any(|input| input["txid"] == *commitment))
    };
    wait_until("a claim of the commitment's outputs in the mempool", || {
        chain.mempool().iter().any(claims).then_some(())
    });
}

/// Mines block after block, with whatever is in the mempool by then, until something is the case.
pub(crate) fn mine_until(
    pair: &Pair,
    watching: &[&TestNode],
    what: &str,
    mut done: impl FnMut() -> bool,
) {
    for _ in 0..60 {
        if done() {
            return;
        }
        for node in watching {
            node.call("listpeerchannels", json!({}));
        }
        pair.net.mine(1, watching);
    }
    panic!("{what} did not happen in 60 blocks");
}

pub(crate) fn wait_closed(pair: &Pair, nodes: &[&TestNode]) {
    let is_closed = |node: &TestNode| {
        let listed = node.call("listclosedchannels", json!({}));
        let closed = listed["closedchannels"].as_array().unwrap();
        closed
            .iter()
            .any(|channel| channel["channel_id"] == pair.open.channel_id.as_str())
    };
    // What ripens on the way is taken on the way; after that 100 blocks more are needed.
    mine_until(pair, nodes, "the end of the channel", || {
        pair.net.mine(10, nodes);
        nodes.iter().all(|node| is_closed(node))
    });
    for node in nodes {
        accounts::check(node);
    }
}

/// The HTLC times out on the chain: the payment fails, and the payer, who had `before`, has its whole share of the channel.
fn the_payer_gets_all_back(held: &Held, before: u64) {
    let pair = &held.pair;
    mine_until(pair, &[&pair.l1], "the failure of the payment", || {
        held.half(1).is_some_and(|part| part["status"] == "failed")
    });
    let owed = CAPACITY_MSAT - 1_000_000_000;
    mine_until(pair, &[&pair.l1], "our money", || {
        confirmed_msat(&pair.l1) > before + owed - 20_000_000
    });
    wait_closed(pair, &[&pair.l1]);
}

#[test]
fn an_htlc_of_ours_on_our_commitment_times_out() {
    let held = Held::start();
    let pair = &held.pair;
    let before = confirmed_msat(&pair.l1);
    pair.l2.kill();
    close_alone(pair, &pair.l1, None);
    pair.l1.kill();
    pair.l1.start_again();
    the_payer_gets_all_back(&held, before);
}

#[test]
fn an_htlc_of_ours_on_their_commitment_times_out() {
    let held = Held::start();
    let pair = &held.pair;
    let before = confirmed_msat(&pair.l1);
    close_alone(pair, &pair.l2, Some(&pair.l1));
    pair.l2.kill();
    the_payer_gets_all_back(&held, before);
}

/// The second half comes over another channel when the first channel is on chain already.
fn the_rest_is_paid(held: &Held) {
    let pair = &held.pair;
    let other = pair
        .net
        .open_channel(&pair.l1, &pair.l2, Sat::from_sat(2_000_000));
    held.send_half(&other, 2);
    pair.l2.wait_for("the invoice to be paid", || {
        (invoice_status(&pair.l2, "halves") == "paid").then_some(())
    });
    held.wait_half(2, "complete");
}

#[test]
fn a_preimage_takes_an_htlc_from_their_commitment_and_tells_its_payer() {
    let held = Held::start();
    let pair = &held.pair;
    let nodes = [&pair.l1, &pair.l2];
    let commitment = close_alone(pair, &pair.l1, Some(&pair.l2));
    the_rest_is_paid(&held);
    let before = confirmed_msat(&pair.l2);
    wait_claim(pair, &commitment);
    pair.l1.kill();
    pair.net.mine(1, &[&pair.l2]);
    pair.l1.start_again();
    held.wait_half(1, "complete");
    pair.l2.wait_for("the HTLC's value", || {
        (confirmed_msat(&pair.l2) > before + PART_MSAT - 20_000_000).then_some(())
    });
    pair.l2.restart();
    wait_closed(pair, &nodes);
}

#[test]
fn a_preimage_takes_an_htlc_from_our_commitment() {
    let held = Held::start();
    let pair = &held.pair;
    let nodes = [&pair.l1, &pair.l2];
    pair.net.fund(&pair.l2, Sat::from_sat(1_000_000));
    let commitment = close_alone(pair, &pair.l2, Some(&pair.l1));
    the_rest_is_paid(&held);
    let before = confirmed_msat(&pair.l2);
    pair.l2.kill();
    pair.l2.start_again();
    // Else blocks might come so fast that the HTLC times out first.
    wait_claim(pair, &commitment);
    mine_until(pair, &nodes, "the completion of the payment", || {
        held.half(1)
            .is_some_and(|part| part["status"] == "complete")
    });
    mine_until(pair, &nodes, "the delayed outputs", || {
        confirmed_msat(&pair.l2) > before + PART_MSAT - 20_000_000
    });
    wait_closed(pair, &nodes);
}

#[test]
fn a_revoked_commitment_is_punished() {
    let pair = Pair::start();
    pair.pay(2_000_000_000, "first");
    pair.wait_quiet();
    pair.l2.stop();
    let database = pair.l2.dir().join("regtest/lightningd.sqlite3");
    let old = pair.l2.dir().join("old.sqlite3");
    std::fs::copy(&database, &old).unwrap();
    pair.l2.start_again();
    let back = invoice(&pair.l1, 1_500_000_000, "back");
    pair.wait_quiet();
    let route = json!([{
        "id": pair.l1.id(),
        "channel": pair.open.short_channel_id,
        "amount_msat": 1_500_000_000_u64,
        "delay": 15,
    }]);
    pair.l2.call(
        "sendpay",
        json!({
            "route": route,
            "payment_hash": back["payment_hash"],
            "payment_secret": back["payment_secret"],
        }),
    );
    pair.l2.wait_for("the payment back", || {
        (payment_status(&pair.l2, &back["payment_hash"])? == "complete").then_some(())
    });
    pair.wait_quiet();
    let before = confirmed_msat(&pair.l1);
    // Now the second node lies: an old state, in which it owned more.
    pair.l1.stop();
    pair.l2.stop();
    std::fs::copy(&old, &database).unwrap();
    pair.l2.start_again();
    close_alone(&pair, &pair.l2, None);
    pair.l2.kill();
    pair.l1.start_again();
    pair.net.wait_mempool(1);
    mine_until(&pair, &[&pair.l1], "everything to be ours", || {
        confirmed_msat(&pair.l1) > before + CAPACITY_MSAT - 20_000_000
    });
    wait_closed(&pair, &[&pair.l1]);
}

#[test]
fn a_close_leaves_the_chain_and_comes_back() {
    let pair = Pair::start();
    pair.pay(1_000_000_000, "before");
    pair.wait_quiet();
    let nodes = [&pair.l1, &pair.l2];
    pair.l2.pause();
    let before = confirmed_msat(&pair.l1);
    let closed = pair.l1.call(
        "close",
        json!({"id": pair.open.channel_id, "unilateraltimeout": 1}),
    );
    assert_eq!(closed["type"], "unilateral");
    pair.net.wait_mempool(1);
    pair.l2.go_on();
    pair.net.mine(3, &nodes);
    for node in nodes {
        pair.net.wait_state(node, &pair.open.channel_id, "ONCHAIN");
    }
    let first = pair.net.chain.height() - 2;
    let hash = pair.net.chain.call("getblockhash", json!([first]));
    pair.net.chain.call("invalidateblock", json!([hash]));
    let address = pair.net.chain.new_address();
    for _ in 0..4 {
        pair.net.chain.call("generateblock", json!([address, []]));
    }
    for node in nodes {
        pair.net
            .wait_state(node, &pair.open.channel_id, "AWAITING_UNILATERAL");
    }
    // The same again, in another block, while one node is away.
    pair.net.wait_mempool(1);
    pair.l2.kill();
    pair.net.mine(1, &[&pair.l1]);
    pair.net
        .wait_state(&pair.l1, &pair.open.channel_id, "ONCHAIN");
    pair.l2.start_again();
    pair.net
        .wait_state(&pair.l2, &pair.open.channel_id, "ONCHAIN");
    mine_until(&pair, &nodes, "both shares", || {
        confirmed_msat(&pair.l1) > before + 3_150_000_000
            && confirmed_msat(&pair.l2) == 1_000_000_000
    });
    wait_closed(&pair, &nodes);
}

#[test]
fn a_commitment_that_pays_too_little_is_helped_into_a_block() {
    let options = NodeOptions::default()
        .argument("--force-feerates=5000")
        .argument("--commit-fee=10");
    let pair = Pair::start_with(options);
    pair.pay(1_000_000_000, "before");
    pair.wait_quiet();
    pair.l2.kill();
    let before = confirmed_msat(&pair.l1);
    let closed = pair.l1.call(
        "close",
        json!({"id": pair.open.channel_id, "unilateraltimeout": 1}),
    );
    assert_eq!(closed["type"], "unilateral");
    pair.net.wait_mempool(1);
    // The child comes at the latest with the next block, which is empty here.
    let address = pair.net.chain.new_address();
    pair.net.chain.call("generateblock", json!([address, []]));
    pair.net.wait_synced(&[&pair.l1]);
    let both = pair.net.wait_mempool(2);
    pair.l1
        .wait_log("Creating anchor spend for local commit tx");
    pair.l1.restart();
    pair.net.chain.call("generateblock", json!([address, []]));
    pair.net.wait_synced(&[&pair.l1]);
    assert_eq!(pair.net.chain.mempool().len(), both.len());
    pair.net.mine(1, &[&pair.l1]);
    assert!(pair.net.chain.mempool().is_empty());
    mine_until(&pair, &[&pair.l1], "our share", || {
        confirmed_msat(&pair.l1) > before + 3_150_000_000
    });
    wait_closed(&pair, &[&pair.l1]);
}

/// The coin for its fee was set aside when the node was killed, and there is no other.
#[test]
fn a_kill_while_a_transaction_is_being_made_leaves_its_coins_to_the_next() {
    let options = NodeOptions::default()
        .argument("--force-feerates=5000")
        .argument("--commit-fee=10");
    let pair = Pair::start_with(options);
    pair.l2.kill();
    let node = &pair.l1;
    let hsmd = node.helper("hsmd").unwrap();
    let closed = node.call(
        "close",
        json!({"id": pair.open.channel_id, "unilateraltimeout": 1}),
    );
    assert_eq!(closed["type"], "unilateral");
    pair.net.wait_mempool(1);
    // Nothing is signed from now on.
    hsmd.pause();
    let address = pair.net.chain.new_address();
    pair.net.chain.call("generateblock", json!([address, []]));
    node.wait_for("a coin set aside", || {
        let funds = node.poll("listfunds", json!({}))?;
        let mut outputs = funds["outputs"].as_array()?.iter();
        outputs
            .any(|output| output["reserved"] == true)
            .then_some(())
    });
    let process = HelperProcess {
        pid: node.pid().unwrap(),
        name: node.name().to_owned(),
    };
    process.kill();
    hsmd.kill();
    node.kill();
    node.start_again();
    pair.net.wait_mempool(2);
}

#[test]
fn an_htlc_past_its_expiry_takes_the_channel_to_the_chain() {
    let held = Held::start();
    let pair = &held.pair;
    let nodes = [&pair.l1, &pair.l2];
    let id = &pair.open.channel_id;
    mine_until(pair, &nodes, "the deadline", || {
        !pair.l1.log().all_with("hit deadline").is_empty()
    });
    pair.l1.wait_log("SENT_ADD_ACK_REVOCATION cltv");
    mine_until(pair, &nodes, "the failure of the payment", || {
        held.half(1).is_some_and(|part| part["status"] == "failed")
    });
    for node in nodes {
        pair.net.wait_state(node, id, "ONCHAIN");
    }
    wait_closed(pair, &nodes);
}

/// The peer never signs the removal of an HTLC it was paid for: before the channel is closed over it the connection is made anew, which
/// is all that was missing.
#[test]
fn a_stuck_removal_is_healed_by_connecting_again() {
    let pair = Pair::start_with(NodeOptions::default().argument("--dev-disable-commit-after=1"));
    let invoice = invoice(&pair.l2, PART_MSAT, "stuck");
    send(&pair.l1, &pair.l2, &pair.open, &invoice, PART_MSAT);
    pair.l2.wait_for("the invoice to be paid", || {
        (invoice_status(&pair.l2, "stuck") == "paid").then_some(())
    });
    let nodes = [&pair.l1, &pair.l2];
    mine_until(&pair, &nodes, "another connection", || {
        !pair.l2.log().all_with("connecting again").is_empty()
    });
    let (ours, theirs) = pair.wait_quiet();
    assert_eq!((ours, theirs), (CAPACITY_MSAT - PART_MSAT, PART_MSAT));
}

#[test]
fn a_close_leaves_the_chain_while_its_node_is_away() {
    let pair = Pair::start();
    pair.pay(1_000_000_000, "before");
    pair.wait_quiet();
    let before = confirmed_msat(&pair.l1);
    pair.l2.kill();
    close_alone(&pair, &pair.l1, None);
    pair.net.mine(1, &[&pair.l1]);
    pair.l1.kill();
    let hash = pair
        .net
        .chain
        .call("getblockhash", json!([pair.net.chain.height() - 1]));
    pair.net.chain.call("invalidateblock", json!([hash]));
    let address = pair.net.chain.new_address();
    for _ in 0..3 {
        pair.net.chain.call("generateblock", json!([address, []]));
    }
    pair.l1.start_again();
    pair.net
        .wait_state(&pair.l1, &pair.open.channel_id, "AWAITING_UNILATERAL");
    pair.net.wait_mempool(1);
    pair.net.mine(1, &[&pair.l1]);
    pair.net
        .wait_state(&pair.l1, &pair.open.channel_id, "ONCHAIN");
    mine_until(&pair, &[&pair.l1], "our share", || {
        confirmed_msat(&pair.l1) > before + 3_150_000_000
    });
    wait_closed(&pair, &[&pair.l1]);
}
