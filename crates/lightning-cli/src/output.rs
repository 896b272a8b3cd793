//! Showing an answer.

use ln_rpc::params::Token;
use serde_json::value::RawValue;

/// What one more level of JSON is indented by.
const INDENT: &str = "   ";
/// Where a result says how it is best shown.
const HINT: &str = "format-hint";

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Indented JSON.
    Json,
    /// JSON as it came.
    Raw,
    /// Plain lines.
    Human,
    /// One `path=value` per line.
    Flat,
    /// The list of commands.
    HelpList,
}

impl Format {
    /// The format for a result when the user chose none.
    pub(crate) fn choose(result: &RawValue, is_help_list: bool) -> Self {
        let token = Token::new(result);
        if is_help_list && token.member("help").is_some() {
            return Self::HelpList;
        }
        match token.member(HINT) {
            Some(hint) if hint.text() == "simple" => Self::Human,
            _ => Self::Json,
        }
    }

    /// The text to print, with its last newline.
    pub(crate) fn render(self, value: &RawValue) -> String {
        let token = Token::new(value);
        match self {
            Self::Json => indented(value.get()) + "\n",
            Self::Raw => value.get().to_owned() + "\n",
            Self::Human => {
                let mut out = String::new();
                let members = token.members().map(|mut members| {
                    members.retain(|(name, _)| name != HINT);
                    members
                });
                match members {
                    Some(members) => human_object(&members, &mut out),
                    None => human(token, &mut out),
                }
                out
            }
            Self::Flat => {
                let mut out = String::new();
                flat("", token, &mut out);
                out
            }
            Self::HelpList => help_list(token),
        }
    }
}

/// Breaks JSON into lines. Values stay to the letter, so that no digit of a number is lost.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let mut depth: usize = 0;
    let mut in_string = false;
    let mut escaped = false;
    let mut just_opened = false;
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&INDENT.repeat(depth));
    };
    for letter in json.chars() {
        if in_string {
            out.push(letter);
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        if letter.is_ascii_whitespace() {
            continue;
        }
        if matches!(letter, '}' | ']') {
            depth = depth.saturating_sub(1);
            if !just_opened {
                new_line(&mut out, depth);
            }
        } else if just_opened {
            new_line(&mut out, depth);
        }
        just_opened = matches!(letter, '{' | '[');
        out.push(letter);
        match letter {
            '{' | '[' => depth = depth.saturating_add(1),
            ',' => new_line(&mut out, depth),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
    }
    out
}

fn human_object(members: &[(String, Token<'_>)], out: &mut String) {
    // The name of an only member tells nothing new.
    if let [(_, value)] = members {
        return human(*value, out);
    }
    for (name, value) in members {
        out.push_str(name);
        out.push('=');
        human(*value, out);
    }
}

fn human(token: Token<'_>, out: &mut String) {
    if let Some(items) = token.array() {
        for item in items {
            human(item, out);
        }
    } else if let Some(members) = token.members() {
        human_object(&members, out);
    } else {
        out.push_str(&token.text());
        out.push('\n');
    }
}

fn flat(path: &str, token: Token<'_>, out: &mut String) {
    if let Some(items) = token.array() {
        for (index, item) in items.into_iter().enumerate() {
            flat(&format!("{path}[{index}]"), item, out);
        }
    } else if let Some(members) = token.members() {
        for (name, value) in members {
            let path = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            flat(&path, value, out);
        }
    } else {
        let raw = token.raw();
        // Escapes stay, so that every value keeps to its line.
        let value = raw
            .strip_prefix('"')
            .and_then(|raw| raw.strip_suffix('"'))
            .unwrap_or(raw);
        out.extend([path, "=", value, "\n"]);
    }
}

fn help_list(token: Token<'_>) -> String {
    let mut lines: Vec<String> = token
        .member("help")
        .and_then(Token::array)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| Some(entry.member("command")?.text().into_owned()))
        .collect();
    lines.sort();
    let mut out = lines
        .into_iter()
        .fold(String::new(), |out, line| out + &line + "\n\n");
    out.push_str(
        "---\nrun `lightning-cli help <command>` for more information on a specific command\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn json_is_indented_by_three() {
        let value = raw(r#"{"a":[],"b":{ },"c":[1.50,{"d":"x\"},{"}],"e":null}"#);
        assert_eq!(
            Format::Json.render(&value),
            "{\n   \"a\": [],\n   \"b\": {},\n   \"c\": [\n      1.50,\n      {\n         \"d\": \"x\\\"},{\"\n      }\n   ],\n   \"e\": null\n}\n"
        );
        assert_eq!(Format::Json.render(&raw("{}")), "{}\n");
        assert_eq!(Format::Json.render(&raw("\"x\"")), "\"x\"\n");
    }

    #[test]
    fn humans_get_plain_lines() {
        let value =
            raw(r#"{"help":[{"command":"a\tb\nc"},{"command":"d"}],"format-hint":"simple"}"#);
        assert_eq!(Format::choose(&value, false), Format::Human);
        assert_eq!(Format::Human.render(&value), "a\tb\nc\nd\n");
        let several = raw(r#"{"a":1,"b":["x","y"],"c":{"d":true}}"#);
        assert_eq!(Format::Human.render(&several), "a=1\nb=x\ny\nc=true\n");
    }

    #[test]
    fn flat_lines_have_a_path_each() {
        let value = raw(r#"{"a":1,"b":["x\ny",{"c":[true]}],"d":{}}"#);
        assert_eq!(
            Format::Flat.render(&value),
            "a=1\nb[0]=x\\ny\nb[1].c[0]=true\n"
        );
    }

    #[test]
    fn the_list_of_commands_is_sorted() {
        let value =
            raw(r#"{"help":[{"command":"pay x"},{"command":"close id"}],"format-hint":"simple"}"#);
        assert_eq!(Format::choose(&value, true), Format::HelpList);
        let text = Format::HelpList.render(&value);
        assert!(text.starts_with("close id\n\npay x\n\n---\n"), "{text}");
    }

    #[test]
    fn other_results_are_json() {
        assert_eq!(Format::choose(&raw("{\"id\":1}"), true), Format::Json);
        assert_eq!(
            Format::choose(&raw("{\"format-hint\":\"odd\"}"), false),
            Format::Json
        );
        assert_eq!(Format::choose(&raw("[]"), false), Format::Json);
    }
}
