//! `check`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::check::{Check, CheckResponse};
use ln_rpc::params::ParamEnv;
use serde_json::Value;

use crate::node::Node;
use crate::rpc::dispatch::find;
use crate::rpc::{Context, Handle, internal};

impl Handle for Check {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let name = params.command_to_check;
        let Some(entry) = find(&name) else {
            return if node.plugins.serving(&name).is_some() {
                Ok(CheckResponse {
                    command_to_check: name,
                })
            } else {
                Err(RpcError::unknown_command(&name))
            };
        };
        let positional = params.rest.iter().all(|(key, _)| key.is_empty());
        let rest = if positional {
            Value::Array(params.rest.into_iter().map(|(_, value)| value).collect())
        } else {
            Value::Object(params.rest.into_iter().collect())
        };
        let raw = serde_json::value::to_raw_value(&rest).map_err(internal)?;
        (entry.check)(
            &raw,
            ParamEnv {
                check_only: true,
                ..context.env
            },
        )?;
        Ok(CheckResponse {
            command_to_check: name,
        })
    }
}
