//! Panics are told in the node's log, wherever in the plugin they happen.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use ln_rpc::jsonrpc::LogLevel;

use super::Log;
use crate::protocol::LogParams;

/// How many letters of what was said are told.
const MAX_WORDS: usize = 2000;
/// How many lines of a backtrace are told, and how many letters of each: a recursion without end has a backtrace that is as long.
const MAX_LINES: usize = 200;
const MAX_LINE: usize = 300;
/// How many panics are told of with a backtrace: a handler may panic each time it is called.
const WITH_BACKTRACE: u32 = 20;

/// Set by lightningd for a built-in plugin that is to panic (`dev-panic`): how many messages it works on before.
const DEV_PANIC: &str = "FULGURITE_DEV_PANIC";

/// Has every panic of this process told in the node's log, before what else was to be done about panics.
pub(super) fn tell_panics(log: &Log) {
    let log = log.clone();
    let before = take_hook();
    set_hook(Box::new(move |info| {
        // Where it can't be told, what is said on standard error must do.
        log.notify_at_last("log", &params(info));
        before(info);
    }));
}

fn params(info: &PanicHookInfo<'_>) -> LogParams {
    static PANICS: AtomicU32 = AtomicU32::new(0);
    let with_backtrace = PANICS.fetch_add(1, Ordering::Relaxed) < WITH_BACKTRACE;
    let backtrace = with_backtrace.then(|| Backtrace::force_capture().to_string());
    let current = thread::current();
    let words = info.payload_as_str().unwrap_or("no words");
    let place = info
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let name = current.name().unwrap_or("without a name");
    LogParams {
        level: LogLevel::Broken,
        message: message(words, name, &place, backtrace.as_deref()),
        panic: true,
    }
}

/// One line that says what happened, and one for each of the backtrace.
fn message(words: &str, thread: &str, place: &str, backtrace: Option<&str>) -> String {
    let words = words.chars().take(MAX_WORDS);
    let words: String = words.map(|c| if c == '\n' { ' ' } else { c }).collect();
    let mut message = format!("panicked: {words} (thread {thread}, at {place})");
    for line in backtrace.unwrap_or_default().lines().take(MAX_LINES) {
        let line: String = line.trim_end().chars().take(MAX_LINE).collect();
        // Writing to a string can't fail.
        let _ = write!(message, "\nbacktrace: {line}");
    }
    message
}

/// Panics in a plugin that is to. Called with each message that is worked on.
#[expect(clippy::panic, reason = "it is what the developer asked for")]
pub(super) fn panic_if_asked() {
    static AFTER: LazyLock<Option<u32>> =
        LazyLock::new(|| std::env::var(DEV_PANIC).ok()?.parse().ok());
    static SEEN: AtomicU32 = AtomicU32::new(0);
    if let Some(after) = *AFTER
        && SEEN.fetch_add(1, Ordering::Relaxed) >= after
    {
        panic!("dev-panic asked for this");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_lines_and_has_an_end() {
        let trace = "   0: main\n             at src/main.rs:1\n";
        assert_eq!(
            message("bad\nluck", "main", "src/main.rs:1:2", Some(trace)),
            "panicked: bad luck (thread main, at src/main.rs:1:2)\nbacktrace:    0: main\n\
             backtrace:              at src/main.rs:1"
        );
        assert_eq!(message("x", "a", "b", None).lines().count(), 1);
        let endless = "   7: again\n".repeat(100_000);
        let told = message(&"é".repeat(5000), "main", "b", Some(&endless));
        assert_eq!(told.lines().count(), 1 + MAX_LINES);
        let wide = message("x", "main", "b", Some(&"é".repeat(100_000)));
        assert!(wide.chars().count() < MAX_LINE + 100);
    }
}
