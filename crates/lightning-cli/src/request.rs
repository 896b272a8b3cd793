//! The request as text.

use ln_rpc::client::{Call, Client, ClientError};
use serde_json::value::RawValue;

use crate::literal::json_of;
use crate::options::{Commando, Input, Options};

/// A request that is known to be valid JSON.
#[derive(Debug)]
pub(crate) struct Request {
    method: String,
    params: Box<RawValue>,
    filter: Option<Box<RawValue>>,
    id: String,
    notifications_id: String,
}

impl Request {
    /// The request a command line stands for; the error says what is wrong with it. `process_id` makes the id, which shows up in the
    /// node's log.
    pub(crate) fn new(method: &str, options: &Options, process_id: u32) -> Result<Self, String> {
        let params = parsed(&params_text(options)?, "the parameters")?;
        let filter = options
            .filter
            .as_deref()
            .map(|filter| parsed(filter, "the filter"))
            .transpose()?;
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        let shown = if method.bytes().all(plain) {
            method
        } else {
            "weirdmethod!"
        };
        let request = Self {
            method: method.to_owned(),
            params,
            filter,
            id: format!("cli:{shown}#{process_id}"),
            notifications_id: format!("cli:notifications#{process_id}"),
        };
        match &options.commando {
            Some(commando) => request.wrapped(commando),
            None => Ok(request),
        }
    }

    /// The same request, to be run by a peer.
    fn wrapped(self, commando: &Commando) -> Result<Self, String> {
        let mut text = format!(
            "{{\"peer_id\":{},\"method\":{}",
            serde_json::Value::from(commando.peer_id.as_str()),
            serde_json::Value::from(self.method.as_str()),
        );
        if let Some(filter) = &self.filter {
            text = format!("{text},\"filter\":{filter}");
        }
        if let Some(rune) = &commando.rune {
            text = format!("{text},\"rune\":{}", serde_json::Value::from(rune.as_str()));
        }
        text = format!("{text},\"params\":{}}}", self.params);
        Ok(Self {
            method: "commando".to_owned(),
            params: parsed(&text, "the parameters")?,
            filter: None,
            ..self
        })
    }

    /// What to send.
    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            method: &self.method,
            params: &self.params,
            filter: self.filter.as_deref(),
            id: &self.id,
        }
    }

    /// Asks the node to tell what it does meanwhile. A node that refuses is as good as one that has nothing to tell.
    pub(crate) fn enable_notifications(&self, client: &mut Client) -> Result<(), ClientError> {
        let params = RawValue::from_string("{\"enable\":true}".to_owned())
            .map_err(|error| ClientError::NotAnAnswer(error.to_string()))?;
        let call = Call {
            method: "notifications",
            params: &params,
            filter: None,
            id: &self.notifications_id,
        };
        client.call_raw(call, |_| {}).map(|_| ())
    }
}

fn parsed(text: &str, what: &str) -> Result<Box<RawValue>, String> {
    RawValue::from_string(text.to_owned()).map_err(|error| {
        format!(
            "{what} can't be sent, as they are not JSON ({error}): {text}\n(a text that begins like JSON needs quotes of its own: '\"[text]\"')"
        )
    })
}

/// The parameters as a JSON array, or as an object if they are given by name.
fn params_text(options: &Options) -> Result<String, String> {
    let words = &options.params;
    let input = options.input.unwrap_or_else(|| {
        if words.first().is_some_and(|word| word.contains('=')) {
            Input::Keywords
        } else {
            Input::Ordered
        }
    });
    if input == Input::Ordered {
        let items: Vec<String> = words.iter().map(|word| json_of(word)).collect();
        return Ok(format!("[{}]", items.join(",")));
    }
    let members = words
        .iter()
        .map(|word| {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("expected key=value in '{word}'"))?;
            Ok(format!(
                "{}:{}",
                serde_json::Value::from(name),
                json_of(value)
            ))
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(format!("{{{}}}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Parsed, parse};

    fn request(line: &[&str]) -> Result<Request, String> {
        let Parsed::Run(options) = parse(lexopt::Parser::from_args(line)).unwrap() else {
            panic!("a command");
        };
        Request::new(options.method.as_deref().unwrap(), &options, 7)
    }

    #[test]
    fn parameters_go_by_name_if_the_first_has_an_equals_sign() {
        assert_eq!(
            request(&["m", "a=1", "b=x=y"]).unwrap().params.get(),
            r#"{"a":1,"b":"x=y"}"#
        );
        assert_eq!(
            request(&["m", "1", "b=2"]).unwrap().params.get(),
            r#"[1,"b=2"]"#
        );
        assert_eq!(
            request(&["m", "-o", "b=2"]).unwrap().params.get(),
            r#"["b=2"]"#
        );
        assert_eq!(request(&["m", "-k"]).unwrap().params.get(), "{}");
        assert!(
            request(&["m", "-k", "a"])
                .unwrap_err()
                .contains("key=value")
        );
    }

    #[test]
    fn what_is_not_json_is_refused_before_it_is_sent() {
        for line in [
            &["m", "[1,"][..],
            &["m", "[1}]"],
            &["m", "{a}"],
            &["m", "-l", "{"],
        ] {
            let result = request(line);
            if line.last() == Some(&"[1,") {
                assert_eq!(result.unwrap().params.get(), r#"["[1,"]"#);
            } else {
                assert!(result.unwrap_err().contains("JSON"));
            }
        }
    }

    #[test]
    fn commando_wraps_the_call() {
        let id = "02".repeat(33);
        let wrapped = request(&[
            "getinfo",
            "-c",
            &format!("{id}:r"),
            "-l",
            "{\"id\":true}",
            "x",
        ])
        .unwrap();
        assert_eq!(wrapped.method, "commando");
        assert_eq!(wrapped.id, "cli:getinfo#7");
        assert!(wrapped.filter.is_none());
        assert_eq!(
            wrapped.params.get(),
            format!(
                r#"{{"peer_id":"{id}","method":"getinfo","filter":{{"id":true}},"rune":"r","params":["x"]}}"#
            )
        );
    }

    #[test]
    fn an_odd_method_is_not_put_into_the_id() {
        assert_eq!(request(&["x\"y"]).unwrap().id, "cli:weirdmethod!#7");
    }
}
