//! The log: standard output and `debug.log`, one line per event, as bitcoind writes them.

use crate::utc::utc;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;

/// Where log lines go.
#[derive(Debug)]
pub struct Log {
    console: bool,
    file: Option<Mutex<File>>,
}

impl Log {
    /// A log that prints if `console`, and appends to `file` if there is one.
    pub fn new(console: bool, file: Option<File>) -> Self {
        Self {
            console,
            file: file.map(Mutex::new),
        }
    }

    /// Writes one line with the time before it. What cannot be written is dropped: a full disk must
    /// not stop the chain.
    pub fn line(&self, now: u64, text: &str) {
        let line = format!("{} {text}\n", utc(now));
        if self.console {
            let mut out = std::io::stdout().lock();
            let _unwritable = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        }
        if let Some(mut file) = self.file.as_ref().and_then(|file| file.lock().ok()) {
            let _unwritable = file.write_all(line.as_bytes());
        }
    }
}
