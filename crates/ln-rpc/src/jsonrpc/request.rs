//! Reading one request.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::RpcError;

/// A request, borrowing from the text it was read from.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The id exactly as the client wrote it; the reply repeats it.
    pub id: &'a RawValue,
    /// The method's name.
    pub method: String,
    /// An array or an object; [`crate::params::Params`] reads it.
    pub params: &'a RawValue,
    /// Whether it has no member `jsonrpc`, as clients of 2019 wrote it.
    pub is_old: bool,
    /// The shape to which the result is cut, if the client gave one.
    pub filter: Option<&'a RawValue>,
}

/// Why a text is no request, and what to answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Malformed {
    /// The id as the client wrote it, where one could be read.
    pub id: Option<String>,
    /// What to answer.
    pub error: RpcError,
    /// Whether the stream can't be trusted any more: answer, then stop reading from it.
    pub fatal: bool,
}

impl Malformed {
    fn fatal(message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            id: None,
            error: RpcError::invalid_request(message),
            fatal: true,
        }
    }

    fn anonymous(message: &'static str) -> Self {
        Self {
            fatal: false,
            ..Self::fatal(message)
        }
    }
}

impl From<super::SplitError> for Malformed {
    fn from(error: super::SplitError) -> Self {
        Self::fatal(error.to_string())
    }
}

/// The members of a request before their types are checked.
#[derive(Default)]
struct Members<'a> {
    jsonrpc: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    filter: Option<&'a RawValue>,
}

struct MembersVisitor;

impl<'a> Visitor<'a> for MembersVisitor {
    type Value = Members<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Members<'a>, M::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<String>()? {
            let slot = match key.as_str() {
                "jsonrpc" => &mut members.jsonrpc,
                "id" => &mut members.id,
                "method" => &mut members.method,
                "params" => &mut members.params,
                "filter" => &mut members.filter,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(M::Error::custom(format_args!("member '{key}' given twice")));
            }
        }
        Ok(members)
    }
}

/// The first byte of a JSON value tells its type.
fn first_byte(value: &RawValue) -> u8 {
    value.get().bytes().next().unwrap_or(b'n')
}

impl<'a> Request<'a> {
    /// Reads one text.
    ///
    /// A request needs `jsonrpc` = "2.0", an `id` that is a string, number, boolean or null, a `method` and `params`. Whoever reads one that
    /// [is old](Self::is_old) decides whether to work on it: [`Self::too_old`] is the refusal.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut parser = serde_json::Deserializer::from_str(text);
        if !text.trim_start().starts_with('{') {
            return Err(Malformed::anonymous("Expected {} for json command"));
        }
        let members = parser
            .deserialize_map(MembersVisitor)
            .and_then(|members| parser.end().map(|()| members))
            .map_err(|error| Malformed::fatal(format!("malformed JSON: {error}")))?;
        let id = members.id.ok_or_else(|| Malformed::anonymous("No id"))?;
        if matches!(first_byte(id), b'{' | b'[') {
            return Err(Malformed::anonymous("Expected string/primitive for id"));
        }
        let is_old = members.jsonrpc.is_none();
        if !is_old && members.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
            return Err(Self::too_old());
        }
        let refuse = |message: &'static str| Malformed {
            id: Some(id.get().to_owned()),
            error: RpcError::invalid_request(message),
            fatal: false,
        };
        let method = members.method.ok_or_else(|| refuse("No method"))?;
        let params = members.params.ok_or_else(|| refuse("No params"))?;
        let method =
            serde_json::from_str(method.get()).map_err(|_| refuse("Expected string for method"))?;
        Ok(Self {
            id,
            method,
            params,
            is_old,
            filter: members.filter,
        })
    }

    /// Why a request without `jsonrpc` is refused.
    pub fn too_old() -> Malformed {
        Malformed::anonymous("jsonrpc: \"2.0\" must be specified in the request")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_id_to_the_letter() {
        let text = r#"{"jsonrpc":"2.0", "id": "\u0041/1", "method":"getinfo","params":{},"filter":{"id":true},"extra":[1]}"#;
        let request = Request::parse(text).unwrap();
        assert_eq!(request.id.get(), r#""\u0041/1""#);
        assert_eq!(request.method, "getinfo");
        assert_eq!(request.params.get(), "{}");
        assert!(request.filter.is_some());
    }

    #[test]
    fn what_was_written_in_2019_is_told_apart() {
        let is_old = |text| Request::parse(text).unwrap().is_old;
        assert!(is_old(r#"{"id":1,"method":"a","params":[]}"#));
        assert!(!is_old(
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#
        ));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, message, id) in [
            ("[]", "Expected {} for json command", None),
            (r#"{"jsonrpc":"2.0"}"#, "No id", None),
            (
                r#"{"jsonrpc":"2.0","id":{}}"#,
                "Expected string/primitive for id",
                None,
            ),
            (
                r#"{"jsonrpc":2,"id":1,"method":"a","params":[]}"#,
                "jsonrpc: \"2.0\" must be specified in the request",
                None,
            ),
            (r#"{"jsonrpc":"2.0","id":1}"#, "No method", Some("1")),
            (
                r#"{"jsonrpc":"2.0","id":"x","method":"a"}"#,
                "No params",
                Some("\"x\""),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":3,"params":[]}"#,
                "Expected string for method",
                Some("1"),
            ),
        ] {
            let malformed = Request::parse(text).unwrap_err();
            assert_eq!(malformed.error.message, message, "{text}");
            assert_eq!(malformed.id.as_deref(), id, "{text}");
            assert!(!malformed.fatal);
            assert_eq!(malformed.error.code.number(), -32600);
        }
    }

    #[test]
    fn broken_json_and_members_given_twice_end_the_connection() {
        for text in [
            "{\"id\":}",
            "{]",
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[}}"#,
        ] {
            assert!(Request::parse(text).unwrap_err().fatal, "{text}");
        }
    }
}
