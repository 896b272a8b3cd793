//! `dev-save-plugin-io`: what plugins are asked and told, in files.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::hooks::HOOKS;
use crate::clock;
use crate::log::{Logger, Origin};

/// Writes each message to a file of its own: `hook_out-NAME-...`, `hook_in-NAME-...` and `notification_out-NAME-...`, as Core
/// Lightning does: its test library reads all files there are, and knows no others.
#[derive(Debug)]
pub(super) struct SaveIo {
    dir: PathBuf,
    /// Makes names unique in a directory that several runs share.
    run: String,
    count: Cell<u64>,
    failed: Cell<bool>,
}

impl SaveIo {
    /// Saves to a directory, which must exist.
    pub(super) fn to(dir: PathBuf) -> Self {
        Self {
            dir,
            run: format!(
                "{}-{}",
                std::process::id(),
                clock::since_epoch().as_micros()
            ),
            count: Cell::new(0),
            failed: Cell::new(false),
        }
    }

    /// Saves a request, if it is a hook's.
    pub(super) fn request(&self, log: &Logger, method: &str, message: &[u8]) {
        if HOOKS.contains(&method) {
            self.save(log, "hook_out", method, message);
        }
    }

    /// Saves an answer with a result, if it is a hook's.
    pub(super) fn answer(&self, log: &Logger, method: &str, message: &[u8]) {
        if HOOKS.contains(&method) {
            self.save(log, "hook_in", method, message);
        }
    }

    /// Saves a notification.
    pub(super) fn notification(&self, log: &Logger, topic: &str, message: &[u8]) {
        self.save(log, "notification_out", topic, message);
    }

    fn save(&self, log: &Logger, kind: &str, name: &str, message: &[u8]) {
        // What is logged about it may be a notification, too.
        if self.failed.get() {
            return;
        }
        let count = self.count.get();
        self.count.set(count + 1);
        let path = self.dir.join(format!("{kind}-{name}-{}-{count}", self.run));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let written = file.and_then(|mut file| file.write_all(message));
        if let Err(error) = written {
            self.failed.set(true);
            let text = format!(
                "dev-save-plugin-io: {}: {error}: nothing more is saved",
                path.display()
            );
            log.unusual(&Origin::of("plugin-manager"), text);
        }
    }
}
