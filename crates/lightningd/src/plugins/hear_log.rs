//! The log as notifications.

use std::rc::{Rc, Weak};

use ln_ipc::status::LogLevel;
use serde_json::{Value, json};

use super::host::PluginHost;
use crate::clock;
use crate::log::{Line, timestamp};

impl PluginHost {
    /// Has lines of the log told to those who subscribed to `log` and `warning`.
    pub(super) fn hear_log(self: &Rc<Self>) {
        let host: Weak<Self> = Rc::downgrade(self);
        self.log().set_listener(move |line| {
            if let Some(host) = host.upgrade() {
                host.tell_line(line);
            }
        });
    }

    fn tell_line(&self, line: &Line) {
        self.notify("log", || fields(line, level(line.level)));
        match line.level {
            LogLevel::Unusual => self.notify("warning", || fields(line, "warn")),
            LogLevel::Broken => self.notify("warning", || fields(line, "error")),
            LogLevel::IoIn
            | LogLevel::IoOut
            | LogLevel::Trace
            | LogLevel::Debug
            | LogLevel::Info => {}
        }
    }
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::IoIn | LogLevel::IoOut => "io",
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Unusual => "unusual",
        LogLevel::Broken => "broken",
    }
}

fn fields(line: &Line, level: &str) -> Value {
    json!({
        "level": level,
        "time": clock::precise(line.time),
        "timestamp": timestamp(line.time),
        "source": line.origin.to_string(),
        "log": line.text,
    })
}
