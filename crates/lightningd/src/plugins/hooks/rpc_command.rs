//! `rpc_command`: what becomes of a client's request.

use std::time::Duration;

use ln_plugin::protocol::HookFilter;
use ln_rpc::RpcError;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::chain::{Next, Question, declared, result, unknown};
use crate::plugins::excerpt::excerpt;
use crate::plugins::host::PluginHost;
use crate::plugins::process::PluginProcess;

const HOOK: &str = "rpc_command";

/// Commands that must work even if a plugin does not answer: with them it is stopped.
const ALWAYS: &[&str] = &["plugin", "stop"];
/// How long those wait.
const BRIEFLY: Duration = Duration::from_secs(10);

/// What a plugin made of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Another request takes its place.
    Replace(String, Value),
    /// This is the answer.
    Return(Result<Value, RpcError>),
}

/// Whether a plugin wants to be asked about a method. Without filters it wants all.
fn wants(plugin: &PluginProcess, method: &str) -> bool {
    declared(plugin, HOOK).is_some_and(|decl| {
        let named = |filter: &HookFilter| *filter == HookFilter::Text(method.to_owned());
        decl.filters.is_empty() || decl.filters.iter().any(named)
    })
}

impl PluginHost {
    /// Asks plugins about a request. The first that changes it wins; the others hear of it as it was.
    pub(crate) async fn judge_request(
        &self,
        id: &RawValue,
        method: &str,
        params: &RawValue,
        filter: Option<&RawValue>,
    ) -> Option<Verdict> {
        if !self.has_hook(HOOK) {
            return None;
        }
        let mut chain = self.chain(HOOK);
        chain.retain(|plugin| wants(plugin, method));
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        if let (Some(filter), Some(members)) = (filter, request.as_object_mut()) {
            members.insert("filter".to_owned(), json!(filter));
        }
        let question = Question {
            hook: HOOK,
            patience: ALWAYS.contains(&method).then_some(BRIEFLY),
            payload: json!({ "rpc_command": request }),
        };
        let mut verdict = None;
        self.ask_chain(chain, question, |plugin, _, answer| {
            if let Some(changed) = read(answer)? {
                if let Verdict::Replace(method, _) = &changed
                    && !self.config.permissions.permits_method(&plugin.name, method)
                {
                    let method = excerpt(method);
                    return Err(format!("plugin-permissions do not let it call '{method}'"));
                }
                if verdict.is_none() {
                    verdict = Some(changed);
                } else {
                    let text = format!(
                        "would change the request {method}, which another plugin did already: ignored"
                    );
                    self.log().unusual(&plugin.origin, text);
                }
            }
            Ok(Next::<()>::Ask)
        })
        .await;
        verdict
    }
}

fn read(answer: &Value) -> Result<Option<Verdict>, String> {
    let said = ["result", "replace", "return"];
    if said
        .iter()
        .filter(|name| answer.get(name).is_some())
        .count()
        > 1
    {
        return Err("it says more than one of result, replace and return".to_owned());
    }
    if let Some(replace) = answer.get("replace") {
        let method = replace.get("method").and_then(Value::as_str);
        let params = replace
            .get("params")
            .filter(|params| params.is_array() || params.is_object());
        return match (method, params) {
            (Some(method), Some(params)) => {
                Ok(Some(Verdict::Replace(method.to_owned(), params.clone())))
            }
            (_, _) => Err("'replace' needs a method and params".to_owned()),
        };
    }
    if let Some(reply) = answer.get("return") {
        return match (reply.get("result"), reply.get("error")) {
            (Some(result), None) => Ok(Some(Verdict::Return(Ok(result.clone())))),
            (None, Some(error)) => Ok(Some(Verdict::Return(Err(RpcError::from_value(error))))),
            (_, _) => Err("'return' needs either a result or an error".to_owned()),
        };
    }
    match result(answer)? {
        "continue" => Ok(None),
        other => Err(unknown(other, "continue")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_on_is_replaced_or_answered() {
        assert_eq!(read(&json!({"result": "continue"})), Ok(None));
        let replace = json!({"replace": {"jsonrpc": "2.0", "id": 1, "method": "m", "params": [1]}});
        let replaced = Verdict::Replace("m".to_owned(), json!([1]));
        assert_eq!(read(&replace), Ok(Some(replaced)));
        let answered = read(&json!({"return": {"result": {"a": 1}}}));
        assert_eq!(answered, Ok(Some(Verdict::Return(Ok(json!({"a": 1}))))));
        let refused = read(&json!({"return": {"error": {"code": 5, "message": "no"}}}));
        let Ok(Some(Verdict::Return(Err(error)))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((error.code.number(), &*error.message), (5, "no"));
        for nonsense in [
            json!({}),
            json!({"result": "x"}),
            json!({"replace": {"method": "m"}}),
            json!({"return": {}}),
            json!({"return": {"result": 1, "error": {}}}),
            json!({"result": "continue", "return": {"result": 1}}),
        ] {
            assert!(read(&nonsense).is_err(), "{nonsense}");
        }
    }
}
