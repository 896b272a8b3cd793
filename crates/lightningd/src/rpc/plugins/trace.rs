//! `plugin trace`

use std::time::Duration;

use ln_rpc::RpcError;
use ln_rpc::jsonrpc::LogLevel;
use ln_rpc::methods::plugins::plugin::{PluginResponse, PluginSubcommand};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::node::Node;
use crate::rpc::Context;

/// The longest that somebody watches without asking again: a year.
const MAX_SECONDS: u64 = 365 * 24 * 60 * 60;

/// When to stop without being told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    count: u64,
    duration: Duration,
}

/// Shows the client what a plugin is sent and what it says.
pub(super) async fn trace(
    node: &Node,
    context: &Context,
    name: &str,
    rest: Vec<(String, Value)>,
) -> Result<PluginResponse, RpcError> {
    let limits = limits(rest)?;
    let all = node.plugins.all();
    let named = |plugin: &&_| {
        let plugin: &crate::plugins::PluginProcess = plugin;
        *plugin.path == *name || *plugin.name == *name
    };
    let Some(plugin) = all.iter().map(|plugin| &**plugin).find(named) else {
        let text = format!("Could not find plugin {name}");
        return Err(RpcError::invalid_params(text));
    };
    if !context.switches.notifications.get() {
        let text =
            "what is traced comes as notifications: call notifications with enable=true first";
        return Err(RpcError::invalid_params(text));
    }
    let mut trace = plugin.trace();
    let end = Instant::now() + limits.duration;
    let (mut shown, mut lost) = (0, 0);
    let intro = format!("tracing {}: end with Ctrl-C", plugin.name);
    context.message(LogLevel::Info, &intro).await;
    let why = loop {
        if shown >= limits.count {
            break "that was as many as asked for";
        }
        let line = tokio::select! {
            line = trace.next() => line,
            () = context.gone() => break "the client hung up",
            () = sleep_until(end) => break "the time is over",
        };
        let Some(line) = line else {
            break "the plugin ended";
        };
        let missed = trace.lost();
        if missed > 0 {
            lost += missed;
            let text = format!("({missed} messages were lost: you read too slowly)");
            context.message(LogLevel::Info, &text).await;
        }
        context.message(LogLevel::Info, &line).await;
        shown += 1;
    };
    Ok(PluginResponse {
        command: PluginSubcommand::Trace,
        plugins: None,
        result: Some(format!("{shown} messages shown, {lost} lost: {why}")),
    })
}

/// Reads `count` and `duration`: by name, as words such as `count=5`, or in this order.
fn limits(rest: Vec<(String, Value)>) -> Result<Limits, RpcError> {
    let (mut count, mut duration) = (None, None);
    for (name, value) in rest {
        let word = value.as_str().and_then(|word| word.split_once('='));
        let (name, value) = match word {
            Some((name, number)) => (name.to_owned(), Value::from(number)),
            None => (name, value),
        };
        let place = match name.as_str() {
            "" if count.is_none() => &mut count,
            "" => &mut duration,
            "count" => &mut count,
            "duration" => &mut duration,
            other => {
                return Err(RpcError::invalid_params(format!(
                    "unknown parameter: {other}"
                )));
            }
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number.filter(|number| *number > 0);
        if number.is_none() || place.replace(number).is_some() {
            return Err(RpcError::invalid_params(format!(
                "count and duration: should be one whole number each: invalid token '{value}'"
            )));
        }
    }
    let seconds = duration.flatten().unwrap_or(MAX_SECONDS).min(MAX_SECONDS);
    Ok(Limits {
        count: count.flatten().unwrap_or(u64::MAX),
        duration: Duration::from_secs(seconds),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trace_ends_by_count_or_time() {
        let read = |rest: &[(&str, Value)]| {
            let rest = rest
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            let limits = limits(rest.collect()).ok()?;
            Some((limits.count, limits.duration.as_secs()))
        };
        assert_eq!(read(&[]), Some((u64::MAX, MAX_SECONDS)));
        assert_eq!(read(&[("count", json!(5))]), Some((5, MAX_SECONDS)));
        assert_eq!(read(&[("", json!(5)), ("", json!("7"))]), Some((5, 7)));
        assert_eq!(read(&[("", json!("duration=7"))]), Some((u64::MAX, 7)));
        for wrong in [
            json!(0),
            json!(-1),
            json!("x"),
            json!("lines=1"),
            json!(true),
        ] {
            assert_eq!(read(&[("", wrong)]), None);
        }
        assert_eq!(read(&[("count", json!(5)), ("count", json!(6))]), None);
    }
}
