//! Results cut down to what matters.

use serde_json::{Map, Value};

/// Longer texts lose their middle.
const LONGEST_TEXT: usize = 72;
/// So many items of a list of plain values are shown.
const SHOWN_ITEMS: usize = 2;
/// As `lightning-cli` indents.
const INDENT: &[u8] = b"   ";

/// Which members of objects are shown; empty: all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shorten {
    names: &'static [&'static str],
}

impl Shorten {
    /// Everything, but for long texts.
    pub(crate) const ALL: Self = Self { names: &[] };

    /// Only members with these names, at any depth; `...` stands for the others.
    pub(crate) const fn to(names: &'static [&'static str]) -> Self {
        Self { names }
    }

    /// The text to print.
    pub(crate) fn show(&self, result: &Value) -> String {
        let short = self.shorten(result);
        if let Value::String(text) = &short {
            return text.clone();
        }
        let mut out = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(INDENT);
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
        match serde::Serialize::serialize(&short, &mut serializer) {
            Ok(()) => String::from_utf8_lossy(&out).into_owned(),
            Err(_) => short.to_string(),
        }
    }

    fn shorten(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => Value::Object(self.shorten_members(members)),
            Value::Array(items) => {
                let plain = items
                    .iter()
                    .all(|item| !item.is_object() && !item.is_array());
                if !plain || items.len() <= SHOWN_ITEMS + 1 {
                    return items.iter().map(|item| self.shorten(item)).collect();
                }
                let mut shown: Vec<Value> = items
                    .iter()
                    .take(SHOWN_ITEMS)
                    .map(|item| self.shorten(item))
                    .collect();
                let more = items.len().saturating_sub(SHOWN_ITEMS);
                shown.push(Value::String(format!("… {more} more")));
                Value::Array(shown)
            }
            Value::String(text) => Value::String(shorten_text(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn shorten_members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        let mut hidden = 0_usize;
        for (name, value) in members {
            if self.names.is_empty() || self.names.contains(&name.as_str()) {
                shown.insert(name.clone(), self.shorten(value));
            } else {
                hidden = hidden.saturating_add(1);
            }
        }
        if hidden > 0 {
            shown.insert("…".to_owned(), Value::String(format!("{hidden} more")));
        }
        shown
    }
}

fn shorten_text(text: &str) -> String {
    let count = text.chars().count();
    if count <= LONGEST_TEXT {
        return text.to_owned();
    }
    let half = LONGEST_TEXT / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count.saturating_sub(half)).collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_asked_for_is_shown() {
        let shorten = Shorten::to(&["channels", "state", "id"]);
        let value =
            json!({"channels": [{"id": "x", "state": "NORMAL", "a": 1, "b": 2}], "next": 5});
        let short = shorten.shorten(&value);
        assert_eq!(
            short,
            json!({"channels": [{"id": "x", "state": "NORMAL", "…": "2 more"}], "…": "1 more"})
        );
    }

    #[test]
    fn long_lists_and_texts_are_cut() {
        let hashes: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        assert_eq!(
            Shorten::ALL.shorten(&json!(hashes)),
            json!(["0", "1", "… 99 more"])
        );
        let text = Shorten::ALL.shorten(&json!("x".repeat(1000)));
        assert_eq!(text.as_str().unwrap().chars().count(), LONGEST_TEXT + 1);
        assert_eq!(Shorten::ALL.show(&json!("plain")), "plain");
        assert_eq!(Shorten::ALL.show(&json!({"a": 1})), "{\n   \"a\": 1\n}");
    }
}
