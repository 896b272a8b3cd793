//! What plugins say unasked.

use std::rc::Rc;

use ln_ipc::status::LogLevel;
use ln_plugin::protocol::{LogParams, MessageParams, ProgressParams};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::complaints::Fault;
use super::excerpt::excerpt;
use super::host::PluginHost;
use super::process::PluginProcess;
use crate::crash;

/// How many lines one `log` may have.
const MAX_LINES: usize = 1000;

/// The log's level for one of the interface.
fn level(said: ln_rpc::jsonrpc::LogLevel) -> LogLevel {
    use ln_rpc::jsonrpc::LogLevel as Said;
    match said {
        Said::Io | Said::Trace => LogLevel::Trace,
        Said::Debug => LogLevel::Debug,
        Said::Info => LogLevel::Info,
        Said::Unusual => LogLevel::Unusual,
        Said::Broken => LogLevel::Broken,
    }
}

impl PluginHost {
    /// A plugin said something that wants no answer.
    pub(super) fn on_notification(
        &self,
        plugin: &Rc<PluginProcess>,
        method: &str,
        params: Option<&RawValue>,
    ) {
        let outcome = match method {
            "log" => read(params).map(|said: LogParams| self.on_log(plugin, &said)),
            "message" => read(params).map(|said: MessageParams| {
                if let Some(client) = plugin.client(&said.id) {
                    client.tell_message(said.level, &said.message);
                }
            }),
            "progress" => read(params).map(|said: ProgressParams| {
                if let Some(client) = plugin.client(&said.id) {
                    client.tell_progress(said.num, said.total, said.stage);
                }
            }),
            topic => self.on_topic(plugin, topic, params),
        };
        if let Err(problem) = outcome
            && let Some(more) = plugin.complaints.count(Fault::Notification)
        {
            let text = format!(
                "sent a bad '{}': {}{more}",
                excerpt(method),
                excerpt(&problem)
            );
            self.log().unusual(&plugin.origin, text);
        }
    }

    fn on_log(&self, plugin: &PluginProcess, said: &LogParams) {
        if said.panic && plugin.builtin {
            // A mistake of ours leaves a file to send, as a helper's does.
            let (title, backtrace) = parts_of_panic(&plugin.name, &said.message);
            let pid = plugin.pid().map(|pid| pid.as_raw_nonzero().get());
            let pid = pid.and_then(|pid| u32::try_from(pid).ok());
            crash::report(self.log(), &plugin.origin, pid, &title, &backtrace);
            return;
        }
        let text = first_lines(&said.message);
        self.log().log(level(said.level), &plugin.origin, text);
    }

    fn on_topic(
        &self,
        plugin: &PluginProcess,
        topic: &str,
        params: Option<&RawValue>,
    ) -> Result<(), String> {
        let declared = plugin.manifest().is_some_and(|manifest| {
            let mut own = manifest.notifications.iter();
            own.any(|own| own.method == topic)
        });
        if !declared {
            return Err("its manifest does not declare this notification".to_owned());
        }
        self.pass_on(plugin, topic, params);
        Ok(())
    }
}

/// What a plugin of ours says of a panic: the line that tells of it, and the backtrace.
fn parts_of_panic(plugin: &str, message: &str) -> (String, String) {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    let frames = rest.lines();
    let frames = frames.map(|line| line.strip_prefix("backtrace: ").unwrap_or(line));
    (
        format!("{plugin} {first}"),
        frames.collect::<Vec<_>>().join("\n"),
    )
}

/// What of a text is logged: a plugin that wants more writes more messages.
fn first_lines(text: &str) -> &str {
    let mut ends = text.match_indices('\n');
    match ends.nth(MAX_LINES - 1) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

fn read<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, String> {
    let text = params.map_or("null", RawValue::get);
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_line_and_a_backtrace() {
        let said = "panicked: no (thread x, at y)\nbacktrace:    0: main\nbacktrace:        at z";
        let (title, backtrace) = parts_of_panic("bcli", said);
        assert_eq!(title, "bcli panicked: no (thread x, at y)");
        assert_eq!(backtrace, "   0: main\n       at z");
        let none = parts_of_panic("bcli", "panicked: no");
        assert_eq!(none, ("bcli panicked: no".to_owned(), String::new()));
    }

    #[test]
    fn one_message_is_no_flood_of_lines() {
        assert_eq!(first_lines("one\ntwo"), "one\ntwo");
        assert_eq!(first_lines(&"\n".repeat(5_000_000)).len(), MAX_LINES - 1);
    }
}
