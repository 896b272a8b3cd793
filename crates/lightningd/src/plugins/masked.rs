//! Messages as they may be shown: without what is worth money or opens a door.

use std::fmt::Write as _;

/// Members whose values are not shown. What a plugin writes in another way is its own doing.
const SECRET: &[&str] = &[
    "codex32",
    "passphrase",
    "pathsecret",
    "payment_key",
    "payment_metadata",
    "payment_preimage",
    "payment_secret",
    "preimage",
    "rune",
    "secret",
    "shared_secret",
];

/// What of a message is shown.
const MAX_SHOWN: usize = 4096;

/// A message in one line, cut to a few KiB, with secrets masked.
pub(super) fn masked(text: &str) -> String {
    let text = text.trim();
    let mut end = text.len().min(MAX_SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (shown, rest) = text.split_at(end);
    let mut out = String::with_capacity(shown.len() + 64);
    // A plugin's option may be one that is concealed.
    let sets_option = shown.contains("\"method\":\"setconfig\"");
    let mut left = shown;
    while let Some((before, name, value)) = next_string_member(left) {
        out.push_str(before);
        let length = string_length(value);
        let (value, after) = value.split_at(length);
        if SECRET.contains(&name) || sets_option && name == "val" {
            out.push_str("(masked)");
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
    if !rest.is_empty() {
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
    fn any_text_will_do() {
        for text in ["", ":", "\":\"", "{\"secret\":\"", "é:\"é\"", "\\\":\"\\"] {
            let shown = masked(text);
            assert!(shown.len() <= text.len() + 16, "{shown}");
        }
        assert!(masked(&"é".repeat(5000)).ends_with("... (10000 bytes)"));
    }
}
