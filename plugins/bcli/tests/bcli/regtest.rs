//! The methods against a chain: our own, or the bitcoind that BITCOIND names.
use crate::support::Host;
use regtest_bitcoind::harness::{RegtestChain, is_original};
use serde_json::{Value, json};

fn start() -> (RegtestChain, Host) {
    let chain = RegtestChain::start().unwrap();
    let options = json!({"bitcoin-rpcuser": "regtest", "bitcoin-rpcpassword": "regtest"});
    let host = Host::start(chain.port(), options);
    (chain, host)
}

fn mine(chain: &RegtestChain, blocks: u32) -> Value {
    let address = chain.call("getnewaddress", json!([]));
    chain.call("generatetoaddress", json!([blocks, address]))
}

#[test]
fn blocks_and_the_chain_are_seen() {
    let (chain, mut host) = start();
    mine(&chain, 3);
    let info = host.call("getchaininfo", json!([0])).unwrap();
    assert_eq!(
        (&info["chain"], &info["blockcount"]),
        (&json!("regtest"), &json!(3))
    );
    let block = host.call("getrawblockbyheight", json!([2])).unwrap();
    let hash = chain.call("getblockhash", json!([2]));
    assert_eq!(block["blockhash"], hash);
    assert_eq!(block["block"], chain.call("getblock", json!([hash, 0])));
    let none = host.call("getrawblockbyheight", json!([4])).unwrap();
    assert_eq!(none, json!({"blockhash": null, "block": null}));
    let fees = host.call("estimatefees", json!([])).unwrap();
    assert!(fees["feerate_floor"].as_u64().unwrap() > 0);
}

#[test]
fn a_transaction_is_sent_and_its_output_found() {
    let (chain, mut host) = start();
    mine(&chain, 101);
    let address = chain.call("getnewaddress", json!([]));
    let txid = chain.call("sendtoaddress", json!([address, 1]));
    let tx = chain.call("getrawtransaction", json!([txid]));
    mine(&chain, 1);
    let found: Vec<Value> = (0..2)
        .map(|vout| host.call("getutxout", json!([txid, vout])).unwrap())
        .collect();
    let amounts: Vec<u64> = found
        .iter()
        .map(|o| o["amount"].as_u64().unwrap())
        .collect();
    assert!(amounts.contains(&100_000_000), "{amounts:?}");
    let none = host.call("getutxout", json!([txid, 7])).unwrap();
    assert_eq!(none, json!({"amount": null, "script": null}));

    // It is in a block now.
    let sent = host.call("sendrawtransaction", json!([tx, false])).unwrap();
    assert_eq!(sent["success"], true, "{sent}");
    let sent = host
        .call("sendrawtransaction", json!(["00", false]))
        .unwrap();
    assert_eq!(sent["success"], false);
    assert!(
        sent["errmsg"]
            .as_str()
            .unwrap()
            .starts_with("error code: -22\n")
    );
}

#[test]
fn a_new_block_ends_the_wait() {
    let (chain, mut host) = start();
    let old = chain.call("getbestblockhash", json!([]));
    let hash = mine(&chain, 1)[0].clone();
    let tip = host.call("waitblockchange", json!([old, 60])).unwrap();
    assert_eq!(tip, json!({"hash": hash, "height": 1}));
}

/// Only bitcoind prunes.
#[test]
fn a_pruned_block_that_nobody_has_is_an_error_that_says_so() {
    if !is_original() {
        return;
    }
    let chain = RegtestChain::start_with(&["-txindex=0", "-prune=1", "-fastprune"]).unwrap();
    let options = json!({"bitcoin-rpcuser": "regtest", "bitcoin-rpcpassword": "regtest"});
    let mut host = Host::start(chain.port(), options);
    mine(&chain, 1000);
    let pruned = chain.call("pruneblockchain", json!([700]));
    assert!(pruned.as_u64().unwrap() > 100, "{pruned}");
    assert!(host.call("getrawblockbyheight", json!([900])).is_ok());
    let error = host.call("getrawblockbyheight", json!([100])).unwrap_err();
    assert!(error.message.contains("pruned data"), "{error}");
}
