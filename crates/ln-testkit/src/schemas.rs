//! The published schemas of Core Lightning's interface, as the judge of our requests and replies.
//!
//! They are not part of this repository. Where they are absent, checks answer [`Verdict::NotAvailable`] and say so once.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs};

use serde_json::{Map, Value, json};

/// The variable that names the directory of the schemas.
const VARIABLE: &str = "FULGURITE_SCHEMAS";
/// Where they are looked for without it, from the directory that holds the workspace.
const USUAL_PLACE: &str = "shared/reference/schemas";

/// Members of notifications that Core Lightning tells and its schemas have forgotten.
const UNPUBLISHED: &[(&str, &[&str])] = &[(
    "forward_event",
    &[
        "created_index",
        "updated_index",
        "in_htlc_id",
        "out_htlc_id",
        "preimage",
    ],
)];

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Fits,
    /// There is no schema to check against.
    NotAvailable,
    /// It does not fit, for these reasons.
    Wrong(Vec<String>),
}

impl Verdict {
    /// Fails the test unless it fits or nothing is there to tell.
    ///
    /// # Panics
    ///
    /// If it does not fit.
    pub fn assert(self, what: &str) {
        if let Self::Wrong(reasons) = self {
            panic!(
                "{what} does not fit its schema:\n  {}",
                reasons.join("\n  ")
            );
        }
    }
}

/// The directory of schemas.
#[derive(Debug, Clone)]
pub struct Schemas {
    directory: PathBuf,
}

impl Schemas {
    /// Finds them, or says once where they were looked for.
    pub fn find() -> Option<Self> {
        static SAID: Once = Once::new();
        let directory = env::var_os(VARIABLE).map_or_else(
            || {
                let here = Path::new(env!("CARGO_MANIFEST_DIR"));
                here.ancestors().nth(3).unwrap_or(here).join(USUAL_PLACE)
            },
            PathBuf::from,
        );
        if directory.is_dir() {
            return Some(Self { directory });
        }
        SAID.call_once(|| {
            eprintln!(
                "no schemas in {}: replies are not checked (set {VARIABLE} to check them)",
                directory.display()
            );
        });
        None
    }

    /// The schema of a method as published, if there is one.
    pub fn raw(&self, method: &str) -> Option<Value> {
        let plain = method
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !plain {
            return None;
        }
        self.read(&format!("{method}.json"))
    }

    fn read(&self, path: &str) -> Option<Value> {
        let text = fs::read_to_string(self.directory.join(path)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Checks what a topic tells: the object inside the topic's name.
    pub fn check_notification(&self, topic: &str, fields: &Value) -> Verdict {
        let schema = self.read(&format!("notification/{topic}.json"));
        let mut fields_schema = schema.and_then(|schema| schema.get("response").cloned());
        // The published ones forbid other members one level too high.
        if let Some(Value::Object(members)) = &mut fields_schema {
            members.insert("additionalProperties".to_owned(), json!(false));
            let forgotten = UNPUBLISHED.iter().filter(|(name, _)| *name == topic);
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                let forgotten = forgotten.flat_map(|(_, names)| *names);
                properties.extend(forgotten.map(|name| ((*name).to_owned(), json!({}))));
            }
        }
        judge(topic, fields_schema, fields)
    }

    /// Checks what a hook tells plugins.
    pub fn check_hook(&self, hook: &str, payload: &Value) -> Verdict {
        let schema = self.read(&format!("hook/{hook}.json"));
        let payload_schema = schema.and_then(|schema| schema.get("request").cloned());
        judge(hook, payload_schema, payload)
    }

    /// Checks the reply of a method.
    pub fn check_reply(&self, method: &str, reply: &Value) -> Verdict {
        self.check_part(method, "response", reply)
    }

    /// Checks the parameters of a method, given by name.
    pub fn check_request(&self, method: &str, params: &Value) -> Verdict {
        self.check_part(method, "request", params)
    }

    fn check_part(&self, method: &str, part: &str, value: &Value) -> Verdict {
        let schema = self.raw(method);
        judge(
            method,
            schema.and_then(|schema| schema.get(part).cloned()),
            value,
        )
    }
}

fn judge(name: &str, schema: Option<Value>, value: &Value) -> Verdict {
    let Some(schema) = schema else {
        return Verdict::NotAvailable;
    };
    let validator = match jsonschema::draft7::new(&to_standard(&schema)) {
        Ok(validator) => validator,
        Err(error) => return Verdict::Wrong(vec![format!("{name}: bad schema: {error}")]),
    };
    let reasons: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if reasons.is_empty() {
        Verdict::Fits
    } else {
        Verdict::Wrong(reasons)
    }
}

/// Checks what a topic tells, if the schemas are there.
pub fn check_notification(topic: &str, fields: &Value) -> Verdict {
    Schemas::find().map_or(Verdict::NotAvailable, |schemas| {
        schemas.check_notification(topic, fields)
    })
}

/// Checks what a hook tells plugins, if the schemas are there.
pub fn check_hook(hook: &str, payload: &Value) -> Verdict {
    Schemas::find().map_or(Verdict::NotAvailable, |schemas| {
        schemas.check_hook(hook, payload)
    })
}

/// Checks the reply of a method, if the schemas are there.
pub fn check_reply(method: &str, reply: &Value) -> Verdict {
    Schemas::find().map_or(Verdict::NotAvailable, |schemas| {
        schemas.check_reply(method, reply)
    })
}

/// A schema of the draft, whose types have names like `msat` and `pubkey`, in the words of the JSON Schema standard.
pub fn to_standard(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut standard = Map::new();
            for (name, value) in members {
                match name.as_str() {
                    "type" => {}
                    "properties" => {
                        let properties: Map<String, Value> = value
                            .as_object()
                            .into_iter()
                            .flatten()
                            .map(|(name, schema)| (name.clone(), to_standard(schema)))
                            .collect();
                        standard.insert(name.clone(), Value::Object(properties));
                    }
                    "enum" | "required" | "const" => {
                        standard.insert(name.clone(), value.clone());
                    }
                    _ => {
                        standard.insert(name.clone(), to_standard(value));
                    }
                }
            }
            if let Some(kind) = members.get("type") {
                merge(&mut standard, standard_type(kind));
            }
            Value::Object(standard)
        }
        Value::Array(items) => items.iter().map(to_standard).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// Adds what a type's name means; what the schema itself says wins.
fn merge(schema: &mut Map<String, Value>, meaning: Value) {
    if let Value::Object(meaning) = meaning {
        for (name, value) in meaning {
            if schema.contains_key(&name) {
                let both = json!({ name: value });
                let all = schema.entry("allOf").or_insert_with(|| json!([]));
                if let Some(all) = all.as_array_mut() {
                    all.push(both);
                }
            } else {
                schema.insert(name, value);
            }
        }
    }
}

fn hex(digits: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^[0-9a-fA-F]{digits}$") })
}

fn unsigned(max: u64) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": max })
}

fn any_of(shapes: &[Value]) -> Value {
    json!({ "anyOf": shapes })
}

/// What a type's name means.
fn standard_type(kind: &Value) -> Value {
    let Some(name) = kind.as_str() else {
        return json!({ "type": kind });
    };
    let word = |word: &str| json!({ "enum": [word] });
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let amount = || text("^[0-9]+(\\.[0-9]+)?(msat|sat|btc)?$");
    match name {
        "u8" => unsigned(u64::from(u8::MAX)),
        "u16" => unsigned(u64::from(u16::MAX)),
        "u32" => unsigned(u64::from(u32::MAX)),
        "u64" | "msat" | "sat" => unsigned(u64::MAX),
        "hex" => text("^([0-9a-fA-F]{2})*$"),
        "hash" | "secret" | "txid" => hex("{64}"),
        "pubkey" => text("^0[23][0-9a-fA-F]{64}$"),
        // DER: the two numbers may be a few bytes shorter than 33.
        "signature" => hex("{130,144}"),
        "bip340sig" => hex("{128}"),
        "short_channel_id" => text("^[0-9]+x[0-9]+x[0-9]+$"),
        "short_channel_id_dir" => text("^[0-9]+x[0-9]+x[0-9]+/[01]$"),
        "outpoint" => text("^[0-9a-fA-F]{64}:[0-9]+$"),
        "sat_or_all" => any_of(&[unsigned(u64::MAX), amount(), word("all")]),
        "msat_or_all" => any_of(&[unsigned(u64::MAX), amount(), word("all")]),
        "msat_or_any" => any_of(&[unsigned(u64::MAX), amount(), word("any")]),
        "currency" => text("^[0-9]+(\\.[0-9]+)?[A-Z]{3}$"),
        "feerate" => any_of(&[unsigned(u64::from(u32::MAX)), json!({ "type": "string" })]),
        "outputdesc" => json!({ "type": "object", "minProperties": 1, "maxProperties": 1 }),
        _ => json!({ "type": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(schema: &Value, value: &Value) -> bool {
        jsonschema::draft7::new(&to_standard(schema))
            .unwrap()
            .is_valid(value)
    }

    #[test]
    fn the_drafts_types_are_understood() {
        let schema = json!({
            "required": ["id"],
            "additionalProperties": false,
            "properties": {
                "id": {"type": "pubkey"},
                "type": {"type": "string", "enum": ["in", "out"]},
                "amount_msat": {"type": "msat", "added": "v23.05"},
                "scids": {"type": "array", "items": {"type": "short_channel_id"}},
            }
        });
        let id = format!("02{}", "ab".repeat(32));
        assert!(fits(
            &schema,
            &json!({"id": id, "type": "in", "amount_msat": 5, "scids": ["1x2x3"]})
        ));
        for wrong in [
            json!({}),
            json!({"id": "02ab"}),
            json!({"id": id, "type": "up"}),
            json!({"id": id, "amount_msat": "5msat"}),
            json!({"id": id, "amount_msat": -5}),
            json!({"id": id, "scids": ["1:2:3"]}),
            json!({"id": id, "more": 1}),
        ] {
            assert!(!fits(&schema, &wrong), "{wrong}");
        }
    }

    #[test]
    fn conditions_on_members_hold() {
        let schema = json!({
            "properties": {"type": {"type": "string"}},
            "if": {"properties": {"type": {"type": "string", "enum": ["a"]}}},
            "then": {"required": ["x"], "properties": {"x": {"type": "u8"}}},
        });
        assert!(fits(&schema, &json!({"type": "b"})));
        assert!(fits(&schema, &json!({"type": "a", "x": 255})));
        assert!(!fits(&schema, &json!({"type": "a"})));
        assert!(!fits(&schema, &json!({"type": "a", "x": 256})));
    }
}
