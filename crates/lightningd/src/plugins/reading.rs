//! What a plugin writes to its standard output.
//!
//! It is read like anything from outside: bounded in length and depth, looked at before it is believed, and slower once it is more than
//! a plugin could need.

use std::rc::{Rc, Weak};
use std::time::Duration;

use ln_plugin::protocol::Message;
use ln_rpc::jsonrpc::Splitter;
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;

use super::budget::Budget;
use super::complaints::Fault;
use super::excerpt::{excerpt, excerpt_bytes};
use super::host::PluginHost;
use super::process::PluginProcess;
use super::tap::Way;
use crate::log::LogLevel;

/// A message larger than this is not taken: blocks, the largest there are, stay below 8 MiB of hex.
const MAX_MESSAGE: usize = 64 << 20;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How many messages are worked on before others get their turn.
const PER_TURN: u32 = 100;

/// What one message that nobody asked for costs: 2000 a second are borne for ever.
const PER_MESSAGE: Duration = Duration::from_micros(500);
/// What each KiB of it costs: 4 MiB a second.
const PER_KIB: Duration = Duration::from_micros(244);
/// What a plugin may say at once: 20 000 messages, or 40 MiB.
const BURST: Duration = Duration::from_secs(10);

/// How a plugin's output ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OutputEnd {
    /// Between two messages.
    Clean,
    /// In the middle of a message, which began like this.
    CutOff(String),
    /// With something that is no message: why the plugin must be ended.
    Nonsense(String),
}

/// Reads messages to the end, or to where they make no sense.
pub(super) async fn read(
    host: &Weak<PluginHost>,
    plugin: &Rc<PluginProcess>,
    mut stdout: ChildStdout,
) -> OutputEnd {
    let mut splitter = Splitter::with_limit(MAX_MESSAGE);
    let budget = Budget::new(BURST);
    let mut chunk = vec![0; CHUNK];
    let mut turn = 0;
    loop {
        let read = match stdout.read(&mut chunk).await {
            Ok(0) | Err(_) if splitter.is_mid_text() => {
                return OutputEnd::CutOff(excerpt_bytes(splitter.unfinished()));
            }
            Ok(0) | Err(_) => return OutputEnd::Clean,
            Ok(read) => read,
        };
        splitter.push(chunk.get(..read).unwrap_or_default());
        loop {
            let text = match splitter.next_text() {
                Ok(Some(text)) => text,
                Ok(None) => break,
                Err(error) => {
                    let text = excerpt_bytes(first_line(splitter.offending()));
                    return OutputEnd::Nonsense(nonsense(&error, &text));
                }
            };
            let cost = match on_message(host, plugin, text) {
                Ok(cost) => cost,
                Err(why) => return OutputEnd::Nonsense(why),
            };
            if let Some(cost) = cost
                && let Some(wait) = budget.spend(cost)
            {
                if budget.is_news()
                    && let Some(host) = host.upgrade()
                {
                    host.log().unusual(&plugin.origin, FLOOD);
                }
                tokio::time::sleep(wait).await;
            }
            turn += 1;
            if turn % PER_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// What the log says, once, of a plugin that is read more slowly.
const FLOOD: &str = "writes more than 2000 messages or 4 MiB a second that nobody asked for: it is read more slowly from now on";

/// A stray line ends where it ends, whatever comes behind it.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.next().unwrap_or_default()
}

fn nonsense(problem: &impl std::fmt::Display, shown: &str) -> String {
    format!(
        "wrote what is no message to standard output ({problem}): '{shown}': plugins print to standard error"
    )
}

/// Acts on a message. Returns what it costs if nobody waited for it, or why the plugin must be ended.
fn on_message(
    host: &Weak<PluginHost>,
    plugin: &Rc<PluginProcess>,
    text: &str,
) -> Result<Option<Duration>, String> {
    let message = Message::parse(text).map_err(|problem| nonsense(&problem, &excerpt(text)))?;
    let Some(host) = host.upgrade() else {
        return Ok(None);
    };
    if !matches!(message, Message::Response { .. }) {
        show(plugin, None, text);
    }
    match message {
        Message::Response { id, outcome } => {
            let took = plugin.answered(id, outcome, text);
            show(plugin, took, text);
            if took.is_some() {
                return Ok(None);
            }
            blame_unasked(&host, plugin, id);
        }
        Message::Notification { method, params, .. } => {
            host.on_notification(plugin, &method, params);
        }
        Message::Request { method, .. } => {
            if let Some(more) = plugin.complaints.count(Fault::Request) {
                let text = format!(
                    "asked for '{}' on its standard output: requests go to the RPC socket{more}",
                    excerpt(&method)
                );
                host.log().unusual(&plugin.origin, text);
            }
        }
    }
    let kib = u32::try_from(text.len() / 1024).unwrap_or(u32::MAX);
    Ok(Some(PER_MESSAGE + PER_KIB.saturating_mul(kib)))
}

/// Tells of an answer that nobody waits for.
fn blame_unasked(host: &PluginHost, plugin: &PluginProcess, id: &RawValue) {
    let shown = excerpt(id.get());
    if plugin.was_asked(id) {
        // Late, or twice: whoever asked went on without it.
        let text = format!("answered {shown}, for which nobody waits any more");
        host.log().debug(&plugin.origin, text);
    } else if let Some(more) = plugin.complaints.count(Fault::Unasked) {
        let text = format!("answered {shown}, which it was not asked: ignored{more}");
        host.log().unusual(&plugin.origin, text);
    }
}

/// Shows who watches what it says.
fn show(plugin: &PluginProcess, took: Option<Duration>, text: &str) {
    plugin.show_log(LogLevel::IoIn, text.as_bytes());
    if plugin.taps.is_watched() {
        plugin.taps.show(Way::From(took), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stray_line_is_shown() {
        assert_eq!(first_line(b"hello\n{\"jsonrpc\""), b"hello");
        assert_eq!(first_line(b"hello"), b"hello");
        assert_eq!(first_line(b""), b"");
    }
}
