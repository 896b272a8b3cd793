//! What goes to lightningd.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};

use ln_rpc::jsonrpc::LogLevel;
use serde::Serialize;

use crate::protocol::{LogParams, write_notification};

/// The way to lightningd's log and topics. Clones write to the same stream.
#[derive(Clone)]
pub struct Log {
    stream: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log(..)")
    }
}

impl Log {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
        }
    }

    /// A log that leads nowhere: for tests of code that writes one.
    pub fn nowhere() -> Self {
        Self::new(Box::new(std::io::sink()))
    }

    /// Sends whole messages. A stream that is closed means that lightningd is gone, which the reader notices.
    pub(super) fn send(&self, bytes: &[u8]) {
        let mut stream = match self.stream.lock() {
            Ok(stream) => stream,
            Err(poisoned) => poisoned.into_inner(),
        };
        let sent = stream.write_all(bytes).and_then(|()| stream.flush());
        drop(sent);
    }

    /// Writes a line to the node's log.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        let message = message.into();
        self.notify("log", &LogParams { level, message });
    }

    /// What helps to find a bug.
    pub fn debug(&self, message: impl Into<String>) {
        self.log(LogLevel::Debug, message);
    }

    /// What an operator may want to know.
    pub fn info(&self, message: impl Into<String>) {
        self.log(LogLevel::Info, message);
    }

    /// What an operator should look at.
    pub fn unusual(&self, message: impl Into<String>) {
        self.log(LogLevel::Unusual, message);
    }

    /// A bug or a fault.
    pub fn broken(&self, message: impl Into<String>) {
        self.log(LogLevel::Broken, message);
    }

    /// Sends a notification of one of the plugin's own topics.
    pub fn notify(&self, topic: &str, params: &(impl Serialize + ?Sized)) {
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, params).is_ok() {
            self.send(&bytes);
        }
    }
}
