//! Writing replies. Each ends in two newlines, so that a client can find the end of it without parsing.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ResultFilter;
use crate::RpcError;

/// Makes JSON text that others wrote one line: readers take an empty line for the end of a message. Inside of strings there are no line
/// breaks, so each one is a space between two words.
pub fn one_line(json: &mut [u8]) {
    for byte in json.iter_mut().filter(|byte| **byte == b'\n') {
        *byte = b' ';
    }
}

/// Appends `{"jsonrpc":"2.0","id":ID,"MEMBER":VALUE}` and two newlines. Leaves `out` as it was if the value can't be written.
fn write_reply(
    out: &mut Vec<u8>,
    id: &str,
    member: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<(), serde_json::Error> {
    let before = out.len();
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(b"\":");
    let written = serde_json::to_writer(&mut *out, value);
    if written.is_err() {
        out.truncate(before);
    } else {
        one_line(out.get_mut(before..).unwrap_or_default());
        out.extend_from_slice(b"}\n\n");
    }
    written
}

/// Appends a reply with a result. A result that can't be written as JSON (our bug) becomes an error reply.
pub fn write_result(out: &mut Vec<u8>, id: &RawValue, result: &(impl Serialize + ?Sized)) {
    if let Err(error) = write_reply(out, id.get(), "result", result) {
        let error = RpcError::lightningd(format!("the result can't be written: {error}"));
        write_error(out, Some(id.get()), &error);
    }
}

/// Appends a reply whose result is JSON already, as a plugin sent it.
pub fn write_raw_result(out: &mut Vec<u8>, id: &RawValue, result: &RawValue) {
    write_result(out, id, result);
}

/// Appends a reply whose result is cut to the filter the client gave.
pub fn write_filtered(out: &mut Vec<u8>, id: &RawValue, result: Value, filter: &ResultFilter) {
    write_result(out, id, &filter.apply(result));
}

/// Appends a reply with an error; `id` is JSON as the client wrote it, `null` where none could be read.
pub fn write_error(out: &mut Vec<u8>, id: Option<&str>, error: &RpcError) {
    let written = write_reply(out, id.unwrap_or("null"), "error", error);
    debug_assert!(written.is_ok(), "an error is always JSON");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_end_in_two_newlines_and_echo_the_id() {
        let id: &RawValue = serde_json::from_str("\"a\\u0062\"").unwrap();
        let mut out = Vec::new();
        write_result(&mut out, id, &serde_json::json!({"x": 1}));
        write_error(&mut out, None, &RpcError::invalid_request("No id"));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"result\":{\"x\":1}}\n\n\
             {\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"No id\"}}\n\n"
        );
    }

    #[test]
    fn a_plugins_result_has_no_empty_line_in_the_reply() {
        let id: &RawValue = serde_json::from_str("1").unwrap();
        let result: &RawValue = serde_json::from_str("{\n\n\"x\":\n \"\\n\"\n}").unwrap();
        let mut out = Vec::new();
        write_raw_result(&mut out, id, result);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{  \"x\":  \"\\n\" }}\n\n"
        );
    }

    #[test]
    fn a_result_that_is_no_json_becomes_an_error() {
        let id: &RawValue = serde_json::from_str("1").unwrap();
        let mut out = b"before".to_vec();
        let bad = std::collections::BTreeMap::from([((1, 2), 3)]);
        write_result(&mut out, id, &bad);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("before{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,"));
    }
}
