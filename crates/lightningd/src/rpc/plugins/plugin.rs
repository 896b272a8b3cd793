//! `plugin`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::plugins::plugin::{Plugin, PluginEntry, PluginResponse, PluginSubcommand};
use serde_json::Value;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Plugin {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        match params.subcommand {
            PluginSubcommand::List | PluginSubcommand::Rescan => {
                if let Some((name, value)) = params.rest.first() {
                    return Err(unexpected(name, value));
                }
                Ok(list(&node, params.subcommand))
            }
            PluginSubcommand::Stop => Err(stop(&node, name(&params.rest, "plugin")?)),
            PluginSubcommand::Start => Err(unsupported("start", name(&params.rest, "plugin")?)),
            PluginSubcommand::Startdir => {
                Err(unsupported("startdir", name(&params.rest, "directory")?))
            }
        }
    }
}

fn unexpected(name: &str, value: &Value) -> RpcError {
    let what = if name.is_empty() {
        value.to_string()
    } else {
        name.to_owned()
    };
    RpcError::invalid_params(format!("unknown parameter: {what}"))
}

/// The parameter after the subcommand.
fn name<'a>(rest: &'a [(String, Value)], wanted: &str) -> Result<&'a str, RpcError> {
    rest.iter()
        .find(|(name, _)| name.is_empty() || name == wanted)
        .and_then(|(_, value)| value.as_str())
        .ok_or_else(|| RpcError::invalid_params(format!("missing required parameter: {wanted}")))
}

fn list(node: &Node, command: PluginSubcommand) -> PluginResponse {
    let names = node.plugins.names().into_iter();
    let plugins = names.map(|name| PluginEntry {
        name,
        active: true,
        dynamic: false,
    });
    PluginResponse {
        command,
        plugins: Some(plugins.collect()),
        result: None,
    }
}

/// Built-in plugins can't be stopped, and others there are none.
fn stop(node: &Node, name: &str) -> RpcError {
    let known = node.plugins.names().iter().any(|known| known == name);
    RpcError::invalid_params(if known {
        format!("{name} cannot be managed when lightningd is up")
    } else {
        format!("Could not find plugin {name}")
    })
}

fn unsupported(command: &str, what: &str) -> RpcError {
    RpcError::lightningd(format!(
        "{what}: this version runs its built-in plugins only, 'plugin {command}' is not supported yet"
    ))
}
