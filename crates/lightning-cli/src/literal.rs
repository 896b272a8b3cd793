//! What a word on the command line is as JSON.

/// The JSON text of a word: numbers, `true`, `false`, `null`, and what is already an object, an array or a quoted string stay as they
/// are; everything else is a string.
pub(crate) fn json_of(word: &str) -> String {
    if is_literal(word) {
        word.to_owned()
    } else {
        serde_json::Value::from(word).to_string()
    }
}

fn is_literal(word: &str) -> bool {
    let enclosed = |open: char, close: char| word.starts_with(open) && word.ends_with(close);
    matches!(word, "true" | "false" | "null")
        || is_number(word)
        || enclosed('{', '}')
        || enclosed('[', ']')
        || (enclosed('"', '"') && word.len() > 1)
}

/// Digits with a fraction or without. A leading zero makes it a string: it may be hex.
fn is_number(word: &str) -> bool {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let padded = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && digits(fraction) && !padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_what_they_look_like() {
        for literal in [
            "0",
            "10",
            "0.5",
            "12.25",
            "true",
            "false",
            "null",
            "{}",
            "{\"a\": 1}",
            "[1,2]",
            "\"10\"",
        ] {
            assert_eq!(json_of(literal), literal);
        }
        for string in [
            "",
            "00",
            "0102",
            "1.2.3",
            "127.0.0.1",
            "1.",
            ".5",
            "-1",
            "1e3",
            "10sat",
            "True",
            "{a",
            "[",
            "a b",
        ] {
            assert_eq!(json_of(string), format!("\"{string}\""));
        }
        assert_eq!(json_of("\""), r#""\"""#);
        assert_eq!(json_of("a\"b\\\n"), r#""a\"b\\\n""#);
    }
}
