//! Indents JSON as bitcoin-cli does, and leaves every number and string as it was written.

/// `json` with line breaks and two spaces per level.
pub fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let break_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    for c in json.chars() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                // An empty object or array keeps its brackets on two lines, without indent.
                let kept = out.trim_end().len();
                if out
                    .get(..kept)
                    .is_some_and(|text| text.ends_with(['{', '[']))
                {
                    out.truncate(kept);
                }
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn numbers_and_text_stay_as_they_are() {
        let text = r#"{"a":1.00000000,"b":[],"c":{},"d":["x:,\"]",true]}"#;
        let wanted = "{\n  \"a\": 1.00000000,\n  \"b\": [\n  ],\n  \"c\": {\n  },\n  \"d\": [\n    \"x:,\\\"]\",\n    true\n  ]\n}";
        assert_eq!(pretty(text), wanted);
    }
}
