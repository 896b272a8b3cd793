//! Every parameter of every method, given all that it can't be. What is expected comes from the schemas in docs/schemas: whatever is not
//! of a parameter's type is refused with the code for wrong parameters, and nothing else happens.

use std::fs;
use std::path::Path;
use std::thread;

use ln_testkit::nodes::{CallError, TestNet, TestNode};
use serde_json::{Map, Value, json};

/// The parameters are wrong.
const INVALID_PARAMS: i32 = -32602;
const STRANGER: &str = "02c3f6c70fa61f5032f9ac5ec28185cf233d62cd99d71fdf364a899d623313e42e";
const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Requests at once.
const CLIENTS: usize = 4;

/// Methods that may wait for ever, or end the node, when nothing is wrong with what they are given.
const PATIENT: &[&str] = &[
    "stop",
    "wait",
    "waitanyinvoice",
    "waitblockheight",
    "waitinvoice",
];

/// A method as its schema describes it.
struct Method {
    name: String,
    /// Parameters and their types; an empty type means several.
    params: Vec<(String, String)>,
    required: Vec<String>,
}

fn methods() -> Vec<Method> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    let mut found: Vec<Method> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| method(&entry.unwrap().path()))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn method(path: &Path) -> Method {
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let request = &schema["request"];
    let kind = |schema: &Value| schema["type"].as_str().unwrap_or_default().to_owned();
    let params = request["properties"].as_object().unwrap().iter();
    let required = request["required"].as_array().cloned().unwrap_or_default();
    Method {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        params: params
            .map(|(name, schema)| (name.clone(), kind(schema)))
            .collect(),
        required: required
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect(),
    }
}

/// Something a parameter can be, which leads nowhere: an unknown peer, a small amount, an empty list.
fn sample(name: &str, kind: &str) -> Value {
    match (name, kind) {
        ("id" | "node_id", _) => json!(STRANGER),
        ("command_to_check", _) => json!("getinfo"),
        ("status", _) => json!("unpaid"),
        ("style", _) => json!("perkb"),
        ("subcommand", _) => json!("list"),
        ("subsystem", _) => json!("invoices"),
        ("indexname", _) => json!("created"),
        (_, "pubkey") => json!(STRANGER),
        (_, "hash" | "txid" | "secret") => json!(HASH),
        (_, "hex") => json!("00"),
        (_, "boolean") => json!(false),
        (_, "array") => json!([]),
        (_, "feerate") => json!("normal"),
        (_, "u16" | "u32" | "u64" | "number" | "sat" | "msat" | "sat_or_all" | "msat_or_any") => {
            json!(1)
        }
        _ => json!("x"),
    }
}

/// Values, and whether they can be of this type.
fn values(kind: &str) -> Vec<(Value, bool)> {
    let text = matches!(kind, "" | "string");
    let number = matches!(
        kind,
        "u16"
            | "u32"
            | "u64"
            | "number"
            | "sat"
            | "msat"
            | "sat_or_all"
            | "msat_or_any"
            | "feerate"
    );
    let hex = kind == "hex";
    let array = kind == "array" || kind.is_empty();
    vec![
        (json!({}), text || array),
        (json!({"a": {"b": [1]}}), text || array),
        (json!([]), text || array),
        (json!([[[]]]), text || array),
        (json!(true), text || kind == "boolean"),
        // Taken as if it was not given, or refused.
        (Value::Null, true),
        (json!(-1), text || kind == "number"),
        (json!(i64::MIN), text || kind == "number"),
        (json!(1.5), text || kind == "number"),
        (json!(u64::MAX), true),
        (json!("9".repeat(400)), text || hex || kind == "number"),
        (json!("-1"), text || kind == "number"),
        (json!(""), true),
        (json!("\u{0}\u{202e}☃"), text),
        (json!("x".repeat(100_000)), text),
        // Nothing but zeros is a number, too.
        (json!("00".repeat(100_000)), text || hex || number),
        (json!("1e400"), text || kind == "number"),
        (json!("0x10"), text),
        (json!("NaN"), text || kind == "number"),
    ]
}

/// A request, and whether it must be refused as having wrong parameters.
struct Request {
    method: String,
    params: Value,
    wrong: bool,
}

fn requests(method: &Method) -> Vec<Request> {
    let request = |params: Value, wrong| Request {
        method: method.name.clone(),
        params,
        wrong,
    };
    let kind_of = |name: &str| {
        let mut params = method.params.iter();
        params
            .find(|(known, _)| known == name)
            .map_or("", |(_, kind)| kind.as_str())
    };
    let base: Map<String, Value> = method
        .required
        .iter()
        .map(|name| (name.clone(), sample(name, kind_of(name))))
        .collect();
    let with = |name: &str, value: Value| {
        let mut params = base.clone();
        params.insert(name.to_owned(), value);
        Value::Object(params)
    };
    let mut all = Vec::new();
    // `check` takes the parameters of the method it checks.
    if method.name != "check" {
        all.push(request(with("no_such_parameter", json!(1)), true));
        all.push(request(json!(vec![Value::Null; 40]), true));
    }
    for name in &method.required {
        let mut without = base.clone();
        without.remove(name);
        all.push(request(Value::Object(without), true));
    }
    for (name, kind) in &method.params {
        for (value, fits) in values(kind) {
            all.push(request(with(name, value), !fits));
        }
    }
    all
}

/// What is wrong with the answer, if anything.
fn judge(node: &TestNode, request: &Request) -> Option<String> {
    let Request {
        method,
        params,
        wrong,
    } = request;
    if !wrong && PATIENT.contains(&method.as_str()) {
        return None;
    }
    let complaint = match node.try_call(method, params.clone()) {
        Err(CallError::Rpc(error)) if *wrong && error.code.number() != INVALID_PARAMS => {
            format!("code {} ({})", error.code.number(), error.message)
        }
        Err(CallError::Rpc(error)) if error.message.is_empty() => "no words".to_owned(),
        Err(CallError::Rpc(_)) => return None,
        Ok(reply) if *wrong => format!("accepted: {reply}"),
        Ok(_) => return None,
        Err(CallError::Connection(error)) => format!("connection: {error}"),
    };
    let shown: String = params.to_string().chars().take(200).collect();
    let complaint: String = complaint.chars().take(200).collect();
    Some(format!("{method} {shown}: {complaint}"))
}

#[test]
fn no_parameter_of_any_method_takes_what_it_cannot_be() {
    let net = TestNet::start();
    let node = net.node("l1");
    let requests: Vec<Request> = methods().iter().flat_map(requests).collect();
    assert!(requests.len() > 2000, "{} requests", requests.len());
    let part = requests.len().div_ceil(CLIENTS);
    let wrong: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = requests
            .chunks(part)
            .map(|chunk| {
                let node = &node;
                scope.spawn(move || {
                    let complaints = chunk.iter().filter_map(|request| judge(node, request));
                    complaints.collect::<Vec<_>>()
                })
            })
            .collect();
        let ends = clients.into_iter().map(|client| client.join().unwrap());
        ends.flatten().collect()
    });
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    node.call("getinfo", json!({}));
    node.stop();
}
