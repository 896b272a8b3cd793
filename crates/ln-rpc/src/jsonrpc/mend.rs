//! Addresses without quotes.
//!
//! Core Lightning's own `lightning-cli` sends a word of digits and dots as it stands, so that `connect ID 127.0.0.1` arrives with a
//! bare `127.0.0.1`, which is no JSON. Its server takes that as text, and so do we.

use serde::de::IgnoredAny;

/// Longer texts are not looked at: nobody typed them.
const MAX_BYTES: usize = 64 * 1024;

/// The text with bare words of digits and dots in quotes, if it is no JSON without.
pub fn mended(text: &str) -> String {
    if text.len() > MAX_BYTES || serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().saturating_add(16));
    let mut word = String::new();
    let (mut in_string, mut escaped) = (false, false);
    for letter in text.chars() {
        if in_string {
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else if matches!(letter, ',' | ':' | '[' | ']' | '{' | '}' | '"')
            || letter.is_ascii_whitespace()
        {
            flush(&mut word, &mut out);
            in_string = letter == '"';
        } else {
            word.push(letter);
            continue;
        }
        out.push(letter);
    }
    flush(&mut word, &mut out);
    out
}

fn flush(word: &mut String, out: &mut String) {
    let dotted = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if dotted && serde_json::from_str::<IgnoredAny>(word).is_err() && !word.is_empty() {
        out.extend(["\"", word, "\""]);
    } else {
        out.push_str(word);
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_quotes_and_nothing_else_changes() {
        for (text, want) in [
            (
                r#"{"params" :[ "02", 127.0.0.1, 9735] }"#,
                r#"{"params" :[ "02", "127.0.0.1", 9735] }"#,
            ),
            (r#"{"a":"x\"1.2.3",1.:1.5}"#, r#"{"a":"x\"1.2.3","1.":1.5}"#),
            (r#"{"a":1.2,"b":"1.2.3"}"#, r#"{"a":1.2,"b":"1.2.3"}"#),
            (r#"{"a":bare}"#, r#"{"a":bare}"#),
            (r#"{"a":}"#, r#"{"a":}"#),
        ] {
            assert_eq!(mended(text), want);
        }
    }
}
