//! One text of the stream.

use std::borrow::Cow;

use ln_rpc::jsonrpc::one_line;
use ln_rpc::{RpcError, RpcErrorCode};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A message, borrowing from the text it was read from.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// Wants an answer.
    Request {
        /// The id as JSON, to be repeated in the answer.
        id: &'a RawValue,
        /// What to do.
        method: Cow<'a, str>,
        /// An array or object, if there are parameters.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// The topic, or `log`, `message`, `progress`.
        method: Cow<'a, str>,
        /// What happened.
        params: Option<&'a RawValue>,
        /// The plugin that tells of it; nothing if it is the node.
        origin: Option<Cow<'a, str>>,
    },
    /// Answers a request.
    Response {
        /// The request's id as JSON.
        id: &'a RawValue,
        /// The result, or why there is none. An answer with both or neither is an error.
        outcome: Result<&'a RawValue, RpcError>,
    },
}

/// Why a text can't be understood; after one the stream can't be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Not JSON.
    #[error("malformed JSON: {0}")]
    Json(String),
    /// No `jsonrpc` member, or not 2.0.
    #[error("a message must have \"jsonrpc\": \"2.0\"")]
    Version,
    /// Neither a method nor an id.
    #[error("a message must have a method or an id")]
    Neither,
}

/// A member that is there counts as there even if it is null.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    origin: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads one text.
    pub fn parse(text: &'a str) -> Result<Self, ProtocolError> {
        let members: Members<'a> =
            serde_json::from_str(text).map_err(|error| ProtocolError::Json(error.to_string()))?;
        if members.jsonrpc.as_deref() != Some("2.0") {
            return Err(ProtocolError::Version);
        }
        let params = members.params;
        match (members.method, members.id) {
            (Some(method), Some(id)) => Ok(Self::Request { id, method, params }),
            (Some(method), None) => Ok(Self::Notification {
                method,
                params,
                origin: members.origin,
            }),
            (None, Some(id)) => {
                let outcome = match (members.error, members.result) {
                    (Some(_), Some(result)) if result.get() != "null" => {
                        Err(bad_answer("both a result and an error"))
                    }
                    (Some(error), _) => Err(read_error(error)),
                    (None, Some(result)) => Ok(result),
                    (None, None) => Err(bad_answer("neither a result nor an error")),
                };
                Ok(Self::Response { id, outcome })
            }
            (None, None) => Err(ProtocolError::Neither),
        }
    }
}

/// Topic and parameters of a notification of the node's own, in the form in which nodes write them: `{"jsonrpc":"2.0","method":"connect","params":{..}}`.
/// The parameters are not looked at: whoever hears of everything reads only what it wants. `None` if it is anything else, or written in another
/// way; then [`Message::parse`] reads it.
pub fn glance(text: &str) -> Option<(&str, &str)> {
    let (topic, rest) = text
        .strip_prefix(r#"{"jsonrpc":"2.0","method":""#)?
        .split_once('"')?;
    let params = rest.strip_prefix(r#","params":"#)?.strip_suffix('}')?;
    // An id or an origin behind the parameters would be no object.
    (params.ends_with('}') && !topic.contains('\\')).then_some((topic, params))
}

/// What an answer that is none counts as: whoever asked must hear something.
fn bad_answer(has: &str) -> RpcError {
    RpcError::new(
        RpcErrorCode::PluginError,
        format!("the plugin's answer has {has}"),
    )
}

fn read_error(raw: &RawValue) -> RpcError {
    let value = serde_json::from_str(raw.get()).unwrap_or_default();
    RpcError::from_value(&value)
}

#[derive(Serialize)]
struct Outgoing<'a, P: ?Sized> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    method: &'a str,
    params: &'a P,
}

fn write<P: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    message: &Outgoing<'_, P>,
) -> Result<(), serde_json::Error> {
    let before = out.len();
    let written = serde_json::to_writer(&mut *out, message);
    match &written {
        Ok(()) => {
            one_line(out.get_mut(before..).unwrap_or_default());
            out.extend_from_slice(b"\n\n");
        }
        Err(_) => out.truncate(before),
    }
    written
}

/// Appends a request. Ids are strings: plugins declare that they take those.
pub fn write_request(
    out: &mut Vec<u8>,
    id: &str,
    method: &str,
    params: &(impl Serialize + ?Sized),
) -> Result<(), serde_json::Error> {
    let jsonrpc = "2.0";
    write(
        out,
        &Outgoing {
            jsonrpc,
            id: Some(id),
            method,
            params,
        },
    )
}

/// Appends a notification.
pub fn write_notification(
    out: &mut Vec<u8>,
    method: &str,
    params: &(impl Serialize + ?Sized),
) -> Result<(), serde_json::Error> {
    let jsonrpc = "2.0";
    write(
        out,
        &Outgoing {
            jsonrpc,
            id: None,
            method,
            params,
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_kinds_are_told_apart() {
        let request = r#"{"jsonrpc":"2.0","id":"cln:x#1","method":"x","params":[1]}"#;
        assert!(matches!(
            Message::parse(request).unwrap(),
            Message::Request { id, .. } if id.get() == "\"cln:x#1\""
        ));
        let notification = r#"{"jsonrpc":"2.0","method":"l\u006fg","params":{}}"#;
        assert!(matches!(
            Message::parse(notification).unwrap(),
            Message::Notification { method, .. } if method == "log"
        ));
        let null = r#"{"jsonrpc":"2.0","id":7,"result":null,"error":null}"#;
        assert!(matches!(
            Message::parse(null).unwrap(),
            Message::Response { outcome: Ok(result), .. } if result.get() == "null"
        ));
        let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":500,"message":"no"}}"#;
        assert!(matches!(
            Message::parse(error).unwrap(),
            Message::Response { outcome: Err(error), .. } if error.code.number() == 500
        ));
    }

    #[test]
    fn a_glance_shows_the_nodes_notifications_and_nothing_else() {
        let mut out = Vec::new();
        write_notification(&mut out, "connect", &json!({ "connect": { "id": 1 } })).unwrap();
        let text = String::from_utf8(out).unwrap();
        let seen = glance(text.trim_end());
        assert_eq!(seen, Some(("connect", r#"{"connect":{"id":1}}"#)));
        for other in [
            r#"{"jsonrpc":"2.0","method":"x","params":{},"id":1}"#,
            r#"{"jsonrpc":"2.0","method":"x","params":{},"origin":"y"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{}}"#,
            r#"{"jsonrpc":"2.0","method":"l\u006fg","params":{}}"#,
            r#"{"jsonrpc":"2.0","method":"x","params":[]}"#,
            r#"{"jsonrpc": "2.0", "method": "x", "params": {}}"#,
        ] {
            assert_eq!(glance(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (text, error) in [
            (r#"{"id":1,"result":{}}"#, ProtocolError::Version),
            (r#"{"jsonrpc":"2.0"}"#, ProtocolError::Neither),
        ] {
            assert_eq!(Message::parse(text).unwrap_err(), error, "{text}");
        }
        assert!(matches!(Message::parse("{"), Err(ProtocolError::Json(_))));
    }

    #[test]
    fn an_answer_that_contradicts_itself_is_an_error() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"no"}}"#,
        ] {
            let Ok(Message::Response { outcome, .. }) = Message::parse(text) else {
                panic!("{text}");
            };
            assert_eq!(outcome.unwrap_err().code, RpcErrorCode::PluginError);
        }
    }

    #[test]
    fn parameters_of_a_client_have_no_empty_line() {
        let params: &RawValue = serde_json::from_str("[\n\n\"\\n\"\n]").unwrap();
        let mut out = Vec::new();
        write_request(&mut out, "1", "x", params).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"x\",\"params\":[  \"\\n\" ]}\n\n"
        );
    }

    #[test]
    fn messages_end_in_an_empty_line() {
        let mut out = Vec::new();
        write_request(&mut out, "cln:getmanifest#1", "getmanifest", &()).unwrap();
        write_notification(&mut out, "shutdown", &[0; 0]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"jsonrpc\":\"2.0\",\"id\":\"cln:getmanifest#1\",\"method\":\"getmanifest\",\"params\":null}\n\n\
             {\"jsonrpc\":\"2.0\",\"method\":\"shutdown\",\"params\":[]}\n\n"
        );
    }
}
