//! The methods against a bitcoind that says what the test wants.
use crate::support::{Act, FakeBitcoind, Host, greeting};
use ln_rpc::RpcErrorCode;
use serde_json::{Value, json};

const HASH: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

/// A plugin on a bitcoind that will do these acts.
fn start(acts: Vec<Act>) -> (FakeBitcoind, Host) {
    let bitcoind = FakeBitcoind::start(vec![greeting()]);
    bitcoind.then(acts);
    let host = Host::start(bitcoind.port, json!({}));
    (bitcoind, host)
}

fn result(result: Value) -> Act {
    Act::Result(result)
}

#[test]
fn the_manifest_has_the_five_methods_and_the_options() {
    let mut host = Host::new();
    let manifest = host.call("getmanifest", json!({})).unwrap();
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&manifest["rpcmethods"]),
        [
            "getrawblockbyheight",
            "getchaininfo",
            "estimatefees",
            "sendrawtransaction",
            "getutxout",
            "waitblockchange",
        ]
    );
    assert_eq!(
        names(&manifest["options"]),
        [
            "bitcoin-datadir",
            "bitcoin-cli",
            "bitcoin-rpcuser",
            "bitcoin-rpcpassword",
            "bitcoin-rpcconnect",
            "bitcoin-rpcport",
            "bitcoin-rpcclienttimeout",
            "bitcoin-retry-timeout",
            "dev-no-fake-fees",
            "dev-ignore-ibd",
        ]
    );
    assert_eq!(manifest["dynamic"], false);
    assert_eq!(manifest["options"][5]["type"], "int");
    assert_eq!(manifest["options"][6]["default"], 60);
}

#[test]
fn getchaininfo() {
    let info = json!({"chain": "regtest", "headers": 7, "blocks": 6, "initialblockdownload": true, "x": 1});
    let (bitcoind, mut host) = start(vec![result(info.clone())]);
    assert_eq!(
        host.call("getchaininfo", json!({"last_height": 5}))
            .unwrap(),
        json!({"chain": "regtest", "headercount": 7, "blockcount": 6, "ibd": true})
    );
    assert_eq!(
        bitcoind.calls(),
        [("getblockchaininfo".to_owned(), json!([]))]
    );
    assert_eq!(
        bitcoind.seen()[0].authorization,
        "Basic cnBjdXNlcjpycGNwYXNz"
    );

    let bitcoind = FakeBitcoind::start(vec![greeting(), result(info)]);
    let mut host = Host::start(bitcoind.port, json!({"dev-ignore-ibd": true}));
    assert_eq!(host.call("getchaininfo", json!([])).unwrap()["ibd"], false);
}

#[test]
fn getrawblockbyheight() {
    let (bitcoind, mut host) = start(vec![
        result(json!(HASH)),
        result(json!("00ff")),
        Act::Error(-8, "Block height out of range"),
        result(Value::Null),
        result(json!("short")),
    ]);
    assert_eq!(
        host.call("getrawblockbyheight", json!({"height": 3}))
            .unwrap(),
        json!({"blockhash": HASH, "block": "00ff"})
    );
    let nothing = json!({"blockhash": null, "block": null});
    for _ in 0..2 {
        let reply = host.call("getrawblockbyheight", json!([4])).unwrap();
        assert_eq!(reply, nothing);
    }
    let error = host.call("getrawblockbyheight", json!([5])).unwrap_err();
    assert!(error.message.contains("bad blockhash"), "{error}");
    assert_eq!(
        bitcoind.calls()[..3],
        [
            ("getblockhash".to_owned(), json!([3])),
            ("getblock".to_owned(), json!([HASH, 0])),
            ("getblockhash".to_owned(), json!([4])),
        ]
    );
}

#[test]
fn a_pruned_block_is_fetched_from_peers() {
    let pruned = || Act::Error(-1, "Block not available (pruned data)");
    let bitcoind = FakeBitcoind::start(vec![
        greeting(),
        result(json!(HASH)),
        pruned(),
        result(json!([
            {"id": 3, "services": "0000000000000409"},
            {"id": 4, "services": "0000000000000408"},
            {"id": 5, "services": "0000000000000001"},
        ])),
        Act::Error(-1, "Peer does not exist"),
        pruned(),
        result(json!({})),
        pruned(),
        result(json!([])),
        result(json!("abcd")),
    ]);
    let mut host = Host::start(bitcoind.port, json!({"bitcoin-retry-timeout": 60}));
    let reply = host.call("getrawblockbyheight", json!([1])).unwrap();
    assert_eq!(reply["block"], "abcd");
    let asked: Vec<Value> = bitcoind
        .calls()
        .into_iter()
        .filter(|(method, _)| method == "getblockfrompeer")
        .map(|(_, params)| params)
        .collect();
    assert_eq!(asked, [json!([HASH, 5]), json!([HASH, 3])]);
}

#[test]
fn a_block_that_never_comes_is_an_error() {
    let (_bitcoind, mut host) = start(vec![result(json!(HASH)), Act::Error(-1, "pruned")]);
    let error = host.call("getrawblockbyheight", json!([1])).unwrap_err();
    assert_eq!(error.code, RpcErrorCode::BcliError);
    let why = format!("getblock {HASH} timed out after 0 seconds: pruned. ");
    assert!(error.message.starts_with(&why), "{error}");
}

fn mempool() -> Act {
    result(json!({"mempoolminfee": 0.000_01, "minrelaytxfee": "0.00002000"}))
}

#[test]
fn estimatefees() {
    let (bitcoind, mut host) = start(vec![
        mempool(),
        result(json!({"feerate": 0.0005, "blocks": 2})),
        result(json!({"feerate": "0.00030000"})),
        result(json!({"feerate": 0.00001})),
        result(json!({"feerate": 900_000.0})),
    ]);
    assert_eq!(
        host.call("estimatefees", json!({})).unwrap(),
        json!({
            "feerates": [
                {"blocks": 2, "feerate": 50_000},
                {"blocks": 6, "feerate": 30_000},
                {"blocks": 12, "feerate": 2000},
                {"blocks": 100, "feerate": u32::MAX},
            ],
            "feerate_floor": 2000,
        })
    );
    let asked: Vec<Value> = bitcoind.calls().into_iter().skip(1).map(|c| c.1).collect();
    assert_eq!(
        asked,
        [
            json!([2, "CONSERVATIVE"]),
            json!([6, "ECONOMICAL"]),
            json!([12, "ECONOMICAL"]),
            json!([100, "ECONOMICAL"]),
        ]
    );
}

#[test]
fn missing_estimates_are_made_up_on_regtest_only() {
    let none = || result(json!({"errors": ["Insufficient data or no feerate found"], "blocks": 0}));
    let (_bitcoind, mut host) = start(vec![mempool(), none(), none(), none(), none()]);
    let reply = host.call("estimatefees", json!([])).unwrap();
    assert_eq!(reply["feerates"].as_array().unwrap().len(), 4);
    assert_eq!(reply["feerates"][0], json!({"blocks": 2, "feerate": 2000}));

    let nothing = json!({"feerates": [], "feerate_floor": 1000});
    let bitcoind = FakeBitcoind::start(vec![greeting(), mempool(), none()]);
    let mut host = Host::start(bitcoind.port, json!({"dev-no-fake-fees": true}));
    assert_eq!(host.call("estimatefees", json!([])).unwrap(), nothing);

    let (_bitcoind, mut host) = start(vec![Act::Error(-32601, "Method not found")]);
    assert_eq!(host.call("estimatefees", json!([])).unwrap(), nothing);

    let (_bitcoind, mut host) = start(vec![mempool(), result(json!({"feerate": "much"}))]);
    let error = host.call("estimatefees", json!([])).unwrap_err();
    assert!(error.message.contains("no amount"), "{error}");
}

#[test]
fn getutxout() {
    let (bitcoind, mut host) = start(vec![
        result(
            json!({"bestblock": "x", "value": 0.00001, "scriptPubKey": {"hex": "0014ab", "asm": ""}}),
        ),
        result(json!({"value": "0.29999999", "scriptPubKey": {"hex": "51"}})),
        result(Value::Null),
        Act::Error(-8, "txid must be of length 64"),
    ]);
    let mut ask = || {
        host.call("getutxout", json!({"txid": HASH, "vout": 1}))
            .unwrap()
    };
    assert_eq!(ask(), json!({"amount": 1000, "script": "0014ab"}));
    assert_eq!(ask(), json!({"amount": 29_999_999, "script": "51"}));
    assert_eq!(ask(), json!({"amount": null, "script": null}));
    assert_eq!(ask(), json!({"amount": null, "script": null}));
    assert_eq!(
        bitcoind.calls()[0],
        ("gettxout".to_owned(), json!([HASH, 1]))
    );
}

#[test]
fn sendrawtransaction() {
    let (bitcoind, mut host) = start(vec![
        result(json!(HASH)),
        result(json!({})),
        Act::Error(-25, "bad-txns-inputs-missingorspent"),
        Act::Error(-27, "Transaction already in block chain"),
        Act::Close,
    ]);
    let mut send = |high: bool| {
        let params = json!({"tx": "0200ab", "allowhighfees": high});
        host.call("sendrawtransaction", params)
    };
    let sent = json!({"success": true, "errmsg": ""});
    assert_eq!(send(false).unwrap(), sent);
    assert_eq!(send(true).unwrap(), sent);
    assert_eq!(
        send(false).unwrap(),
        json!({
            "success": false,
            "errmsg": "error code: -25\nerror message:\nbad-txns-inputs-missingorspent\n",
        })
    );
    assert_eq!(send(false).unwrap()["success"], true);
    assert_eq!(send(false).unwrap_err().code, RpcErrorCode::BcliError);
    let calls = bitcoind.calls();
    assert_eq!(calls[0].1, json!(["0200ab"]));
    assert_eq!(calls[1].1, json!(["0200ab", 0]));
    let lines: Vec<&str> = host
        .log
        .iter()
        .filter_map(|line| line.strip_prefix("sendrawtx exit "))
        .filter_map(|line| line.split_once(" ("))
        .map(|(exit, _)| exit)
        .collect();
    assert_eq!(lines, ["0", "0", "25", "27", "1"]);
    assert!(host.log[1].ends_with("-stdinrpcpass sendrawtransaction 0200ab) "));
    assert!(
        host.log
            .iter()
            .all(|line| !line.contains("rpcpass\"") && !line.contains("rpcuser "))
    );
}

#[test]
fn waitblockchange_is_one_call_that_names_the_known_tip() {
    let other = "aa".repeat(32);
    let bitcoind = FakeBitcoind::start(vec![
        Act::Result(json!({"version": 290_000, "localrelay": true})),
        result(json!({"hash": other, "height": 9})),
        Act::Error(-32601, "Method not found"),
        Act::Close,
        Act::Close,
    ]);
    let mut host = Host::start(bitcoind.port, json!({}));
    let mut wait = |seconds: u32| {
        let params = json!({"last_hash": HASH, "timeout": seconds});
        host.call("waitblockchange", params)
    };
    assert_eq!(wait(30).unwrap(), json!({"hash": other, "height": 9}));
    assert_eq!(wait(0).unwrap_err().code, RpcErrorCode::MethodNotFound);
    assert_eq!(wait(30).unwrap_err().code, RpcErrorCode::BcliError);
    let calls = bitcoind.calls();
    assert_eq!(
        calls[0],
        ("waitfornewblock".to_owned(), json!([30_000, HASH]))
    );
    // Zero would be for ever.
    assert_eq!(calls[1].1, json!([1, HASH]));
}

#[test]
fn a_bitcoind_with_few_threads_is_asked_again_and_again_instead() {
    let tip = |hash: &str| result(json!({"bestblockhash": hash, "blocks": 9}));
    let other = "aa".repeat(32);
    let (bitcoind, mut host) = start(vec![tip(HASH), tip(HASH), tip(&other), tip(HASH)]);
    let mut wait = |seconds: u32| {
        let params = json!({"last_hash": HASH, "timeout": seconds});
        host.call("waitblockchange", params).unwrap()
    };
    assert_eq!(wait(60), json!({"hash": other, "height": 9}));
    assert_eq!(wait(0), json!({"hash": HASH, "height": 9}));
    let calls = bitcoind.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .iter()
            .all(|(method, _)| method == "getblockchaininfo")
    );

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bitcoin.conf"), "rpcthreads=2\n").unwrap();
    let bitcoind = FakeBitcoind::start(vec![
        Act::Result(json!({"version": 290_000, "localrelay": true})),
        tip(&other),
    ]);
    let mut host = Host::start(bitcoind.port, json!({"bitcoin-datadir": dir.path()}));
    let params = json!({"last_hash": HASH, "timeout": 60});
    assert_eq!(host.call("waitblockchange", params).unwrap()["height"], 9);
    assert_eq!(bitcoind.calls()[0].0, "getblockchaininfo");
}
