//! From a request's name to its handler and back to the reply.

use std::pin::Pin;
use std::rc::Rc;

use ln_rpc::jsonrpc::{ResultFilter, write_error, write_filtered, write_raw_result, write_result};
use ln_rpc::methods::{Method, MethodInfo};
use ln_rpc::params::RpcParams;
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::context::Context;
use super::handlers::HANDLERS;
use crate::node::Node;
use crate::old_forms;
use crate::plugins::{PluginMethod, RequestVerdict};

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

    /// Looks whether it could be done, beyond what reading the parameters shows. Changes nothing.
    fn check(
        _node: Rc<Node>,
        _context: Context,
        _params: Self::Params,
    ) -> impl Future<Output = Result<(), RpcError>> {
        std::future::ready(Ok(()))
    }
}

type Running = Pin<Box<dyn Future<Output = Option<Vec<u8>>>>>;

type Checking = Pin<Box<dyn Future<Output = Result<(), RpcError>>>>;

/// A handler without its types.
pub(super) struct Entry {
    /// The method.
    pub(super) info: MethodInfo,
    /// Looks whether it could be done.
    pub(super) check: fn(Rc<Node>, Context, Box<RawValue>) -> Checking,
    run: fn(Rc<Node>, Context, Box<RawValue>, Option<ResultFilter>) -> Running,
}

impl Entry {
    /// The entry of a method.
    pub(super) const fn of<M: Handle + 'static>() -> Self {
        Self {
            info: M::INFO,
            check: |node, context, raw| Box::pin(check::<M>(node, context, raw)),
            run: |node, context, raw, filter| Box::pin(run::<M>(node, context, raw, filter)),
        }
    }
}

async fn check<M: Handle>(
    node: Rc<Node>,
    context: Context,
    raw: Box<RawValue>,
) -> Result<(), RpcError> {
    let params = M::Params::parse(&raw, context.env)?;
    M::check(node, context, params).await
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
        (Ok(response), None) if context.is_old => match serde_json::to_value(&response) {
            Ok(value) => write_result(&mut out, &context.id, &old_forms::reply(value)),
            Err(error) => write_error(&mut out, Some(context.id.get()), &super::internal(error)),
        },
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

/// The methods of the node itself.
pub(crate) fn builtin_names() -> impl Iterator<Item = &'static str> + Clone {
    HANDLERS.iter().map(|entry| entry.info.name)
}

/// A request once plugins had their say.
enum Judged {
    /// To be worked on.
    Run(String, Box<RawValue>),
    /// Answered already.
    Answer(Value),
}

/// Works on a request and returns the reply.
pub(super) async fn dispatch(
    node: Rc<Node>,
    context: Context,
    method: String,
    params: Box<RawValue>,
    filter: Option<Box<RawValue>>,
) -> Option<Vec<u8>> {
    let judged = judge(&node, &context, method, params, filter.as_deref());
    let judged = judged.await.and_then(|judged| {
        let filter = filter.map(|filter| ResultFilter::parse(&filter, context.env));
        Ok((judged, filter.transpose()?))
    });
    let answer = match judged {
        Ok((Judged::Run(method, params), filter)) => match find(&method) {
            Some(entry) => match refused(&node, &context, &entry.info) {
                None => return (entry.run)(node, context, params, filter).await,
                Some(error) => Err(error),
            },
            None => ask_plugin(&node, &context, &method, &params)
                .await
                .map(|result| (result, filter)),
        },
        Ok((Judged::Answer(result), filter)) => to_raw_value(&result)
            .map(|result| (result, filter))
            .map_err(super::internal),
        Err(error) => Err(error),
    };
    let mut out = Vec::new();
    match answer {
        Ok((result, None)) => write_raw_result(&mut out, &context.id, &result),
        Ok((result, Some(filter))) => {
            let value = serde_json::from_str(result.get()).unwrap_or_default();
            write_filtered(&mut out, &context.id, value, &filter);
        }
        Err(error) => refuse(&node, &context, &error, &mut out),
    }
    Some(out)
}

/// Lets plugins change a request, or answer it.
async fn judge(
    node: &Node,
    context: &Context,
    method: String,
    params: Box<RawValue>,
    filter: Option<&RawValue>,
) -> Result<Judged, RpcError> {
    // A plugin that is told to end may not begin anything new.
    if node.plugins.is_closing() {
        let text = "lightningd is shutting down";
        return Err(RpcError::new(RpcErrorCode::LightningdShutdown, text));
    }
    let plugins = &node.plugins;
    let verdict = plugins.judge_request(&context.id, &method, &params, filter);
    match verdict.await {
        None => Ok(Judged::Run(method, params)),
        Some(RequestVerdict::Replace(method, params)) => {
            let params = to_raw_value(&params).map_err(super::internal)?;
            Ok(Judged::Run(method, params))
        }
        Some(RequestVerdict::Return(Ok(result))) => Ok(Judged::Answer(result)),
        Some(RequestVerdict::Return(Err(error))) => Err(error),
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

/// Passes a request on to the plugin that serves the method.
async fn ask_plugin(
    node: &Node,
    context: &Context,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, RpcError> {
    match node.plugins.method(method) {
        Some(serving) => ask_serving(node, context, &serving, method, params).await,
        None => {
            if super::developer::is_not_yet(method) {
                let text = format!(
                    "Unknown command '{method}': Core Lightning has it for its developers, this version has not yet"
                );
                return Err(RpcError::new(RpcErrorCode::MethodNotFound, text));
            }
            let absence = node.plugins.explain_absence(method);
            Err(absence.unwrap_or_else(|| RpcError::unknown_command(method)))
        }
    }
}

/// Passes a request on to a plugin.
pub(super) async fn ask_serving(
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
    let plugins = &node.plugins;
    plugins.forward(serving, context, method, params).await
}
