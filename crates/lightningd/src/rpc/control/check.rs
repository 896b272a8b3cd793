//! `check`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::check::{Check, CheckResponse};
use serde_json::Value;

use crate::node::Node;
use crate::rpc::dispatch::{ask_serving, find};
use crate::rpc::{Context, Handle, internal};

impl Handle for Check {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let name = params.command_to_check;
        let positional = params.rest.iter().all(|(key, _)| key.is_empty());
        let rest = if positional {
            Value::Array(params.rest.into_iter().map(|(_, value)| value).collect())
        } else {
            Value::Object(params.rest.into_iter().collect())
        };
        let raw = serde_json::value::to_raw_value(&rest).map_err(internal)?;
        let Some(entry) = find(&name) else {
            let Some(serving) = node.plugins.method(&name) else {
                return Err(RpcError::unknown_command(&name));
            };
            if serving
                .plugin
                .manifest()
                .is_some_and(|manifest| manifest.cancheck)
            {
                let asked = with_command(&name, rest);
                let raw = serde_json::value::to_raw_value(&asked).map_err(internal)?;
                ask_serving(&node, &context, &serving, "check", &raw).await?;
            }
            return Ok(CheckResponse {
                command_to_check: name,
            });
        };
        let mut context = context;
        context.env.check_only = true;
        (entry.check)(node, context, raw).await?;
        Ok(CheckResponse {
            command_to_check: name,
        })
    }
}

/// The parameters of `check` itself, as a plugin gets them.
fn with_command(name: &str, rest: Value) -> Value {
    match rest {
        Value::Object(mut members) => {
            members.insert("command_to_check".to_owned(), name.into());
            Value::Object(members)
        }
        Value::Array(items) => {
            let mut all = vec![Value::from(name)];
            all.extend(items);
            Value::Array(all)
        }
        other => other,
    }
}
