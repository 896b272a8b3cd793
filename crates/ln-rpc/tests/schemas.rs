//! Our declarations against the published schemas of the same methods, where those are at hand.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;

use ln_rpc::methods::{MethodInfo, registry};
use ln_rpc::params::ParamInfo;
use ln_rpc::shape::{FieldInfo, Shape};
use ln_testkit::schemas::{Schemas, Verdict};
use serde_json::{Map, Value, json};

/// Parameters that we take otherwise than the schema says, as Core Lightning's code does.
const PARAM_EXCEPTIONS: &[(&str, &str)] = &[
    // The code takes the name `feerate`; the schema's name is our alias.
    ("parsefeerate", "feerate_str"),
    // What follows the subcommand depends on it.
    ("plugin", "plugin"),
    ("plugin", "directory"),
    ("plugin", "options"),
];

/// Members that the schema says are always there, in a shape that several methods share.
const OPTIONAL_EXCEPTIONS: &[&str] = &["reserved_to_block"];

/// Members that a schema lacks although Core Lightning sends them.
const EXTRA_EXCEPTIONS: &[(&str, &str)] = &[
    // One shape for every invoice that is shown.
    ("delinvoice", "paid_outpoint"),
    ("waitinvoice", "local_offer_id"),
    ("waitinvoice", "invreq_payer_note"),
    ("waitanyinvoice", "local_offer_id"),
    ("waitanyinvoice", "invreq_payer_note"),
    ("delpay", "description"),
    // The schema lists it without a type.
    ("waitsendpay", "message"),
];

/// A member of a schema: its schema, and whether it is always there.
struct Published {
    schema: Value,
    required: bool,
}

/// All members of an object's schema, those of its conditions included.
fn published_members(schema: &Value) -> BTreeMap<String, Published> {
    let mut members = BTreeMap::new();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    collect(schema, &required, &mut members);
    members
}

fn collect(schema: &Value, required: &[&str], members: &mut BTreeMap<String, Published>) {
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        let empty = below.as_object().is_some_and(Map::is_empty);
        let entry = members.entry(name.clone());
        if !empty {
            let entry = entry.or_insert_with(|| Published {
                schema: json!({}),
                required: required.contains(&name.as_str()),
            });
            if entry.schema == json!({}) {
                entry.schema = below.clone();
            }
        }
    }
    for list in ["allOf", "oneOf", "anyOf"] {
        for part in schema[list].as_array().into_iter().flatten() {
            collect(part, required, members);
        }
    }
    for branch in ["then", "else"] {
        if let Some(branch) = schema.get(branch) {
            collect(branch, required, members);
        }
    }
}

/// Types whose values look the same.
fn same_type(ours: &str, published: &str) -> bool {
    let class = |name: &str| match name {
        "u8" | "u16" | "u32" | "u64" | "integer" | "number" => 1,
        "hash" | "secret" | "txid" | "hex" | "pubkey" | "signature" | "bip340sig" => 2,
        _ => 0,
    };
    // The schema of a text may say no more than that it is one.
    let text = published == "string" && !matches!(ours, "boolean" | "number") && class(ours) != 1;
    let color = ours == "string" && published == "hex";
    text || color || ours == published || (class(ours) != 0 && class(ours) == class(published))
}

fn compare(path: &str, ours: &Shape, published: &Value, found: &mut Vec<String>) {
    match ours {
        Shape::Scalar(name) => {
            let Some(kind) = published["type"].as_str() else {
                return;
            };
            if !same_type(name, kind) {
                found.push(format!("{path}: we say {name}, the schema {kind}"));
            }
        }
        Shape::Choice(words) => {
            let Some(listed) = published["enum"].as_array() else {
                if published["type"] != "string" {
                    found.push(format!(
                        "{path}: words, but the schema says {}",
                        published["type"]
                    ));
                }
                return;
            };
            for word in listed {
                if !words.contains(&word.as_str().unwrap_or_default()) {
                    found.push(format!("{path}: the word {word} is missing"));
                }
            }
        }
        Shape::Array(items) => {
            if published["type"] == "array" {
                compare(&format!("{path}[]"), items, &published["items"], found);
            } else {
                found.push(format!(
                    "{path}: an array, but the schema says {}",
                    published["type"]
                ));
            }
        }
        Shape::Object(fields) => compare_object(path, fields, published, found),
        Shape::Any | Shape::Map(_) | Shape::OneOf(_) => {}
    }
}

fn compare_object(path: &str, fields: &[FieldInfo], published: &Value, found: &mut Vec<String>) {
    let mut members = published_members(published);
    let method = path.split('.').next().unwrap_or_default();
    for field in fields {
        let below = format!("{path}.{}", field.name);
        let Some(member) = members.remove(field.name) else {
            // What a parameter of ours adds is there only for those who ask for it.
            let asked_for = field.doc.trim_start().starts_with("With `verbose`");
            if !asked_for && !EXTRA_EXCEPTIONS.contains(&(method, field.name)) {
                found.push(format!("{below}: not in the schema"));
            }
            continue;
        };
        let excepted = OPTIONAL_EXCEPTIONS.contains(&field.name);
        if member.required && !field.required && !excepted {
            found.push(format!(
                "{below}: always there in the schema, sometimes with us"
            ));
        }
        compare(&below, &(field.shape)(), &member.schema, found);
    }
    for name in members.keys() {
        // `decode` grows with the kinds of text it reads.
        if method != "decode" {
            found.push(format!("{path}.{name}: in the schema, not with us"));
        }
    }
}

fn compare_params(info: &MethodInfo, published: &Value, found: &mut Vec<String>) {
    let members = published_members(published);
    for param in info
        .params
        .iter()
        .filter(|param| !param.is_developer_only())
    {
        let path = format!("{} [{}]", info.name, param.name);
        let names = || std::iter::once(param.name).chain(param.aliases.iter().copied());
        let Some(member) = names().find_map(|name| members.get(name)) else {
            found.push(format!("{path}: not in the schema"));
            continue;
        };
        if member.required != param.required {
            found.push(format!(
                "{path}: required is {} in the schema",
                member.required
            ));
        }
        compare(&path, &(param.shape)(), &member.schema, found);
    }
    for name in members.keys().filter(|name| !name.starts_with("dev_")) {
        let taken =
            |param: &ParamInfo| param.name == name || param.aliases.contains(&name.as_str());
        let excepted = PARAM_EXCEPTIONS.contains(&(info.name, name.as_str()));
        if !excepted && !info.params.iter().any(taken) {
            found.push(format!(
                "{} [{name}]: in the schema, not with us",
                info.name
            ));
        }
    }
}

#[test]
fn parameters_and_replies_are_those_of_the_schemas() {
    let Some(schemas) = Schemas::find() else {
        return;
    };
    let mut found = Vec::new();
    for info in registry() {
        let Some(schema) = schemas.raw(info.name) else {
            continue;
        };
        compare_params(info, &schema["request"], &mut found);
        compare(
            info.name,
            &(info.response)(),
            &schema["response"],
            &mut found,
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The positional order is that of the schemas, with the exceptions that Core Lightning's code makes.
#[test]
fn the_positional_order_is_that_of_the_schemas() {
    let Some(schemas) = Schemas::find() else {
        return;
    };
    for info in registry().iter().filter(|info| info.name != "fundchannel") {
        let Some(schema) = schemas.raw(info.name) else {
            continue;
        };
        let Some(properties) = schema["request"]["properties"].as_object() else {
            continue;
        };
        let published: Vec<&str> = properties
            .keys()
            .map(String::as_str)
            .filter(|name| info.params.iter().any(|param| param.name == *name))
            .collect();
        let ours: Vec<&str> = info
            .params
            .iter()
            .map(|param| param.name)
            .filter(|name| published.contains(name))
            .collect();
        assert_eq!(ours, published, "{}", info.name);
    }
}

/// A value of a shape: with every member, or with those only that are always there.
fn sample(shape: &Shape, full: bool) -> Value {
    match shape {
        Shape::Any => json!("x"),
        Shape::Scalar(name) => sample_scalar(name),
        Shape::Choice(words) => json!(words[0]),
        Shape::Array(items) => json!([sample(items, full)]),
        Shape::Object(fields) => fields
            .iter()
            .filter(|field| full || field.required)
            .map(|field| (field.name.to_owned(), sample_field(field, full)))
            .collect(),
        Shape::Map(_) => json!({}),
        Shape::OneOf(shapes) => sample(&shapes[0], full),
    }
}

/// Lists of feature names are sampled with names that exist.
fn sample_field(field: &FieldInfo, full: bool) -> Value {
    let shape = (field.shape)();
    let words = matches!(&shape, Shape::Array(items) if **items == Shape::Scalar("string"));
    match field.name {
        "names" if words => json!(["anchors/even"]),
        "features" if words => json!(["option_anchors"]),
        _ => sample(&shape, full),
    }
}

fn sample_scalar(name: &str) -> Value {
    match name {
        "boolean" => json!(true),
        "hex" => json!("abcdef"),
        "pubkey" => json!(format!("02{}", "ab".repeat(32))),
        "hash" | "secret" | "txid" => json!("ab".repeat(32)),
        "outpoint" => json!(format!("{}:1", "ab".repeat(32))),
        "short_channel_id" => json!("103x1x0"),
        "short_channel_id_dir" => json!("103x1x0/1"),
        "string" => json!("text"),
        _ => json!(1),
    }
}

/// What makes a sample follow the conditions of its schema: members to set, or to drop where they are `null`. Paths go through the
/// first item of arrays.
fn patch(method: &str, full: bool) -> Value {
    let hash = || json!("ab".repeat(32));
    let reservation = |was_reserved: bool| {
        json!([{
            "txid": "ab".repeat(32), "vout": 0, "was_reserved": was_reserved, "reserved": true, "reserved_to_block": 7,
        }])
    };
    let paid = || {
        json!({
            "status": "paid", "pay_index": 1, "amount_received_msat": 1, "paid_at": 1, "payment_preimage": "ab".repeat(32),
            "local_offer_id": null, "invreq_payer_note": null,
        })
    };
    match (method, full) {
        ("getinfo", _) => json!({
            "color": "02abcd",
            "address": [{"type": "dns", "address": "a.example", "port": 9735}],
            "binding": [{"type": "ipv4", "address": "127.0.0.1", "port": 9735}],
        }),
        ("connect", _) => json!({"address": {"type": "ipv4", "address": "1.2.3.4", "port": 9735}}),
        ("getlog", _) => json!({"log": [
            {"type": "SKIPPED", "num_skipped": 3},
            {"type": "INFO", "time": "1.000000000", "source": "lightningd", "log": "hi"},
            {"type": "IO_IN", "time": "1.000000000", "source": "lightningd", "log": "", "data": "00"},
        ]}),
        ("fundpsbt", true) => json!({"reservations": reservation(false)}),
        ("utxopsbt", true) | ("reserveinputs", _) => json!({"reservations": reservation(true)}),
        ("unreserveinputs", false) => json!({"reservations.reserved": false}),
        ("close", _) => json!({"type": "mutual", "txs": ["00"], "txids": [hash()]}),
        ("decode", _) => json!({
            "type": "bolt11 invoice", "signature": "30".repeat(71), "extra.tag": "x",
        }),
        ("delinvoice", false) => json!({"bolt11": "ln"}),
        ("delinvoice", true) => json!({
            "status": "paid", "bolt12": null, "local_offer_id": null, "invreq_payer_note": null, "paid_outpoint": null,
        }),
        ("delpay", true) => json!({"payments.description": null}),
        ("listforwards", true) => json!({
            "forwards.status": "settled", "forwards.style": "tlv", "forwards.failcode": null, "forwards.failreason": null,
        }),
        ("listforwards", false) => json!({"forwards.status": "offered"}),
        ("listinvoices", true) => json!({"invoices.status": "paid"}),
        ("listpeerchannels", true) => json!({
            "channels.htlcs.direction": "out",
            // The schema knows it but its conditions forbid it.
            "channels.next_fee_step": null,
        }),
        ("listpeers", false) => json!({"peers.connected": false}),
        ("listpeers", true) => json!({"peers.log": [{"type": "SKIPPED", "num_skipped": 3}]}),
        ("listsendpays", true) => {
            json!({"payments.status": "complete", "payments.erroronion": null})
        }
        ("plugin", false) => json!({"command": "list", "plugins": []}),
        ("plugin", true) => json!({
            "command": "start", "result": null,
            // What `verbose` adds is ours.
            "plugins": [{"name": "/p", "active": true, "dynamic": true}],
        }),
        ("sendpay", false) => json!({"message": "wait"}),
        ("sendpay", true) => json!({"status": "complete", "message": null}),
        ("waitsendpay", true) => json!({"status": "complete", "message": null}),
        ("waitsendpay", false) => json!({"status": "complete", "payment_preimage": hash()}),
        ("signmessage", _) => json!({"signature": "ab".repeat(64), "recid": "01"}),
        ("wait", true) => json!({
            "forwards": null, "sendpays": null, "htlcs": null, "chainmoves": null, "channelmoves": null, "networkevents": null,
        }),
        ("waitinvoice" | "waitanyinvoice", _) => paid(),
        _ => json!({}),
    }
}

fn apply(value: &mut Value, path: &str, new: &Value) {
    let value = if value.is_array() {
        &mut value[0]
    } else {
        value
    };
    if let Some((first, rest)) = path.split_once('.') {
        apply(&mut value[first], rest, new);
    } else if new.is_null() {
        value.as_object_mut().unwrap().remove(path);
    } else {
        value[path] = new.clone();
    }
}

fn patched(method: &str, mut reply: Value, full: bool) -> Value {
    for (path, new) in patch(method, full).as_object().unwrap() {
        apply(&mut reply, path, new);
    }
    reply
}

#[test]
fn samples_of_replies_fit_the_schemas() {
    let Some(schemas) = Schemas::find() else {
        return;
    };
    let mut wrong = Vec::new();
    for info in registry() {
        for full in [false, true] {
            if info.name == "decode" && !full {
                // Nothing but its type is in every decoded text.
                continue;
            }
            let reply = patched(info.name, sample(&(info.response)(), full), full);
            if let Verdict::Wrong(reasons) = schemas.check_reply(info.name, &reply) {
                wrong.push(format!(
                    "{} full={full}: {}\n",
                    info.name,
                    reasons.join("\n    ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
