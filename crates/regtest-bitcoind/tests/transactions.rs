//! What the mempool takes and what it refuses, and in which words.
#![allow(
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use bitcoin::Amount;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::opcodes::all as op;
use bitcoin::script::Builder;
use bitcoin::secp256k1::ecdsa::Signature;
use serde_json::json;
use support::{Lock, Spend, chain, fund, fund_unconfirmed, script_reason, tip};

const ME: Lock = Lock::Key(7);
const OTHER: Lock = Lock::Key(8);

#[test]
fn a_payment_is_taken_mined_and_then_known() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let spend = Spend::new(&[&coin]).pay_rest(&OTHER, 1000).sign();
    assert_eq!(spend.tested(&chain)["allowed"], true);
    let txid = spend.send(&chain);
    assert!(chain.mempool() == [txid.as_str()]);
    assert_eq!(spend.send(&chain), txid, "sending again is no error");
    let entry = chain.call("getmempoolentry", json!([txid]));
    assert_eq!(entry["fees"]["base"], 0.00001);
    let hash = chain.mine(1)[0].clone();
    assert!(chain.mempool().is_empty());
    let known = chain.call("getrawtransaction", json!([txid, 1]));
    assert_eq!(
        (&known["blockhash"], &known["confirmations"]),
        (&json!(hash), &json!(1))
    );
    let out = chain.call("gettxout", json!([txid, 0]));
    assert_eq!(out["value"], 0.00099);
    assert_eq!(
        chain.call("gettxout", json!([coin.outpoint.txid, coin.outpoint.vout])),
        json!(null)
    );
    let refused = spend.refused(&chain);
    assert_eq!(
        refused,
        (-27, "Transaction outputs already in utxo set".to_owned())
    );
}

#[test]
fn unknown_and_spent_inputs_are_missing() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    Spend::new(&[&coin])
        .pay_rest(&OTHER, 1000)
        .sign()
        .send(&chain);
    chain.mine(1);
    let again = Spend::new(&[&coin]).pay_rest(&ME, 2000).sign();
    assert_eq!(
        again.refused(&chain),
        (-25, "bad-txns-inputs-missingorspent".to_owned())
    );
    assert_eq!(again.tested(&chain)["reject-reason"], "missing-inputs");
    let rubbish = chain.call_err("sendrawtransaction", json!(["00"]));
    let why = "TX decode failed. Make sure the tx has at least one input.";
    assert_eq!(rubbish, (-22, why.to_owned()));
}

#[test]
fn fees_below_the_relay_minimum_are_refused() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let free = Spend::new(&[&coin]).pay_rest(&OTHER, 0).sign();
    let vsize = free.tx.vsize();
    let why = format!("min relay fee not met, 0 < {vsize}");
    assert_eq!(free.refused(&chain), (-26, why));
    let short = Spend::new(&[&coin])
        .pay_rest(&OTHER, vsize as u64 - 1)
        .sign();
    assert_eq!(
        short.tested(&chain)["reject-reason"],
        "min relay fee not met"
    );
    Spend::new(&[&coin])
        .pay_rest(&OTHER, vsize as u64)
        .sign()
        .send(&chain);
}

#[test]
fn a_replacement_pays_more_and_evicts() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let first = Spend::new(&[&coin]).pay_rest(&ME, 1000).sign();
    first.send(&chain);
    let child = Spend::new(&[&first.coin(0, ME)])
        .pay_rest(&OTHER, 500)
        .sign();
    let child_id = child.send(&chain);
    let same = Spend::new(&[&coin]).pay_rest(&OTHER, 1000).sign();
    let (code, why) = same.refused(&chain);
    assert_eq!(code, -26);
    let start = format!("insufficient fee, rejecting replacement {}", same.txid());
    assert!(why.starts_with(&start), "{why}");
    let low = Spend::new(&[&coin]).pay_rest(&OTHER, 1400).sign();
    let why = format!(
        "insufficient fee, rejecting replacement {}, less fees than conflicting txs; 0.000014 < 0.000015",
        low.txid()
    );
    assert_eq!(low.refused(&chain), (-26, why));
    let near = Spend::new(&[&coin]).pay_rest(&OTHER, 1550).sign();
    assert!(
        near.refused(&chain)
            .1
            .contains("not enough additional fees to relay; 0.0000005 < ")
    );
    let better = Spend::new(&[&coin]).pay_rest(&OTHER, 5000).sign();
    let txid = better.send(&chain);
    assert_eq!(chain.mempool(), [txid]);
    let gone = chain.call_err("getmempoolentry", json!([child_id]));
    assert_eq!(gone, (-5, "Transaction not in mempool".to_owned()));
}

#[test]
fn wrong_signatures_are_named() {
    let chain = chain();
    let (ecdsa, taproot) = (
        fund(&chain, ME, 100_000),
        fund(&chain, Lock::Taproot(9), 100_000),
    );
    let mut bad = Spend::new(&[&ecdsa]).pay_rest(&OTHER, 1000).sign();
    bad.tx.output[0].value = Amount::from_sat(98_000);
    let (code, why) = bad.refused(&chain);
    assert_eq!(code, -26);
    let start = script_reason(
        &chain,
        "mandatory-script-verify-flag-failed",
        "Signature must be zero for failed CHECK(MULTI)SIG operation)",
    );
    assert!(why.starts_with(&start), "{why}");
    let mut bad = Spend::new(&[&taproot]).pay_rest(&OTHER, 1000).sign();
    bad.tx.output[0].value = Amount::from_sat(98_000);
    let why = bad.refused(&chain).1;
    let start = script_reason(
        &chain,
        "mandatory-script-verify-flag-failed",
        "Invalid Schnorr signature)",
    );
    assert!(why.starts_with(&start), "{why}");
    Spend::new(&[&ecdsa, &taproot])
        .pay_rest(&OTHER, 1000)
        .sign()
        .send(&chain);
}

#[test]
fn a_high_s_signature_is_valid_but_not_relayed() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let mut spend = Spend::new(&[&coin]).pay_rest(&OTHER, 1000).sign();
    let items = spend.tx.input[0].witness.to_vec();
    let (hash_type, der) = items[0].split_last().unwrap();
    let mut compact = Signature::from_der(der).unwrap().serialize_compact();
    negate_s(&mut compact);
    let mut high = Signature::from_compact(&compact)
        .unwrap()
        .serialize_der()
        .to_vec();
    high.push(*hash_type);
    spend.tx.input[0].witness = bitcoin::Witness::from_slice(&[high, items[1].clone()]);
    let (code, why) = spend.refused(&chain);
    assert_eq!(code, -26);
    let reason = script_reason(
        &chain,
        "non-mandatory-script-verify-flag",
        "Non-canonical signature: S value is unnecessarily high)",
    );
    assert!(why.starts_with(&reason), "{why}");
    // A miner may still take it.
    let block = chain.call("generateblock", json!([chain.new_address(), [spend.hex()]]));
    assert_eq!(block["hash"], tip(&chain));
}

/// Replaces s by the group order less s.
fn negate_s(compact: &mut [u8; 64]) {
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order: Vec<u8> = bitcoin::hex::FromHex::from_hex(ORDER).unwrap();
    let mut borrow = 0_i32;
    for index in (0..32).rev() {
        let mut digit = i32::from(order[index]) - i32::from(compact[32 + index]) - borrow;
        borrow = i32::from(digit < 0);
        if digit < 0 {
            digit += 256;
        }
        compact[32 + index] = u8::try_from(digit).unwrap();
    }
}

#[test]
fn relative_locks_hold_until_their_depth() {
    let chain = chain();
    let script = Builder::new()
        .push_int(3)
        .push_opcode(op::OP_CSV)
        .into_script();
    let coin = fund(&chain, Lock::Script(script, vec![]), 100_000);
    let ignored = Spend::new(&[&coin])
        .sequence(0)
        .pay_rest(&OTHER, 1000)
        .sign();
    let why = ignored.refused(&chain).1;
    let reason = script_reason(
        &chain,
        "mandatory-script-verify-flag-failed",
        "Locktime requirement not satisfied)",
    );
    assert!(why.starts_with(&reason), "{why}");
    let early = Spend::new(&[&coin])
        .sequence(3)
        .pay_rest(&OTHER, 1000)
        .sign();
    assert_eq!(early.refused(&chain), (-26, "non-BIP68-final".to_owned()));
    chain.mine(2);
    early.send(&chain);
    chain.mine(1);
}

#[test]
fn absolute_locks_hold_until_their_height() {
    let chain = chain();
    let script = Builder::new()
        .push_int(105)
        .push_opcode(op::OP_CLTV)
        .into_script();
    let coin = fund(&chain, Lock::Script(script, vec![]), 100_000);
    let low = Spend::new(&[&coin])
        .lock_time(101)
        .pay_rest(&OTHER, 1000)
        .sign();
    assert!(
        low.refused(&chain)
            .1
            .contains("Locktime requirement not satisfied")
    );
    let spend = Spend::new(&[&coin])
        .lock_time(105)
        .pay_rest(&OTHER, 1000)
        .sign();
    assert_eq!(spend.refused(&chain), (-26, "non-final".to_owned()));
    while chain.height() < 105 {
        chain.mine(1);
    }
    spend.send(&chain);
}

#[test]
fn script_policy_is_stricter_than_consensus() {
    let chain = chain();
    let branch = Builder::new()
        .push_opcode(op::OP_IF)
        .push_int(1)
        .push_opcode(op::OP_ELSE)
        .push_int(1)
        .push_opcode(op::OP_ENDIF)
        .into_script();
    let coin = fund(&chain, Lock::Script(branch.clone(), vec![vec![2]]), 100_000);
    let why = Spend::new(&[&coin])
        .pay_rest(&OTHER, 1000)
        .sign()
        .refused(&chain)
        .1;
    let reason = script_reason(
        &chain,
        "non-mandatory-script-verify-flag",
        "OP_IF/NOTIF argument must be minimal)",
    );
    assert!(why.starts_with(&reason), "{why}");
    let minimal = support::Coin {
        lock: Lock::Script(branch, vec![vec![1]]),
        ..coin
    };
    Spend::new(&[&minimal])
        .pay_rest(&OTHER, 1000)
        .sign()
        .send(&chain);

    let nop = Builder::new()
        .push_opcode(op::OP_NOP10)
        .push_int(1)
        .into_script();
    let coin = fund(&chain, Lock::Script(nop, vec![]), 100_000);
    let why = Spend::new(&[&coin])
        .pay_rest(&OTHER, 1000)
        .sign()
        .refused(&chain)
        .1;
    let reason = script_reason(&chain, "non-mandatory-script-verify-flag", "NOPx reserved");
    assert!(why.starts_with(&reason), "{why}");
}

#[test]
fn dust_oddities_and_high_fees_are_refused() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000_000);
    let dust = Spend::new(&[&coin])
        .pay(&OTHER, 293)
        .pay_rest(&ME, 1000)
        .sign();
    let (code, why) = dust.refused(&chain);
    assert!(code == -26 && why.starts_with("dust"), "{why}");
    let not_dust = Spend::new(&[&coin])
        .pay(&OTHER, 294)
        .pay_rest(&ME, 1000)
        .sign();
    assert_eq!(not_dust.tested(&chain)["allowed"], true);
    let version = Spend::new(&[&coin]).version(4).pay_rest(&ME, 1000).sign();
    assert_eq!(version.refused(&chain), (-26, "version".to_owned()));
    let costly = Spend::new(&[&coin]).pay_rest(&ME, 2_000_000).sign();
    let why = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)";
    assert_eq!(costly.refused(&chain), (-25, why.to_owned()));
    assert_eq!(costly.tested(&chain)["reject-reason"], "max-fee-exceeded");
    chain.call("sendrawtransaction", json!([costly.hex(), 0]));
}

#[test]
fn the_26th_in_a_row_is_too_much_but_a_small_side_child_is_carved_out() {
    let chain = chain();
    if chain.version() >= 310_000 {
        // Clusters have other limits, and no carve-out.
        return;
    }
    let coin = fund(&chain, ME, 1_000_000);
    let root = Spend::new(&[&coin])
        .pay(&OTHER, 10_000)
        .pay_rest(&ME, 1000)
        .sign();
    root.send(&chain);
    let mut last = root.coin(1, ME);
    for _ in 0..24 {
        let next = Spend::new(&[&last]).pay_rest(&ME, 1000).sign();
        next.send(&chain);
        last = next.coin(0, ME);
    }
    let (code, why) = Spend::new(&[&last])
        .pay_rest(&ME, 1000)
        .sign()
        .refused(&chain);
    assert_eq!(code, -26);
    assert!(why.starts_with("too-long-mempool-chain, too many"), "{why}");
    // The other side's output of the root still can be bumped once.
    Spend::new(&[&root.coin(0, OTHER)])
        .pay_rest(&ME, 1000)
        .sign()
        .send(&chain);
    let entry = chain.call("getmempoolentry", json!([root.txid()]));
    assert_eq!(entry["descendantcount"], 26);
}

#[test]
fn a_transaction_of_the_wallet_can_be_replaced_by_the_double_spend_in_a_block() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let unconfirmed = Spend::new(&[&coin]).pay_rest(&OTHER, 1000).sign();
    unconfirmed.send(&chain);
    let rival = Spend::new(&[&coin]).pay_rest(&ME, 1000).sign();
    chain.call("generateblock", json!([chain.new_address(), [rival.hex()]]));
    assert!(chain.mempool().is_empty());
    assert_eq!(unconfirmed.refused(&chain).0, -25);
}

#[test]
fn priorities_decide_what_is_mined() {
    let chain = chain();
    let first = fund_unconfirmed(&chain, ME, 100_000)
        .outpoint
        .txid
        .to_string();
    chain.call("prioritisetransaction", json!([first, null, -1_000_000]));
    chain.mine(1);
    assert!(chain.mempool() == [first.as_str()]);
    chain.call("prioritisetransaction", json!([first, 0.0, 1_000_000]));
    chain.mine(1);
    assert!(chain.mempool().is_empty());
}

#[test]
fn a_transaction_decodes_as_bitcoind_shows_it() {
    let chain = chain();
    let coin = fund(&chain, ME, 100_000);
    let spend = Spend::new(&[&coin]).pay_rest(&Lock::Anchor, 1000).sign();
    let json = chain.call(
        "decoderawtransaction",
        json!([serialize_hex(&spend.tx), true]),
    );
    assert_eq!(json["txid"], spend.txid().to_string());
    assert_eq!(json["vin"][0]["txid"], coin.outpoint.txid.to_string());
    assert_eq!(json["vin"][0]["txinwitness"].as_array().unwrap().len(), 2);
    let script = &json["vout"][0]["scriptPubKey"];
    assert_eq!(script["type"], "anchor");
    assert_eq!(script["address"], "bcrt1pfeesnyr2tx");
    assert_eq!(script["asm"], "1 29518");
    assert_eq!(json["vout"][0]["value"], 0.00099);
}
