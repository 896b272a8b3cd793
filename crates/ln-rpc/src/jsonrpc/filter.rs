//! Cutting a result down to what the client asked for.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::RpcError;
use crate::params::{ParamEnv, Token};

/// Where the warning about a filter that does not fit the result is put.
const WARNING: &str = "warning_parameter_filter";

/// The `filter` of a request: the shape of the wanted result, `true` for each wanted member.
///
/// `{"peers": [{"id": true}]}` keeps of each peer its id. An object without members keeps everything below it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultFilter(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    All,
    Array(Box<Node>),
    Object(Vec<(String, Node)>),
}

impl ResultFilter {
    /// Reads the `filter` member.
    pub fn parse(raw: &RawValue, env: ParamEnv) -> Result<Self, RpcError> {
        let token = Token::new(raw);
        if !raw.get().starts_with('{') {
            return Err(env.bad_token("filter", token, "Expected object"));
        }
        parse_node(token, env).map(Self)
    }

    /// The members of `result` that the filter names. Where it takes an array for an object or the other way round, that part is
    /// left out and a `warning_parameter_filter` says so.
    pub fn apply(&self, result: Value) -> Value {
        let mut misuse = None;
        let mut kept = keep(&self.0, result, &mut String::new(), &mut misuse);
        if let (Some(warning), Some(Value::Object(members))) = (misuse, kept.as_mut()) {
            members.insert(WARNING.to_owned(), Value::String(warning));
        }
        kept.unwrap_or_else(|| Value::Object(Map::new()))
    }
}

fn parse_node(token: Token<'_>, env: ParamEnv) -> Result<Node, RpcError> {
    if let Some(items) = token.array() {
        let [item] = items.as_slice() else {
            return Err(env.bad_token("filter", token, "Arrays can only have one element"));
        };
        return Ok(Node::Array(Box::new(parse_node(*item, env)?)));
    }
    if let Some(members) = token.members() {
        if members.is_empty() {
            return Ok(Node::All);
        }
        let members = members
            .into_iter()
            .map(|(name, value)| Ok((name, parse_node(value, env)?)))
            .collect::<Result<_, RpcError>>()?;
        return Ok(Node::Object(members));
    }
    if token.raw() == "true" {
        Ok(Node::All)
    } else {
        Err(env.bad_token("filter", token, "value must be true"))
    }
}

/// What the filter keeps of a value, or `None` if it takes the value for something else.
fn keep(
    node: &Node,
    value: Value,
    path: &mut String,
    misuse: &mut Option<String>,
) -> Option<Value> {
    match (node, value) {
        (Node::Object(wanted), Value::Object(mut members)) => {
            let mut kept = Map::new();
            // The result's own order, as without a filter.
            for (name, value) in std::mem::take(&mut members) {
                let Some((_, below)) = wanted.iter().find(|(want, _)| *want == name) else {
                    continue;
                };
                let length = path.len();
                path.push('.');
                path.push_str(&name);
                if let Some(value) = keep(below, value, path, misuse) {
                    kept.insert(name, value);
                }
                path.truncate(length);
            }
            Some(Value::Object(kept))
        }
        (Node::Array(below), Value::Array(items)) => {
            let length = path.len();
            path.push_str("[]");
            let kept = items
                .into_iter()
                .filter_map(|item| keep(below, item, path, misuse))
                .collect();
            path.truncate(length);
            Some(Value::Array(kept))
        }
        (Node::Array(_), Value::Object(_)) => {
            misuse.get_or_insert_with(|| format!("{path} is an object"));
            None
        }
        (Node::Object(_), Value::Array(_)) => {
            misuse.get_or_insert_with(|| format!("{path} is an array"));
            None
        }
        // A plain value is kept however deep the filter goes.
        (_, value) => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(filter: &str, result: Value) -> Value {
        let raw: Box<RawValue> = serde_json::from_str(filter).unwrap();
        ResultFilter::parse(&raw, ParamEnv::default())
            .unwrap()
            .apply(result)
    }

    fn peers() -> Value {
        json!({"peers": [{"id": "a", "log": [{"x": 1}]}, {"id": "b"}], "n": 2})
    }

    #[test]
    fn members_that_are_not_named_go() {
        assert_eq!(
            apply(r#"{"peers":[{"id":true}]}"#, peers()),
            json!({"peers": [{"id": "a"}, {"id": "b"}]})
        );
        assert_eq!(apply(r#"{"n":true,"zzz":true}"#, peers()), json!({"n": 2}));
        assert_eq!(apply("{}", peers()), peers());
        assert_eq!(
            apply(r#"{"peers":[{"log":{}}]}"#, peers()),
            json!({"peers": [{"log": [{"x": 1}]}, {}]})
        );
    }

    #[test]
    fn a_filter_that_does_not_fit_is_told() {
        let warned = apply(r#"{"peers":{"id":true},"n":true}"#, peers());
        assert_eq!(
            warned,
            json!({"n": 2, "warning_parameter_filter": ".peers is an array"})
        );
        let warned = apply(r#"{"peers":[[true]]}"#, peers());
        assert_eq!(
            warned,
            json!({"peers": [], "warning_parameter_filter": ".peers[] is an object"})
        );
    }

    #[test]
    fn malformed_filters_are_refused() {
        for filter in [
            "[]",
            "true",
            r#"{"a":false}"#,
            r#"{"a":1}"#,
            r#"{"a":[]}"#,
            r#"{"a":[true,true]}"#,
        ] {
            let raw: Box<RawValue> = serde_json::from_str(filter).unwrap();
            assert!(
                ResultFilter::parse(&raw, ParamEnv::default()).is_err(),
                "{filter}"
            );
        }
    }
}
