//! What developers want of all helpers.

use std::process::Command;
use std::sync::OnceLock;

use ln_daemon::{BREAK_OUT, DEV_PANIC, SANDBOX, SANDBOX_OFF};

use crate::options::DevConfig;

/// What helpers are told about their heap: memory that a burst of payments needed goes back to the kernel, since a node may have thousands of
/// them. Setting the thresholds also keeps glibc from raising them. Another libc takes no notice.
const HEAP: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.trim_threshold=32768:glibc.malloc.mmap_threshold=32768",
);

/// Set once, when the options are read.
static SWITCHES: OnceLock<Switches> = OnceLock::new();

/// The switches; all off until they are set.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// Whether helpers are told that the node runs with `developer`.
    developer: bool,
    /// Whether helpers may be of other versions than ours.
    any_version: bool,
    /// The helper that waits for a debugger.
    debugged: Option<String>,
    /// The helper that makes a mistake, and after how many messages.
    panicking: Option<(String, u32)>,
    /// Whether helpers keep all their rights.
    no_sandbox: bool,
    /// The helper that tries to get out of its sandbox, and how.
    breaking_out: Option<(String, String)>,
}

impl Switches {
    /// Sets them as the options say. Only the first time counts.
    pub(super) fn set(developer: bool, dev: &DevConfig) {
        let switches = Self {
            developer,
            any_version: dev.any_version,
            debugged: dev.debugger.clone(),
            panicking: dev.panic.clone(),
            no_sandbox: dev.no_sandbox,
            breaking_out: dev.break_out.clone(),
        };
        let _set_before = SWITCHES.set(switches);
    }

    pub(super) fn get() -> &'static Self {
        SWITCHES.get_or_init(Self::default)
    }

    /// Whether a helper of this version may serve.
    pub(super) fn takes(&self, version: &str) -> bool {
        self.any_version || version == ln_daemon::VERSION
    }

    /// Whether this helper waits for a debugger.
    pub(super) fn debugs(&self, name: &str) -> bool {
        self.debugged.as_deref() == Some(name)
    }

    /// What a helper must know before its first message.
    pub(super) fn apply(&self, command: &mut Command, name: &str) {
        // As from Core Lightning. hsmd lets nobody else force keys upon it.
        if self.developer {
            command.arg("--developer");
        }
        if std::env::var_os(HEAP.0).is_none() {
            command.env(HEAP.0, HEAP.1);
        }
        if self.no_sandbox {
            command.env(SANDBOX, SANDBOX_OFF);
        }
        if let Some((_, after)) = self.panicking.as_ref().filter(|(other, _)| other == name) {
            command.env(DEV_PANIC, after.to_string());
        }
        if let Some((_, how)) = self
            .breaking_out
            .as_ref()
            .filter(|(other, _)| other == name)
        {
            command.env(BREAK_OUT, how);
        }
    }
}
