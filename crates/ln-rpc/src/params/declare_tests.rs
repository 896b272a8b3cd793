#![cfg(test)]
#![expect(unreachable_pub, reason = "declarations are always public")]

use ln_types::{FeerateSpec, Msat};
use serde_json::json;

use super::*;
use crate::params::{Label, MsatOrAny};

rpc_params! {
    /// A sample.
    pub struct SampleParams {
        /// An amount.
        amount_msat: MsatOrAny,
        /// A label.
        label | "name": Label,
        /// Optional.
        expiry: Option<u64>,
        /// With a default.
        retry_for: u32 = 1_060_u32,
        /// Old.
        old since_deprecated "v25.09": Option<bool>,
        /// For developers.
        dev_speed as "dev-speed": Option<u16>,
    }
}

rpc_params! {
    /// Takes everything.
    pub struct OpenParams {
        /// What to do.
        subcommand: String,
        ..rest
    }
}

fn parse(params: serde_json::Value) -> Result<SampleParams, String> {
    let env = ParamEnv {
        check_only: true,
        ..ParamEnv::default()
    };
    SampleParams::parse_value(&params, env).map_err(|error| {
        assert_eq!(error.code.number(), -32602);
        error.message
    })
}

#[test]
fn position_and_name_mean_the_same() {
    let by_position = parse(json!(["10sat", "l", null, "7"])).unwrap();
    let by_name =
        parse(json!({"name": "l", "retry_for": 7, "amount_msat": 10000, "expiry": null})).unwrap();
    assert_eq!(by_position, by_name);
    assert_eq!(by_name.amount_msat.amount(), Some(Msat::from_msat(10_000)));
    assert_eq!(parse(json!(["any", 7])).unwrap().retry_for, 1060);
}

#[test]
fn the_usage_line_is_the_declaration() {
    assert_eq!(
        usage(SampleParams::PARAMS),
        "amount_msat label [expiry] [retry_for] [old] [dev-speed]"
    );
    let defaults: Vec<_> = SampleParams::PARAMS
        .iter()
        .filter_map(ParamInfo::default_text)
        .collect();
    assert_eq!(defaults, ["1060"]);
}

#[test]
fn each_mistake_has_its_message() {
    for (params, message) in [
        (json!([]), "missing required parameter: amount_msat"),
        (
            json!({"label": 1}),
            "missing required parameter: amount_msat",
        ),
        (
            json!([0, 1]),
            "amount_msat: should be positive msat or 'any': invalid token '0'",
        ),
        (
            json!(["any", true]),
            "label: should be a string or number: invalid token 'true'",
        ),
        (
            json!(["any", 1, "-1"]),
            "expiry: should be an unsigned 64 bit integer: invalid token '\"-1\"'",
        ),
        (
            json!(["any", 1, 1.5]),
            "expiry: should be an unsigned 64 bit integer: invalid token '1.5'",
        ),
        (
            json!(["any", 1, 1, 4_294_967_296_u64]),
            "retry_for: should be an unsigned 32 bit integer: invalid token '4294967296'",
        ),
        (
            json!(["any", 1, 1, 1, true, 1]),
            "Parameter 5 is developer-only",
        ),
        (
            json!({"dev-speed": 1}),
            "Parameter 'dev-speed' is developer-only",
        ),
        (
            json!([1, 1, 1, 1, true, null, 1]),
            "too many parameters: got 7, expected 6",
        ),
        (json!("x"), "Expected array or object for params"),
    ] {
        assert_eq!(parse(params.clone()).unwrap_err(), message, "{params}");
    }
    let unknown = parse(json!({"amount": 1})).unwrap_err();
    assert!(unknown.starts_with("unknown parameter: amount, this may be caused by a failure to"));
    assert!(
        parse(json!({"old": true}))
            .unwrap_err()
            .starts_with("unknown parameter: old")
    );
}

#[test]
fn a_name_given_twice_is_refused_even_under_an_alias() {
    for text in [
        r#"{"label":"a","label":"b"}"#,
        r#"{"label":"a","name":"b"}"#,
    ] {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        let error = SampleParams::parse(&raw, ParamEnv::default()).unwrap_err();
        assert_eq!(error.message, "duplicate json names: label");
    }
}

#[test]
fn the_wrong_text_is_shown_in_the_log_only() {
    let error = SampleParams::parse_value(&json!(["hunter2", 1]), ParamEnv::default()).unwrap_err();
    assert_eq!(
        error.message,
        "amount_msat: should be positive msat or 'any': invalid token (see logs for details)"
    );
    assert!(error.log.unwrap().contains("hunter2"));
}

#[test]
fn developers_and_friends_of_the_deprecated_get_more() {
    let env = ParamEnv {
        developer: true,
        deprecated_ok: true,
        ..ParamEnv::default()
    };
    let params = json!({"amount_msat": 1, "label": 2, "old": false, "dev-speed": "3"});
    let params = SampleParams::parse_value(&params, env).unwrap();
    assert_eq!((params.old, params.dev_speed), (Some(false), Some(3)));
}

#[test]
fn extra_parameters_are_kept_where_they_are_wanted() {
    let env = ParamEnv::default();
    let named = OpenParams::parse_value(&json!({"x": [1], "subcommand": "start"}), env).unwrap();
    assert_eq!(named.rest, [("x".to_owned(), json!([1]))]);
    let positional = OpenParams::parse_value(&json!(["start", "y"]), env).unwrap();
    assert_eq!(positional.rest, [(String::new(), json!("y"))]);
}

#[test]
fn numbers_keep_all_their_digits() {
    let raw: Box<RawValue> = serde_json::from_str("[1, 123456789012345678901234567890]").unwrap();
    let params = SampleParams::parse(&raw, ParamEnv::default()).unwrap();
    assert_eq!(params.label.0, "123456789012345678901234567890");
}

#[test]
fn feerates_and_outpoints_have_their_own_messages() {
    use crate::params::FromParam;
    let env = ParamEnv::default();
    let read = |text: &str| {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        FeerateSpec::from_param("feerate", Token::new(&raw), env).map_err(|error| error.message)
    };
    assert!(read("253").is_ok() && read("\"normal\"").is_ok());
    assert_eq!(
        read("\"xperkw\"").unwrap_err(),
        "'feerate' should be an integer with optional perkw/perkb, not 'x'"
    );
    let raw: Box<RawValue> = serde_json::from_str("[\"ab:0\"]").unwrap();
    let error = Vec::<bitcoin::OutPoint>::from_param("utxos", Token::new(&raw), env).unwrap_err();
    assert_eq!(
        error.message,
        "Could not decode outpoint \"ab:0\", expected format: txid:output"
    );
}
