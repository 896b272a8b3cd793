//! `plugin`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::plugins::plugin::{Plugin, PluginEntry, PluginResponse, PluginSubcommand};
use serde_json::Value;

use super::trace::trace;
use super::verbose::{entry, take_verbose};
use crate::node::Node;
use crate::plugins::{GivenOption, Reload};
use crate::rpc::{Context, Handle};

impl Handle for Plugin {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut rest = params.rest;
        let settings = &node.settings();
        match params.subcommand {
            PluginSubcommand::List => {
                let verbose = take_verbose(&mut rest)?;
                nothing_else(&rest)?;
                return Ok(list(&node, params.subcommand, verbose));
            }
            PluginSubcommand::Trace => {
                let name = take(&mut rest, "plugin")?;
                return trace(&node, &context, &name, rest).await;
            }
            PluginSubcommand::Rescan => {
                nothing_else(&rest)?;
                node.plugins.rescan(settings).await?;
            }
            PluginSubcommand::Stop => {
                let name = take(&mut rest, "plugin")?;
                nothing_else(&rest)?;
                node.plugins.stop_one(&name).await?;
                return Ok(PluginResponse {
                    command: params.subcommand,
                    plugins: None,
                    result: Some(format!("Successfully stopped {name}.")),
                });
            }
            PluginSubcommand::Start => {
                let name = take(&mut rest, "plugin")?;
                let given = options(rest)?;
                node.plugins.start_one(&name, given, settings).await?;
            }
            PluginSubcommand::Reload => {
                let name = take(&mut rest, "plugin")?;
                let how = Reload {
                    stop_first: take_flag(&mut rest, "stop_first")?,
                    ..Reload::default()
                };
                nothing_else(&rest)?;
                node.plugins.reload_one(&name, how, settings).await?;
            }
            PluginSubcommand::Startdir => {
                let dir = take(&mut rest, "directory")?;
                nothing_else(&rest)?;
                node.plugins.start_dir(&dir, settings).await?;
            }
        }
        Ok(list(&node, params.subcommand, false))
    }
}

fn nothing_else(rest: &[(String, Value)]) -> Result<(), RpcError> {
    let Some((name, value)) = rest.first() else {
        return Ok(());
    };
    let what = if name.is_empty() {
        value.to_string()
    } else {
        name.clone()
    };
    Err(RpcError::invalid_params(format!(
        "unknown parameter: {what}"
    )))
}

/// Takes the parameter after the subcommand away.
fn take(rest: &mut Vec<(String, Value)>, wanted: &str) -> Result<String, RpcError> {
    let found = rest
        .iter()
        .position(|(name, value)| (name.is_empty() || name == wanted) && value.is_string());
    match found.map(|index| rest.remove(index).1) {
        Some(Value::String(text)) => Ok(text),
        Some(_) | None => Err(RpcError::invalid_params(format!(
            "missing required parameter: {wanted}"
        ))),
    }
}

/// Takes a truth value away; false if there is none.
fn take_flag(rest: &mut Vec<(String, Value)>, wanted: &str) -> Result<bool, RpcError> {
    let found = rest
        .iter()
        .position(|(name, _)| name.is_empty() || name == wanted);
    match found.map(|index| rest.remove(index).1) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(Value::String(text)) if text == "true" => Ok(true),
        Some(Value::String(text)) if text == "false" => Ok(false),
        Some(other) => Err(RpcError::invalid_params(format!(
            "{wanted}: should be true or false: invalid token '{other}'"
        ))),
    }
}

/// The options for a plugin to start: by name, or `name=value` in a list.
fn options(rest: Vec<(String, Value)>) -> Result<Vec<GivenOption>, RpcError> {
    let mut given = Vec::new();
    for (name, value) in rest {
        let list = name == "options" && value.is_array();
        match value {
            Value::Array(items) if list || name.is_empty() => {
                for item in items {
                    given.push(word(&item)?);
                }
            }
            value if name.is_empty() => given.push(word(&value)?),
            Value::Array(items) => {
                given.extend(items.iter().map(|item| (name.clone(), Some(text(item)))));
            }
            Value::Null => given.push((name, None)),
            value => given.push((name, Some(text(&value)))),
        }
    }
    Ok(given)
}

fn word(value: &Value) -> Result<GivenOption, RpcError> {
    let word = value
        .as_str()
        .ok_or_else(|| RpcError::invalid_params(format!("options are name=value, not {value}")))?;
    Ok(match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    })
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn list(node: &Node, command: PluginSubcommand, verbose: bool) -> PluginResponse {
    // Those that ended by themselves and are to be started again are plugins, too.
    let absent = node.plugins.absent().into_iter();
    let absent =
        absent.map(|absent| PluginEntry::plain(absent.path.to_string(), false, absent.dynamic));
    let plugins = node.plugins.all().into_iter().map(|plugin| {
        let path = plugin.path.to_string();
        let plain = PluginEntry::plain(path, plugin.is_running(), plugin.is_dynamic());
        if verbose {
            entry(node, &plugin, plain)
        } else {
            plain
        }
    });
    PluginResponse {
        command,
        plugins: Some(plugins.chain(absent).collect()),
        result: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_come_by_name_or_as_words() {
        let read = |rest: &[(&str, Value)]| {
            let rest = rest
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            options(rest.collect()).unwrap()
        };
        let is = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(read(&[("greeting", json!("hi"))]), [is("greeting", "hi")]);
        assert_eq!(read(&[("n", json!([1, 2]))]), [is("n", "1"), is("n", "2")]);
        assert_eq!(read(&[("", json!("a=b=c"))]), [is("a", "b=c")]);
        assert_eq!(
            read(&[("options", json!(["a=1", "quiet"]))]),
            [is("a", "1"), ("quiet".to_owned(), None)]
        );
        assert!(options(vec![(String::new(), json!(7))]).is_err());
    }
}
