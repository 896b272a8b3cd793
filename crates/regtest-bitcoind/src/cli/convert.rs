//! Words of the command line as JSON parameters.

use crate::rpc::{METHODS, Method};
use serde_json::{Map, Value};

fn find(method: &str) -> Option<&'static Method> {
    METHODS.iter().find(|known| known.name == method)
}

/// What a word means if we do not know the method: JSON if it clearly is, else a string.
fn guess(word: &str) -> Value {
    match serde_json::from_str(word) {
        Ok(value @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => value,
        Ok(value @ Value::Number(_)) if word.len() <= 17 => value,
        _ => Value::String(word.to_owned()),
    }
}

fn convert(method: Option<&Method>, position: Option<usize>, word: &str) -> Result<Value, String> {
    match (method, position) {
        (Some(method), Some(position)) if method.is_json(position) => {
            match serde_json::from_str(word) {
                Ok(value) => Ok(value),
                // These take a hash as well as a number.
                Err(_) if ["getblockstats", "gettxoutsetinfo"].contains(&method.name) => {
                    Ok(Value::String(word.to_owned()))
                }
                Err(_) => Err(format!("Error parsing JSON: {word}")),
            }
        }
        (Some(_), _) => Ok(Value::String(word.to_owned())),
        (None, _) => Ok(guess(word)),
    }
}

/// Parameters by position. `Err` names a word that should have been JSON.
pub fn positional_params(method: &str, words: &[String]) -> Result<Value, String> {
    let known = find(method);
    words
        .iter()
        .enumerate()
        .map(|(index, word)| convert(known, Some(index), word))
        .collect()
}

/// Parameters as `name=value`; words without `=` come first, by position.
pub fn named_params(method: &str, words: &[String]) -> Result<Value, String> {
    let known = find(method);
    let mut named = Map::new();
    let mut first = Vec::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            first.push(convert(known, Some(first.len()), word)?);
            continue;
        };
        let position = known.and_then(|known| known.position(name));
        named.insert(name.to_owned(), convert(known, position, value)?);
    }
    if !first.is_empty() {
        named.insert("args".to_owned(), Value::Array(first));
    }
    Ok(Value::Object(named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_become_what_the_method_wants() {
        let params = positional_params("getnewaddress", &words(&["1"])).unwrap();
        assert_eq!(
            params,
            json!(["1"]),
            "a label is a string even if it looks like a number"
        );
        assert_eq!(
            positional_params("getblockhash", &words(&["1"])).unwrap(),
            json!([1])
        );
        assert!(positional_params("getblockhash", &words(&["x"])).is_err());
        let params = positional_params("unheardof", &words(&["1", "[2]", "x"])).unwrap();
        assert_eq!(params, json!([1, [2], "x"]));
    }

    #[test]
    fn names_and_positions_mix() {
        let given = words(&["0011", "verbosity=2"]);
        assert_eq!(
            named_params("getblock", &given).unwrap(),
            json!({"args": ["0011"], "verbosity": 2})
        );
    }
}
