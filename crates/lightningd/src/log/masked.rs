//! Messages as they may be shown: without what is worth money or opens a door.

use std::fmt::Write as _;

use serde_json::Value;

use super::line::start_of;

/// Members whose values are not shown, and options: what a plugin writes in another way is its own doing.
const SECRET: &[&str] = &[
    "bitcoin-rpcpassword",
    "codex32",
    "experimental-lsps2-promise-secret",
    "exposesecret-passphrase",
    "hsmsecret",
    "mnemonic",
    "passphrase",
    "password",
    "pathsecret",
    "payment_key",
    "payment_metadata",
    "payment_preimage",
    "payment_secret",
    "preimage",
    "recover",
    "rune",
    "secret",
    "shared_secret",
    "shared_secrets",
    "tor-service-password",
];

/// Methods with secrets among their parameters where no name shows it: at which place, or everywhere. The hook `db_write` has the whole database in
/// it, bit by bit.
const SECRET_PARAMS: &[(&str, Option<usize>)] = &[
    ("checkrune", None),
    ("commando", None),
    ("createinvoice", Some(2)),
    ("createrune", None),
    ("db_write", None),
    ("dev", None),
    ("exposesecret", None),
    ("invoice", Some(5)),
    ("recover", None),
    ("sendonion", Some(3)),
    ("sendpay", Some(5)),
    ("setconfig", Some(1)),
];

/// What stands in a secret's place.
const MASK: &str = "(masked)";

/// Whether what has this name is worth money or opens a door.
fn is_secret(name: &str) -> bool {
    SECRET.contains(&name)
}

/// A whole JSON-RPC message without its secrets. What is not JSON is shown as text is.
pub(crate) fn masked_json(message: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(message) else {
        return masked_up_to(&String::from_utf8_lossy(message), usize::MAX).into_bytes();
    };
    mask_params(&mut value);
    mask_members(&mut value);
    value.to_string().into_bytes()
}

/// Masks parameters that only their method shows to be secret.
fn mask_params(message: &mut Value) {
    let Some(method) = message.get("method").and_then(Value::as_str) else {
        return;
    };
    let found = SECRET_PARAMS.iter().find(|(name, _)| *name == method);
    let (Some((_, place)), Some(params)) = (found, message.get_mut("params")) else {
        return;
    };
    match (place, params) {
        (None, params) => *params = MASK.into(),
        (Some(place), Value::Array(params)) => {
            if let Some(param) = params.get_mut(*place) {
                *param = MASK.into();
            }
        }
        // `setconfig`: a plugin's option may be one that is concealed.
        (Some(_), Value::Object(params)) => {
            if let Some(value) = params.get_mut("val") {
                *value = MASK.into();
            }
        }
        (Some(_), _) => {}
    }
}

/// Masks members with secret names, however deep they are: the parser has a bound.
fn mask_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                // Whether a thing is set is no secret, nor are JSON's own numbers of errors and the like.
                if is_secret(name) && !matches!(value, Value::Null | Value::Bool(_)) {
                    *value = MASK.into();
                } else {
                    mask_members(value);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                mask_members(item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What of a message is shown.
const MAX_SHOWN: usize = 4096;

/// A message in one line, cut to a few KiB, with secrets masked.
pub(crate) fn masked(text: &str) -> String {
    masked_up_to(text, MAX_SHOWN)
}

fn masked_up_to(text: &str, most: usize) -> String {
    let text = text.trim();
    let shown = start_of(text, most);
    let mut out = String::with_capacity(shown.len() + 64);
    // A plugin's option may be one that is concealed.
    let sets_option = shown.contains("\"method\":\"setconfig\"");
    let mut left = shown;
    while let Some((before, name, value)) = next_string_member(left) {
        out.push_str(before);
        let length = string_length(value);
        let (value, after) = value.split_at(length);
        if is_secret(name) || sets_option && name == "val" {
            out.push_str(MASK);
        } else {
            out.push_str(value);
        }
        left = after;
    }
    out.push_str(left);
    let mut line: String = out
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if shown.len() < text.len() {
        // Writing to a string can't fail.
        let _ = write!(line, "... ({} bytes)", text.len());
    }
    line
}

/// The next member whose value is a string: everything up to the value's first letter, the member's name, and what follows.
fn next_string_member(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let colon = from + text.get(from..)?.find(':')?;
        from = colon + 1;
        let name = text.get(..colon)?.trim_end().strip_suffix('"');
        let name = name.and_then(|name| name.rsplit_once('"'));
        let rest = text.get(from..)?;
        let value = rest.trim_start().strip_prefix('"');
        if let (Some((_, name)), Some(value)) = (name, value) {
            let before = text.get(..text.len() - value.len())?;
            return Some((before, name, value));
        }
    }
}

/// How long a string is whose opening quote was taken away.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return index,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(
            masked(
                r#"{"id":"a:b","preimage":"00\"11", "payment_key" : "22","label":"x\"y:\"z","n":1}"#
            ),
            r#"{"id":"a:b","preimage":"(masked)", "payment_key" : "(masked)","label":"x\"y:\"z","n":1}"#
        );
        let set = r#"{"method":"setconfig","params":{"config":"key","val":"x"}}"#;
        assert!(masked(set).ends_with(r#""val":"(masked)"}}"#));
        let cut = format!(
            r#"{{"x":"{}","preimage":"{}"}}"#,
            "y".repeat(4070),
            "ab".repeat(32)
        );
        let shown = masked(&cut);
        assert!(!shown.contains("ab"), "{shown}");
        assert!(shown.ends_with("... (4156 bytes)"), "{shown}");
        assert_eq!(masked("{\n \"a\": \"b\"\n}\n\n"), "{  \"a\": \"b\" }");
    }

    #[test]
    fn secrets_in_whole_messages_are_not_shown() {
        let shown = |text: &str| String::from_utf8(masked_json(text.as_bytes())).unwrap();
        assert_eq!(
            shown(r#"{"id":1,"method":"invoice","params":[1,"l","d",null,null,"00ff"]}"#),
            r#"{"id":1,"method":"invoice","params":[1,"l","d",null,null,"(masked)"]}"#
        );
        assert_eq!(
            shown(
                r#"{"result":{"configs":{"bitcoin-rpcpassword":{"value_str":"x"},"rescan":{"value_int":1}}}}"#
            ),
            r#"{"result":{"configs":{"bitcoin-rpcpassword":"(masked)","rescan":{"value_int":1}}}}"#
        );
        let set = r#"{"method":"setconfig","params":{"config":"key","val":"x"}}"#;
        assert!(!shown(set).contains("\"x\""));
        let words = r#"{"method":"recover","params":["abandon abandon"]}"#;
        assert!(!shown(words).contains("abandon"));
        assert_eq!(shown(r#"{"secret": "x"#), r#"{"secret": "(masked)"#);
    }

    #[test]
    fn any_text_will_do() {
        for text in ["", ":", "\":\"", "{\"secret\":\"", "é:\"é\"", "\\\":\"\\"] {
            let shown = masked(text);
            assert!(shown.len() <= text.len() + 16, "{shown}");
        }
        assert!(masked(&"é".repeat(5000)).ends_with("... (10000 bytes)"));
    }
}
