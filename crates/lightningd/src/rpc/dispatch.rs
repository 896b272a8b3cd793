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
use crate::plugins::PluginError;

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
    let known = find(&method);
    if let Some(error) = known.and_then(|entry| refused(&node, &context, &entry.info)) {
        refuse(&node, &context, &error, &mut out);
        return Some(out);
    }
    match known {
        Some(entry) => (entry.run)(node, context, params, filter).await,
        None if node.plugins.serving(&method).is_some() => {
            match ask_plugin(&node, &method, &params).await {
                Ok(result) => write_raw_result(&mut out, &context.id, &result),
                Err(error) => refuse(&node, &context, &error, &mut out),
            }
            Some(out)
        }
        None => {
            refuse(
                &node,
                &context,
                &RpcError::unknown_command(&method),
                &mut out,
            );
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

async fn ask_plugin(
    node: &Rc<Node>,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, RpcError> {
    let params = serde_json::from_str(params.get()).map_err(super::internal)?;
    let plugin = node
        .plugins
        .serving(method)
        .ok_or_else(|| RpcError::unknown_command(method))?;
    match plugin.call(method, params).await {
        Ok(value) => serde_json::value::to_raw_value(&value).map_err(super::internal),
        Err(PluginError::Answered(error)) => Err(error),
        Err(error @ PluginError::Terminated(_)) => Err(RpcError::new(
            RpcErrorCode::PluginTerminated,
            error.to_string(),
        )),
        Err(error @ PluginError::Malformed { .. }) => {
            Err(RpcError::new(RpcErrorCode::PluginError, error.to_string()))
        }
    }
}
