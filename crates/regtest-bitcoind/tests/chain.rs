//! Blocks, reorgs, and coming back after a kill.
#![allow(
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use regtest_bitcoind::harness::RegtestChain;
use serde_json::json;
use support::{Lock, RELAY_FEES, Spend, chain, fund, tip};

const ME: Lock = Lock::Key(7);

#[test]
fn a_fresh_chain_has_the_genesis_block() {
    let chain = RegtestChain::start_with(&RELAY_FEES).unwrap();
    let info = chain.call("getblockchaininfo", json!([]));
    assert_eq!(
        (&info["chain"], &info["blocks"]),
        (&json!("regtest"), &json!(0))
    );
    let genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    assert_eq!(chain.call("getblockhash", json!([0])), genesis);
    assert_eq!(info["initialblockdownload"], true);
    chain.mine(1);
    assert_eq!(
        chain.call("getblockchaininfo", json!([]))["initialblockdownload"],
        false
    );
    let estimate = chain.call("estimatesmartfee", json!([6, "ECONOMICAL"]));
    let blocks = if chain.version() < 310_000 { 6 } else { 0 };
    assert_eq!(
        estimate,
        json!({"errors": ["Insufficient data or no feerate found"], "blocks": blocks})
    );
    let network = chain.call("getnetworkinfo", json!([]));
    assert!(network["version"].as_u64().unwrap() >= 220_000);
    assert_eq!(network["localrelay"], true);
    let mempool = chain.call("getmempoolinfo", json!([]));
    assert_eq!(mempool["minrelaytxfee"], 0.00001);
    assert_eq!(mempool["mempoolminfee"], 0.00001);
}

#[test]
fn coinbases_mature_and_the_subsidy_halves() {
    let chain = RegtestChain::start().unwrap();
    chain.mine(100);
    assert_eq!(chain.call("getbalance", json!([])), 0.0);
    assert_eq!(
        chain.call("getbalances", json!([]))["mine"]["immature"],
        5000.0
    );
    let (code, why) = chain.call_err("sendtoaddress", json!([ME.address(), 1]));
    assert_eq!((code, why.as_str()), (-6, "Insufficient funds"));
    chain.mine(1);
    assert_eq!(chain.call("getbalance", json!([])), 50.0);
    chain.mine(49);
    let block = chain.call("getblock", json!([tip(&chain), 2]));
    assert_eq!(block["height"], 150);
    assert_eq!(block["tx"][0]["vout"][0]["value"], 25.0);
}

#[test]
fn blocks_can_be_asked_for_in_every_form() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let hash = tip(&chain);
    let brief = chain.call("getblock", json!([hash]));
    assert_eq!(brief["tx"][1], coin.outpoint.txid.to_string());
    assert_eq!(
        (&brief["nTx"], &brief["confirmations"]),
        (&json!(2), &json!(1))
    );
    let raw = chain.call("getblock", json!([hash, 0]));
    let header = chain.call("getblockheader", json!([hash, false]));
    assert!(raw.as_str().unwrap().starts_with(header.as_str().unwrap()));
    assert_eq!(
        raw.as_str().unwrap().len() as u64,
        brief["size"].as_u64().unwrap() * 2
    );
    assert_eq!(chain.call("getblock", json!([hash, false])), raw);
    assert!(chain.call("getblock", json!([hash, 2]))["tx"][1]["fee"].is_number());
    assert_eq!(
        chain.call("getblock", json!([hash, 3]))["tx"][1]["vin"][0]["prevout"]["value"],
        50.0
    );
    let (code, why) = chain.call_err("getblock", json!(["00".repeat(32)]));
    assert_eq!((code, why.as_str()), (-5, "Block not found"));
    assert_eq!(chain.call_err("getblock", json!(["00"])).0, -8);
    assert_eq!(
        chain.call_err("getblockhash", json!([5000])),
        (-8, "Block height out of range".into())
    );
    let parent = chain.call("getblockheader", json!([brief["previousblockhash"]]));
    assert_eq!(parent["nextblockhash"], hash);
}

#[test]
fn a_reorg_puts_transactions_back_and_undoes_spends() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let spend = Spend::new(&[&coin]).pay_rest(&ME, 1000).sign();
    let txid = spend.send(&chain);
    chain.mine(1);
    let spent_in = tip(&chain);
    chain.mine(3);
    let old_tip = tip(&chain);
    chain.call("invalidateblock", json!([spent_in]));
    assert_eq!(chain.height(), 102);
    assert!(chain.mempool() == [txid.as_str()]);
    let funded = json!([coin.outpoint.txid, coin.outpoint.vout, false]);
    assert_eq!(chain.call("gettxout", funded.clone())["value"], 0.001);
    assert_eq!(
        chain.call("getblockheader", json!([old_tip]))["confirmations"],
        -1
    );
    chain.mine(2);
    assert_eq!(
        chain.call("getrawtransaction", json!([txid, 1]))["confirmations"],
        2
    );
    assert_eq!(chain.call("gettxout", funded), json!(null));
    // The old branch is longer and comes back when it is forgiven.
    chain.call("reconsiderblock", json!([spent_in]));
    assert_eq!(tip(&chain), old_tip);
    assert_eq!(
        chain.call("getrawtransaction", json!([txid, 1]))["blockhash"],
        spent_in
    );
    let tips = chain.call("getchaintips", json!([]));
    assert_eq!(tips.as_array().unwrap().len(), 2);
}

#[test]
fn a_reorg_drops_what_became_immature() {
    let chain = chain();
    chain.call("sendtoaddress", json!([ME.address(), 1]));
    assert_eq!(chain.mempool().len(), 1);
    // The coinbase of block 1 cannot be in block 100.
    let hash = chain.call("getblockhash", json!([100]));
    chain.call("invalidateblock", json!([hash]));
    assert!(chain.mempool().is_empty());
}

#[test]
fn blocks_of_one_chain_fit_another() {
    let (one, two) = (chain(), RegtestChain::start().unwrap());
    for height in 1..=one.height() {
        let hash = one.call("getblockhash", json!([height]));
        let raw = one.call("getblock", json!([hash, 0]));
        // One flipped bit in the coinbase.
        let mut bad = raw.as_str().unwrap().to_owned();
        let last = if bad.pop() == Some('0') { '1' } else { '0' };
        bad.push(last);
        assert_eq!(two.call("submitblock", json!([bad])), "bad-txnmrklroot");
        assert_eq!(two.call("submitblock", json!([raw])), json!(null));
    }
    assert_eq!(tip(&one), tip(&two));
    let raw = one.call("getblock", json!([tip(&one), 0]));
    assert_eq!(two.call("submitblock", json!([raw])), "duplicate");
    assert_eq!(two.call_err("submitblock", json!(["00"])).0, -22);
}

#[test]
fn a_killed_chain_comes_back_as_it_was() {
    let mut chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let fork = tip(&chain);
    chain.mine(2);
    chain.call("invalidateblock", json!([fork]));
    chain.mine(1);
    chain.call("generateblock", json!([chain.new_address(), []]));
    let sent = chain.send(&Lock::Key(9).address(), "1");
    let before = (tip(&chain), chain.call("getbalance", json!([])));
    let addresses: Vec<String> = (0..3).map(|_| chain.new_address()).collect();
    chain.kill_and_restart().unwrap();
    assert_eq!(tip(&chain), before.0);
    assert_eq!(chain.call("getbalance", json!([])), before.1);
    for address in &addresses {
        assert_eq!(
            chain.call("getaddressinfo", json!([address]))["ismine"],
            true
        );
    }
    assert!(!addresses.contains(&chain.new_address()));
    assert!(
        chain.mempool().contains(&sent),
        "the wallet's payment is offered again"
    );
    chain.mine(1);
    assert!(chain.mempool().is_empty());
    let gone = chain.call("gettxout", json!([coin.outpoint.txid, coin.outpoint.vout]));
    assert!(gone.is_null() || gone["confirmations"].is_number());
}

#[test]
fn a_stopped_chain_keeps_its_mempool() {
    let mut chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let txid = Spend::new(&[&coin]).pay_rest(&ME, 1000).sign().send(&chain);
    chain.stop_and_restart().unwrap();
    assert_eq!(chain.mempool(), [txid]);
}
