//! The wallet: addresses, sending, signing, partially signed transactions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use regtest_bitcoind::harness::{RegtestChain, is_original};
use serde_json::{Value, json};
use support::{Lock, chain};

const KINDS: [(&str, &str); 4] = [
    ("legacy", "pubkeyhash"),
    ("p2sh-segwit", "scripthash"),
    ("bech32", "witness_v0_keyhash"),
    ("bech32m", "witness_v1_taproot"),
];

fn address(chain: &RegtestChain, kind: &str) -> String {
    chain
        .call("getnewaddress", json!(["", kind]))
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn coins_of_every_kind_can_be_spent() {
    let chain = chain();
    let mut inputs = Vec::new();
    for (kind, script) in KINDS {
        let address = address(&chain, kind);
        let shown = chain.call("validateaddress", json!([address]));
        assert_eq!(shown["isvalid"], true);
        let txid = chain.send(&address, "0.5");
        let tx = chain.call("getrawtransaction", json!([txid, 1]));
        let outputs = tx["vout"].as_array().unwrap();
        assert!(
            outputs
                .iter()
                .any(|out| out["scriptPubKey"]["type"] == script),
            "{kind}"
        );
        let paid = outputs.iter().find(|out| out["value"] == 0.5).unwrap();
        let coin = json!({"txid": txid, "vout": paid["n"]});
        // The next payment must not take it.
        chain.call("lockunspent", json!([false, [coin]]));
        inputs.push(coin);
    }
    chain.mine(1);
    assert!(chain.mempool().is_empty());
    // Spend exactly the four.
    assert_eq!(inputs.len(), 4);
    let outputs = json!([{Lock::Key(1).address(): "1.99990000"}]);
    let raw = chain.call("createrawtransaction", json!([inputs, outputs]));
    let signed = chain.call("signrawtransactionwithwallet", json!([raw]));
    assert_eq!(signed["complete"], true);
    chain.call("sendrawtransaction", json!([signed["hex"]]));
    chain.mine(1);
    assert!(chain.mempool().is_empty());
}

#[test]
fn payments_show_up_in_balances_and_history() {
    let chain = chain();
    let txid = chain.send(&Lock::Key(1).address(), "1.5");
    let shown = chain.call("gettransaction", json!([txid]));
    assert_eq!(
        (&shown["amount"], &shown["confirmations"]),
        (&json!(-1.5), &json!(0))
    );
    let fee = shown["fee"].as_f64().unwrap();
    assert!(fee < 0.0 && fee > -0.0001);
    assert_eq!(shown["details"][0]["category"], "send");
    let balance = chain.call("getbalance", json!([])).as_f64().unwrap();
    assert!(
        (balance - (48.5 + fee)).abs() < 1e-9,
        "own change counts at once"
    );
    let mine = chain.call("getnewaddress", json!(["rent"]));
    chain.call(
        "sendmany",
        json!(["", {mine.as_str().unwrap(): 0.25, Lock::Key(2).address(): "0.1"}]),
    );
    chain.mine(1);
    assert_eq!(chain.call("getreceivedbyaddress", json!([mine])), 0.25);
    assert_eq!(
        chain.call("getaddressinfo", json!([mine]))["labels"],
        json!(["rent"])
    );
    let list = chain.call("listtransactions", json!(["*", 3]));
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(
        chain.call("gettransaction", json!([txid]))["confirmations"],
        1
    );
    let unknown = chain.call_err("gettransaction", json!(["00".repeat(32)]));
    assert_eq!(
        unknown,
        (-5, "Invalid or non-wallet transaction id".to_owned())
    );
}

#[test]
fn fees_can_be_chosen_and_subtracted() {
    let chain = chain();
    let to = Lock::Key(1).address();
    let txid = chain.call(
        "sendtoaddress",
        json!({"address": to, "amount": 1, "subtractfeefromamount": true, "fee_rate": 10}),
    );
    let entry = chain.call("getmempoolentry", json!([txid]));
    let rate = entry["fees"]["base"].as_f64().unwrap() * 1e8 / entry["vsize"].as_f64().unwrap();
    assert!((9.9..10.3).contains(&rate), "{rate}");
    let tx = chain.call("getrawtransaction", json!([txid, 1]));
    let paid = tx["vout"].as_array().unwrap().iter();
    let paid = paid.filter(|out| out["scriptPubKey"]["address"] == to.as_str());
    let paid: f64 = paid.map(|out| out["value"].as_f64().unwrap()).sum();
    assert!(paid < 1.0 && paid > 0.9999);
    let everything = chain.call("getbalance", json!([]));
    chain.call("sendtoaddress", json!([to, everything, "", "", true]));
    assert_eq!(chain.call("getbalance", json!([])), 0.0);
    assert_eq!(chain.call_err("sendtoaddress", json!([to, 1])).0, -6);
    assert_eq!(chain.call_err("sendtoaddress", json!([to, 0])).0, -6);
    assert_eq!(chain.call_err("sendtoaddress", json!([to, -1])).0, -3);
    assert_eq!(chain.call_err("sendtoaddress", json!(["nowhere", 1])).0, -5);
    assert_eq!(
        chain
            .call_err("sendtoaddress", json!([to, "0.123456789"]))
            .0,
        -3
    );
}

#[test]
fn locked_coins_stay_where_they_are() {
    let chain = chain();
    let coin = chain.call("listunspent", json!([]))[0].clone();
    let outpoint = json!([{"txid": coin["txid"], "vout": coin["vout"]}]);
    assert_eq!(chain.call("lockunspent", json!([false, outpoint])), true);
    assert_eq!(
        chain
            .call("listlockunspent", json!([]))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(chain.call("listunspent", json!([])), json!([]));
    assert_eq!(
        chain
            .call_err("sendtoaddress", json!([Lock::Key(1).address(), 1]))
            .0,
        -6
    );
    chain.call("lockunspent", json!([true, outpoint]));
    chain.send(&Lock::Key(1).address(), "1");
}

#[test]
fn wallets_are_made_loaded_and_named_in_the_path() {
    let chain = RegtestChain::start().unwrap();
    let exists = chain.call_err("createwallet", json!(["test"]));
    assert_eq!(exists.0, -4);
    assert_eq!(chain.call_err("loadwallet", json!(["test"])).0, -35);
    assert_eq!(chain.call_err("loadwallet", json!(["nowhere"])).0, -18);
    chain.call("createwallet", json!(["second wallet"]));
    assert_eq!(chain.call_err("getbalance", json!([])).0, -19);
    let address = format!("127.0.0.1:{}", chain.port());
    let mut client = regtest_bitcoind::client::Client::new(
        &address,
        regtest_bitcoind::harness::CREDENTIALS,
        None,
    );
    let raw = client
        .call_raw("/wallet/second%20wallet", "getwalletinfo", &json!([]))
        .unwrap();
    let info: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(info["walletname"], "second wallet");
    assert!(
        client
            .call_raw("/wallet/third", "getwalletinfo", &json!([]))
            .is_err()
    );
    chain.call("unloadwallet", json!(["second wallet"]));
    assert_eq!(chain.call("listwallets", json!([])), json!(["test"]));
    chain.call("loadwallet", json!(["second wallet"]));
    assert_eq!(
        chain
            .call("listwallets", json!([]))
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_backup_restores_the_same_keys() {
    let chain = chain();
    if is_original() {
        return;
    }
    let file = chain.dir().join("backup");
    chain.call("backupwallet", json!([file]));
    let balance = chain.call("getbalance", json!([]));
    chain.call("unloadwallet", json!(["test"]));
    chain.call("restorewallet", json!(["again", file]));
    assert_eq!(chain.call("getbalance", json!([])), balance);
    chain.send(&Lock::Key(1).address(), "1");
}

#[test]
fn funding_adds_inputs_and_change() {
    let chain = chain();
    let outputs = json!([{Lock::Key(1).address(): 2}]);
    let raw = chain.call("createrawtransaction", json!([[], outputs]));
    let funded = chain.call(
        "fundrawtransaction",
        json!([raw, {"fee_rate": 5, "changePosition": 1}]),
    );
    assert_eq!(funded["changepos"], 1);
    let signed = chain.call("signrawtransactionwithwallet", json!([funded["hex"]]));
    assert_eq!(signed["complete"], true);
    chain.call("sendrawtransaction", json!([signed["hex"]]));
    assert_eq!(chain.mempool().len(), 1);
}

#[test]
fn partially_signed_transactions_go_through_all_stages() {
    let chain = chain();
    for (kind, _) in KINDS {
        let to = address(&chain, kind);
        chain.send(&to, "0.5");
    }
    chain.mine(1);
    let coins = chain.call("listunspent", json!([]));
    let inputs: Vec<Value> = coins
        .as_array()
        .unwrap()
        .iter()
        .map(|coin| json!({"txid": coin["txid"], "vout": coin["vout"]}))
        .collect();
    let outputs = json!([{Lock::Key(1).address(): 1}]);
    let made = chain.call("walletcreatefundedpsbt", json!([inputs, outputs]));
    let decoded = chain.call("decodepsbt", json!([made["psbt"]]));
    assert_eq!(decoded["inputs"].as_array().unwrap().len(), inputs.len());
    assert_eq!(decoded["fee"], made["fee"]);
    let processed = chain.call(
        "walletprocesspsbt",
        json!([made["psbt"], true, "ALL", true, false]),
    );
    assert_eq!(processed["complete"], false);
    let done = chain.call("finalizepsbt", json!([processed["psbt"]]));
    assert_eq!(done["complete"], true);
    chain.call("sendrawtransaction", json!([done["hex"]]));
    let version_0 = |inputs: Value, outputs: Value| {
        let mut params = json!({"inputs": inputs, "outputs": outputs});
        if chain.version() >= 310_000 {
            params["psbt_version"] = json!(0);
        }
        chain.call("createpsbt", params)
    };
    let one = version_0(json!([inputs[0]]), json!([]));
    let two = version_0(json!([inputs[1]]), outputs);
    let joined = chain.call("joinpsbts", json!([[one, two]]));
    let decoded = chain.call("decodepsbt", json!([joined]));
    assert_eq!(decoded["tx"]["vin"].as_array().unwrap().len(), 2);
    assert_eq!(chain.call_err("joinpsbts", json!([[one, one]])).0, -8);
    assert_eq!(
        chain.call("analyzepsbt", json!([joined]))["next"],
        "updater"
    );
    assert_eq!(chain.call_err("decodepsbt", json!(["rubbish"])).0, -22);
}
