//! `plugin list` with `verbose`.

use ln_plugin::protocol::OptionType;
use ln_rpc::RpcError;
use ln_rpc::methods::plugins::plugin::{PluginEntry, PluginHookEntry, PluginOptionEntry};
use serde_json::Value;

use crate::node::Node;
use crate::plugins::{PluginProcess, Stage};

/// Takes `verbose` away: by name, or as the word `verbose=true`.
pub(super) fn take_verbose(rest: &mut Vec<(String, Value)>) -> Result<bool, RpcError> {
    let is_it = |(name, value): &(String, Value)| {
        let word = value.as_str().unwrap_or_default();
        name == "verbose" || name.is_empty() && word.split('=').next() == Some("verbose")
    };
    let Some(index) = rest.iter().position(is_it) else {
        return Ok(false);
    };
    let (name, value) = rest.remove(index);
    let text = match &value {
        Value::String(text) if name.is_empty() => text.strip_prefix("verbose").unwrap_or_default(),
        Value::String(text) => text,
        Value::Bool(verbose) => return Ok(*verbose),
        _ => "?",
    };
    match text {
        "" | "true" | "=true" => Ok(true),
        "false" | "=false" => Ok(false),
        _ => Err(RpcError::invalid_params(format!(
            "verbose: should be true or false: invalid token '{value}'"
        ))),
    }
}

/// All that is known of a plugin.
pub(super) fn entry(node: &Node, plugin: &PluginProcess, plain: PluginEntry) -> PluginEntry {
    let manifest = plugin.manifest();
    let texts = |texts: &mut dyn Iterator<Item = &String>| texts.cloned().collect::<Vec<_>>();
    let methods = manifest.map(|it| texts(&mut it.rpcmethods.iter().map(|method| &method.name)));
    let topics = manifest.map(|it| texts(&mut it.notifications.iter().map(|topic| &topic.method)));
    let pid = plugin.pid().map(rustix::process::Pid::as_raw_pid);
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    let stats = &plugin.stats;
    let micros = |percent| {
        let time = stats.percentile(percent)?;
        u64::try_from(time.as_micros()).ok()
    };
    let count = |number: usize| u64::try_from(number).ok();
    PluginEntry {
        state: Some(state(plugin.stage()).to_owned()),
        important: Some(plugin.important.get()),
        pid,
        restarts: Some(plugin.restarts()),
        memory_bytes: pid.and_then(memory),
        options: Some(options(node, plugin)),
        methods,
        hooks: Some(hooks(node, plugin)),
        subscriptions: manifest.map(|manifest| manifest.subscriptions.clone()),
        notifications: topics,
        calls: Some(stats.calls()),
        errors: Some(stats.errors()),
        unanswered: Some(stats.unanswered()),
        pending: count(plugin.pending()),
        faults: Some(plugin.complaints.total()),
        latency_p50_us: micros(50),
        latency_p99_us: micros(99),
        unread_bytes: count(plugin.unread()),
        ..plain
    }
}

fn state(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked => "asked",
        Stage::Known => "known",
        Stage::Running => "running",
        Stage::Ended => "ended",
    }
}

/// The part of the memory that counts as a process's own, in bytes.
fn memory(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

fn options(node: &Node, plugin: &PluginProcess) -> Vec<PluginOptionEntry> {
    let options = node.plugins.options_of(plugin, &node.settings());
    let entry = |(decl, value): (ln_plugin::protocol::OptionDecl, Option<Value>)| {
        let concealed = decl.kind == OptionType::StringConceal;
        let kind = match decl.kind {
            OptionType::String => "string",
            OptionType::StringConceal => "string-conceal",
            OptionType::Int => "int",
            OptionType::Bool => "bool",
            OptionType::Flag => "flag",
        };
        PluginOptionEntry {
            name: decl.name,
            kind: kind.to_owned(),
            value: value.filter(|_| !concealed),
            concealed,
        }
    };
    options.into_iter().map(entry).collect()
}

fn hooks(node: &Node, plugin: &PluginProcess) -> Vec<PluginHookEntry> {
    let declared = plugin.manifest().into_iter().flat_map(|it| &it.hooks);
    let entry = |name: &String| {
        let order = node.plugins.hook_order(name);
        let names = || order.iter().map(ToString::to_string);
        let index = order.iter().position(|other| *other == plugin.name)?;
        Some(PluginHookEntry {
            name: name.clone(),
            position: u32::try_from(index).ok()?.saturating_add(1),
            asked_before: names().take(index).collect(),
            asked_after: names().skip(index + 1).collect(),
        })
    };
    declared.filter_map(|hook| entry(&hook.name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verbose_is_a_name_or_a_word() {
        let take = |name: &str, value: Value| {
            let mut rest = vec![("x".to_owned(), json!(1)), (name.to_owned(), value)];
            take_verbose(&mut rest).map(|verbose| (verbose, rest.len()))
        };
        assert_eq!(take("verbose", json!(true)), Ok((true, 1)));
        assert_eq!(take("verbose", json!("true")), Ok((true, 1)));
        assert_eq!(take("verbose", json!(false)), Ok((false, 1)));
        assert_eq!(take("", json!("verbose=true")), Ok((true, 1)));
        assert_eq!(take("", json!("verbose=false")), Ok((false, 1)));
        assert_eq!(take("", json!("verbose")), Ok((true, 1)));
        assert_eq!(take("", json!("more")), Ok((false, 2)));
        assert!(take("verbose", json!(1)).is_err());
        assert!(take("", json!("verbose=maybe")).is_err());
    }
}
