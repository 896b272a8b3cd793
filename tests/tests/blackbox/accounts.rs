//! What moves is in the node's accounts: at each rest they tell what the node has, whatever happened before.

use std::collections::BTreeMap;

use ln_testkit::nodes::{OpenChannel, TestNet, TestNode, try_wait_until};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::support::{Pair, channels, confirmed_msat, invoice, send};

/// Everything that moved on chain, as it is listed.
pub(crate) fn chain_moves(node: &TestNode) -> Vec<Value> {
    let listed = node.call("listchainmoves", json!({}));
    listed["chainmoves"].as_array().unwrap().clone()
}

/// Everything that moved in channels, as it is listed.
pub(crate) fn channel_moves(node: &TestNode) -> Vec<Value> {
    let listed = node.call("listchannelmoves", json!({}));
    listed["channelmoves"].as_array().unwrap().clone()
}

/// The sum of each account of ours.
fn sums(node: &TestNode) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for line in chain_moves(node).iter().chain(&channel_moves(node)) {
        let account = line["account_id"].as_str().unwrap();
        let gained = line["credit_msat"].as_i64().unwrap() - line["debit_msat"].as_i64().unwrap();
        *sums.entry(account.to_owned()).or_insert(0) += gained;
    }
    sums.remove("external");
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// What `listfunds` and `listpeerchannels` say the accounts should be.
fn holdings(node: &TestNode) -> BTreeMap<String, i64> {
    let mut holdings = BTreeMap::new();
    let mut hold = |account: &str, msat: i64| {
        if msat != 0 {
            holdings.insert(account.to_owned(), msat);
        }
    };
    hold("wallet", i64::try_from(confirmed_msat(node)).unwrap());
    for channel in channels(node) {
        let state = channel["state"].as_str().unwrap();
        let holds = !["CHANNELD_AWAITING_LOCKIN", "FUNDING_SPEND_SEEN", "ONCHAIN"].contains(&state);
        if holds {
            let id = channel["channel_id"].as_str().unwrap();
            hold(id, channel["to_us_msat"].as_i64().unwrap());
        }
    }
    holdings
}

/// Each line is there once, and they are numbered without gaps.
fn check_lines(lines: &[Value], key: &[&str]) {
    let numbers = lines
        .iter()
        .map(|line| line["created_index"].as_u64().unwrap());
    assert!(numbers.eq(1..=lines.len() as u64), "{lines:?}");
    let mut keys: Vec<String> = lines
        .iter()
        .map(|line| {
            let parts: Vec<String> = key.iter().map(|name| line[name].to_string()).collect();
            parts.join(" ")
        })
        .collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "a line is there twice: {lines:?}");
}

/// The accounts of a node that rests tell what it has, and have nothing twice.
pub(crate) fn check(node: &TestNode) {
    let agreed = try_wait_until("accounts that agree with the coins", || {
        Ok((sums(node) == holdings(node)).then_some(()))
    });
    if let Err(text) = agreed {
        let (chain, channel) = (chain_moves(node), channel_moves(node));
        let (told, has) = (sums(node), holdings(node));
        let name = node.name();
        panic!("{name}: {text}\n{told:#?}\nbut it has\n{has:#?}\n{chain:#?}\n{channel:#?}");
    }
    let chain = chain_moves(node);
    check_lines(
        &chain,
        &["account_id", "utxo", "primary_tag", "spending_txid"],
    );
    let payments: Vec<Value> = channel_moves(node);
    check_lines(&payments, &["created_index"]);
}

/// The words of lines of an account, with what was gained or lost.
fn story(lines: &[Value], account: &str) -> Vec<(String, i64)> {
    let lines = lines.iter().filter(|line| line["account_id"] == account);
    let told = |line: &Value| {
        let gained = line["credit_msat"].as_i64().unwrap() - line["debit_msat"].as_i64().unwrap();
        (line["primary_tag"].as_str().unwrap().to_owned(), gained)
    };
    lines.map(told).collect()
}

fn line(tag: &str, gained: i64) -> (String, i64) {
    (tag.to_owned(), gained)
}

/// A channel of a million with a push, both of whose sides have a wallet.
fn with_push(push_msat: u64) -> Pair {
    let net = TestNet::start();
    let l1 = net.node("l1");
    let l2 = net.node("l2");
    net.connect(&l1, &l2);
    net.fund(&l1, Sat::from_sat(2_000_000));
    check(&l1);
    let opened = l1.call(
        "fundchannel",
        json!({"id": l2.id(), "amount": 1_000_000, "feerate": "253perkw", "push_msat": push_msat}),
    );
    let channel_id = opened["channel_id"].as_str().unwrap().to_owned();
    net.wait_mempool(1);
    check(&l1);
    net.mine(1, &[&l1, &l2]);
    net.wait_usable(&l2, &channel_id);
    let open = OpenChannel {
        short_channel_id: net.wait_usable(&l1, &channel_id),
        funding_txid: opened["txid"].as_str().unwrap().to_owned(),
        funding_outnum: opened["outnum"].as_u64().unwrap(),
        channel_id,
    };
    Pair { l1, l2, open, net }
}

/// Pays from one node to the other and waits until nothing of it is under way.
fn pay(pair: &Pair, from: &TestNode, to: &TestNode, amount_msat: u64, label: &str) -> Value {
    let bill = invoice(to, amount_msat, label);
    send(from, to, &pair.open, &bill, amount_msat);
    let hash = json!({"payment_hash": bill["payment_hash"]});
    assert_eq!(from.call("waitsendpay", hash)["status"], "complete");
    pair.wait_quiet_of(1_000_000_000);
    bill["payment_hash"].clone()
}

#[test]
fn a_channels_whole_life_is_in_the_accounts() {
    let pair = with_push(300_000_123);
    let (l1, l2, net) = (&pair.l1, &pair.l2, &pair.net);
    let id = pair.open.channel_id.as_str();
    check(l1);
    check(l2);
    let opened = &chain_moves(l2)[0];
    assert_eq!(opened["primary_tag"], "channel_open");
    assert_eq!(opened["extra_tags"], json!([]));
    assert_eq!(opened["peer_id"], l1.id());
    let ours = chain_moves(l1);
    let opened = ours.iter().find(|line| line["account_id"] == id).unwrap();
    assert_eq!(opened["extra_tags"], json!(["opener"]));

    let there = pay(&pair, l1, l2, 40_000_001, "there");
    let back = pay(&pair, l2, l1, 7_000, "back");
    check(l1);
    check(l2);
    for node in [l1, l2] {
        node.restart();
    }
    pair.wait_quiet_of(1_000_000_000);
    pay(&pair, l2, l1, 100_000_000, "again");
    // `listpeerchannels` shows what is about to be durable, the accounts what is.
    [l1, l2].into_iter().for_each(check);
    let expected = [
        line("pushed", -300_000_123),
        line("invoice", -40_000_001),
        line("invoice", 7_000),
        line("invoice", 100_000_000),
    ];
    let lines = channel_moves(l1);
    assert_eq!(story(&lines, id), expected);
    assert_eq!(lines[1]["payment_hash"], there);
    assert_eq!(lines[1]["part_id"], 0);
    assert_eq!(lines[1]["fees_msat"], 0);
    assert_eq!(lines[2]["payment_hash"], back);
    assert_eq!(lines[2]["part_id"], Value::Null);
    let mirrored = story(&channel_moves(l2), id).into_iter();
    assert!(mirrored.map(|(tag, gained)| (tag, -gained)).eq(expected));

    l1.call("close", json!({"id": id}));
    net.wait_mempool(1);
    check(l1);
    check(l2);
    net.mine(1, &[l1, l2]);
    for node in [l1, l2] {
        net.wait_state(node, id, "ONCHAIN");
        check(node);
        // The block and onchaind come again.
        node.restart();
        net.wait_state(node, id, "ONCHAIN");
        check(node);
        let lines = chain_moves(node);
        let closed = story(&lines, id).pop().unwrap();
        assert_eq!(closed.0, "channel_close");
        let theirs = lines.iter().find(|line| line["primary_tag"] == "to_them");
        assert_eq!(theirs.unwrap()["originating_account"], id);
    }
    let address = net.chain.new_address();
    let sent = l1.call(
        "withdraw",
        json!({"destination": address, "satoshi": 10_000}),
    );
    let outside = chain_moves(l1).pop().unwrap();
    assert_eq!(outside["account_id"], "external");
    assert_eq!(outside["originating_account"], "wallet");
    assert_eq!(outside["credit_msat"], 10_000_000);
    net.mine(1, &[l1, l2]);
    check(l1);
    let spent = chain_moves(l1);
    let spent = spent
        .iter()
        .find(|line| line["primary_tag"] == "withdrawal" && line["spending_txid"] == sent["txid"]);
    assert_eq!(spent.unwrap()["blockheight"], net.chain.height());
}

#[test]
fn a_block_that_comes_back_moves_nothing_again() {
    let net = TestNet::start();
    let node = net.node("l1");
    net.fund(&node, Sat::from_sat(100_000));
    let lines = chain_moves(&node);
    let hash = net.chain.call("getblockhash", json!([net.chain.height()]));
    net.chain.call("invalidateblock", json!([hash]));
    let address = net.chain.new_address();
    net.chain.call("generateblock", json!([address, []]));
    net.mine(1, &[&node]);
    check(&node);
    assert_eq!(chain_moves(&node), lines);
}

#[test]
fn lists_are_paged_and_wait_tells_what_moved() {
    let net = TestNet::start();
    let node = net.node("l1");
    let wait = |next: u64| {
        let params = json!({"subsystem": "chainmoves", "indexname": "created", "nextvalue": next});
        node.call("wait", params)
    };
    assert_eq!(wait(0)["created"], 0);
    net.fund(&node, Sat::from_sat(100_000));
    let told = std::thread::scope(|scope| {
        let second = scope.spawn(|| wait(2));
        net.fund(&node, Sat::from_sat(200_000));
        second.join().unwrap()
    });
    assert_eq!(told["created"], 2);
    // An index that was reached before the question has no details.
    let details = told.get("chainmoves").filter(|details| !details.is_null());
    if let Some(details) = details {
        let expected = json!({"account": "wallet", "credit_msat": 200_000_000, "debit_msat": 0});
        assert_eq!(*details, expected);
    }
    let page = json!({"index": "created", "start": 2, "limit": 1});
    let listed = node.call("listchainmoves", page.clone());
    assert_eq!(listed["chainmoves"].as_array().unwrap().len(), 1);
    assert_eq!(listed["chainmoves"][0]["created_index"], 2);
    assert_eq!(
        node.call("listchannelmoves", page),
        json!({"channelmoves": []})
    );
    let (code, text) = node.call_err("listchainmoves", json!({"start": 1}));
    assert_eq!(
        (code, text.as_str()),
        (-32602, "Can only specify {start} with {index}")
    );
    let (code, text) = node.call_err("listchannelmoves", json!({"index": "updated"}));
    let never = "index must be 'created', since channelmoves are never updated";
    assert_eq!((code, text.as_str()), (-32602, never));
}
