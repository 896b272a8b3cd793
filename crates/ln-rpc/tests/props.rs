//! Whatever arrives, the envelope is read the same however it is cut, and nothing panics.
#![allow(clippy::unwrap_used)]

use ln_rpc::jsonrpc::{Request, ResultFilter, SplitError, Splitter};
use ln_rpc::params::{ParamEnv, Params, RpcParams, Token};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

fn arb_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,8}|all|any|1[0-9]{0,4}(msat|sat|btc|perkw|blocks)?".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z_]{0,6}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// All texts until there is no more or an error.
fn split(chunks: &[&[u8]]) -> (Vec<String>, Option<SplitError>) {
    let mut splitter = Splitter::with_limit(200);
    let mut texts = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        loop {
            match splitter.next_text() {
                Ok(Some(text)) => texts.push(text.to_owned()),
                Ok(None) => break,
                Err(error) => return (texts, Some(error)),
            }
        }
    }
    (texts, None)
}

proptest! {
    #[test]
    fn a_stream_is_read_the_same_however_it_is_cut(
        bytes in vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\\'), Just(b' '), any::<u8>()], 0..300),
        size in 1..50_usize,
    ) {
        let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(split(&chunks), split(&[&bytes]));
    }

    #[test]
    fn objects_come_back_whole(values in vec(arb_json(), 0..4), size in 1..50_usize) {
        let objects: Vec<Value> = values.into_iter().map(|value| serde_json::json!({ "v": value })).collect();
        let stream = objects.iter().fold(String::new(), |stream, object| stream + &object.to_string() + "\n\n");
        prop_assume!(objects.iter().all(|object| object.to_string().len() <= 200));
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let (texts, error) = split(&chunks);
        prop_assert_eq!(error, None);
        let back: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(back, objects);
    }

    #[test]
    fn no_text_makes_reading_a_request_panic(text in "\\PC{0,60}", value in arb_json()) {
        let _ = Request::parse(&text);
        let _ = Request::parse(&value.to_string());
    }

    #[test]
    fn any_parameters_are_read_or_refused(value in arb_json()) {
        use ln_rpc::methods::{channels, datastore, invoices, payments, wallet};
        let env = ParamEnv { developer: true, ..ParamEnv::default() };
        let _ = invoices::invoice::InvoiceParams::parse_value(&value, env);
        let _ = channels::close::CloseParams::parse_value(&value, env);
        let _ = channels::fundchannel::FundchannelParams::parse_value(&value, env);
        let _ = datastore::datastore::DatastoreParams::parse_value(&value, env);
        let _ = payments::sendpay::SendpayParams::parse_value(&value, env);
        let _ = payments::pay::PayParams::parse_value(&value, env);
        let _ = wallet::txprepare::TxprepareParams::parse_value(&value, env);
    }

    #[test]
    fn a_filter_never_adds_but_its_warning(filter in arb_json(), result in arb_json()) {
        let raw = serde_json::value::to_raw_value(&filter).unwrap();
        if let Ok(filter) = ResultFilter::parse(&raw, ParamEnv::default()) {
            let result = serde_json::json!({ "r": result });
            let kept = filter.apply(result.clone());
            for (name, _) in kept.as_object().unwrap() {
                prop_assert!(name == "r" || name == "warning_parameter_filter");
            }
        }
    }
}

#[test]
fn a_token_reads_escapes() {
    let raw: Box<RawValue> = serde_json::from_str(r#"["a\u00e9\n"]"#).unwrap();
    let Params::Positional(items) = Params::parse(&raw).unwrap() else {
        panic!("an array");
    };
    let texts: Vec<String> = items
        .into_iter()
        .map(|item: Token<'_>| item.text().into_owned())
        .collect();
    assert_eq!(texts, ["aé\n"]);
}
