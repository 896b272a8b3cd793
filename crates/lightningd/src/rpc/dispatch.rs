//! From a request's name to its handler and back to the reply.

use std::pin::Pin;
use std::rc::Rc;

use ln_rpc::jsonrpc::{ResultFilter, write_error, write_filtered, write_raw_result, write_result};
use ln_rpc::methods::{Method, MethodInfo};
use ln_rpc::params::{ParamEnv, RpcParams};
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::value::RawValue;

use super::context::Context;
use super::handlers::HANDLERS;
use crate::node::Node;
use crate::plugins::PluginMethod;

//~ Parameters are read into the method's own type before its handler sees them: a handler never looks at JSON, and what does not fit is refused the
//~ same way everywhere. The last station shows how all of it is tried: `ln-channel/tests/schedules.rs`.
/// A method and what it does.
pub(crate) trait Handle: Method {
    /// Does it.
    fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> impl Future<Output = Result<Self::Response, RpcError>>;
}

type Running = Pin<Box<dyn Future<Output = Option<Vec<u8>>>>>;

/// A handler without its types.
pub(super) struct Entry {
    /// The method.
    pub(super) info: MethodInfo,
    /// Reads parameters only.
    pub(super) check: fn(&RawValue, ParamEnv) -> Result<(), RpcError>,
    run: fn(Rc<Node>, Context, Box<RawValue>, Option<ResultFilter>) -> Running,
}

impl Entry {
    /// The entry of a method.
    pub(super) const fn of<M: Handle + 'static>() -> Self {
        Self {
            info: M::INFO,
            check: |raw, env| M::Params::parse(raw, env).map(drop),
            run: |node, context, raw, filter| Box::pin(run::<M>(node, context, raw, filter)),
        }
    }
}

async fn run<M: Handle>(
    node: Rc<Node>,
    context: Context,
    raw: Box<RawValue>,
    filter: Option<ResultFilter>,
) -> Option<Vec<u8>> {
    let result = match M::Params::parse(&raw, context.env) {
        Ok(params) => M::handle(Rc::clone(&node), context.clone(), params).await,
        Err(error) => Err(error),
    };
    let mut out = Vec::new();
    match (result, filter) {
        (Ok(response), None) => write_result(&mut out, &context.id, &response),
        (Ok(response), Some(filter)) => match serde_json::to_value(&response) {
            Ok(value) => write_filtered(&mut out, &context.id, value, &filter),
            Err(error) => write_error(&mut out, Some(context.id.get()), &super::internal(error)),
        },
        (Err(error), _) => refuse(&node, &context, &error, &mut out),
    }
    Some(out)
}

fn refuse(node: &Node, context: &Context, error: &RpcError, out: &mut Vec<u8>) {
    if let Some(line) = &error.log {
        node.log.info(&node.origin, line);
    }
    write_error(out, Some(context.id.get()), error);
}

/// The handler of a method.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    HANDLERS.iter().find(|entry| entry.info.name == name)
}

/// Whether the node itself has a method with this name.
pub(crate) fn is_builtin(name: &str) -> bool {
    find(name).is_some()
}

/// Works on a request and returns the reply.
pub(super) async fn dispatch(
    node: Rc<Node>,
    context: Context,
    method: String,
    params: Box<RawValue>,
    filter: Option<Box<RawValue>>,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let filter = match filter
        .map(|filter| ResultFilter::parse(&filter, context.env))
        .transpose()
    {
        Ok(filter) => filter,
        Err(error) => {
            refuse(&node, &context, &error, &mut out);
            return Some(out);
        }
    };
    // A plugin that is told to end may not begin anything new.
    if node.plugins.is_closing() {
        let text = "lightningd is shutting down".to_owned();
        let error = RpcError::new(RpcErrorCode::LightningdShutdown, text);
        refuse(&node, &context, &error, &mut out);
        return Some(out);
    }
    let known = find(&method);
    if let Some(error) = known.and_then(|entry| refused(&node, &context, &entry.info)) {
        refuse(&node, &context, &error, &mut out);
        return Some(out);
    }
    match known {
        Some(entry) => (entry.run)(node, context, params, filter).await,
        None => {
            let answer = match node.plugins.method(&method) {
                Some(serving) => ask_plugin(&node, &context, &serving, &method, &params).await,
                None => Err(RpcError::unknown_command(&method)),
            };
            match (answer, filter) {
                (Ok(result), None) => write_raw_result(&mut out, &context.id, &result),
                (Ok(result), Some(filter)) => {
                    let value = serde_json::from_str(result.get()).unwrap_or_default();
                    write_filtered(&mut out, &context.id, value, &filter);
                }
                (Err(error), _) => refuse(&node, &context, &error, &mut out),
            }
            Some(out)
        }
    }
}

/// Why a method is not to be had on this node or connection.
fn refused(node: &Node, context: &Context, info: &MethodInfo) -> Option<RpcError> {
    if info.developer && !node.config.developer {
        let text = format!(
            "Command '{}' is developer-only: start lightningd with --developer",
            info.name
        );
        return Some(RpcError::new(RpcErrorCode::MethodNotFound, text));
    }
    if info.deprecated.is_some() && !context.env.deprecated_ok {
        let text = format!("Command '{}' is deprecated", info.name);
        return Some(RpcError::new(RpcErrorCode::MethodNotFound, text));
    }
    None
}

/// Passes a request on to the plugin that serves it.
pub(super) async fn ask_plugin(
    node: &Node,
    context: &Context,
    serving: &PluginMethod,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, RpcError> {
    let deprecated_ok = context.env.deprecated_ok;
    if serving.deprecated && !deprecated_ok {
        let text = format!("Command '{method}' is deprecated");
        return Err(RpcError::new(RpcErrorCode::MethodNotFound, text));
    }
    if deprecated_ok != node.config.allow_deprecated {
        let fields = serde_json::json!({ "deprecated_ok": deprecated_ok });
        let topic = "deprecated_oneshot";
        node.plugins.notify_one(&serving.plugin, topic, &fields);
    }
    Ok(serving.plugin.forward(context, method, params).await?)
}
