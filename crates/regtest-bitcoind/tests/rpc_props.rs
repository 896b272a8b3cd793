//! Whatever is asked, the node answers: no call with any parameters ends it.
#![allow(clippy::unwrap_used, reason = "tests")]

use bitcoin::hex::DisplayHex;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regtest_bitcoind::node::{Node, Settings};
use regtest_bitcoind::policy::Policy;
use regtest_bitcoind::rpc::{Context, METHODS, WalletFiles, call};
use regtest_bitcoind::wallet::WalletRecord;
use serde_json::{Value, json};
use std::cell::RefCell;

const NOW: u64 = 1_800_000_000;

struct NoFiles;

impl WalletFiles for NoFiles {
    fn read(&mut self, _: &str) -> Option<Vec<WalletRecord>> {
        None
    }
    fn export(&mut self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn import(&mut self, _: &str) -> Result<Vec<WalletRecord>, String> {
        Ok(Vec::new())
    }
}

fn ask(node: &mut Node, method: &str, params: &Value) -> Result<String, String> {
    let mut context = Context {
        node,
        now: NOW,
        wallet: None,
        random: &mut || [5; 32],
        files: &mut NoFiles,
    };
    let result = call(&mut context, method, params);
    let text = result
        .map(|json| json.to_string())
        .map_err(|error| error.message);
    node.take_effects();
    if let Ok(text) = &text {
        serde_json::from_str::<Value>(text).expect("every answer is JSON");
    }
    text
}

/// A node with some history, and words taken from it that calls may name.
fn node() -> (Node, Vec<String>) {
    let mut node = Node::new(Policy::default(), Settings::default(), NOW);
    let mut words = Vec::new();
    let mut get = |node: &mut Node, method: &str, params: Value| -> String {
        let text = ask(node, method, &params).unwrap();
        let word = serde_json::from_str::<String>(&text).unwrap_or(text);
        words.push(word.clone());
        word
    };
    let address = get(&mut node, "getnewaddress", json!([]));
    ask(&mut node, "generatetoaddress", &json!([110, address])).unwrap();
    let txid = get(&mut node, "sendtoaddress", json!([address, 1]));
    get(&mut node, "getrawtransaction", json!([txid]));
    ask(&mut node, "generatetoaddress", &json!([1, address])).unwrap();
    let txid = get(&mut node, "sendtoaddress", json!([address, 2]));
    get(&mut node, "getrawtransaction", json!([txid]));
    let best = get(&mut node, "getbestblockhash", json!([]));
    get(&mut node, "getblock", json!([best, 0]));
    get(&mut node, "getblockhash", json!([50]));
    get(
        &mut node,
        "createpsbt",
        json!([[{"txid": txid, "vout": 0}], [{address: 1}]]),
    );
    get(
        &mut node,
        "createrawtransaction",
        json!([[], [{"data": "00"}]]),
    );
    (node, words)
}

thread_local! {
    static NODE: RefCell<(Node, Vec<String>)> = RefCell::new(node());
}

fn word() -> impl Strategy<Value = String> {
    let known = NODE.with_borrow(|(_, words)| words.clone());
    let mut known: Vec<String> = known;
    let fixed = [
        "",
        "*",
        "legacy",
        "bech32m",
        "ALL",
        "start",
        "data",
        "raw(51)",
        "economical",
    ];
    known.extend(fixed.map(str::to_owned));
    prop_oneof![
        4 => select(known),
        1 => ".{0,8}",
        1 => vec(any::<u8>(), 0..40).prop_map(|bytes| bytes.to_lower_hex_string()),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..200).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![0.1, 1e-8, 1e-9, 20_999_999.0, 21_000_001.0, -1.0]).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names = select(vec![
            "txid", "vout", "sequence", "data", "desc", "fee_rate", "amount",
        ]);
        let name = prop_oneof![names.prop_map(str::to_owned), word()];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_call_ends_the_node(
        index in 0..METHODS.len(),
        params in vec(value(), 0..6),
    ) {
        let method = METHODS.get(index).unwrap();
        // Blocks by the million are slow, not wrong.
        prop_assume!(!method.name.starts_with("generateto") || params.first().and_then(Value::as_i64).is_none_or(|n| n < 3));
        let mut params = params;
        params.truncate(method.args.len());
        NODE.with_borrow_mut(|(node, _)| {
            let _answer = ask(node, method.name, &Value::Array(params));
            assert!(ask(node, "getblockcount", &json!([])).is_ok());
        });
    }
}
