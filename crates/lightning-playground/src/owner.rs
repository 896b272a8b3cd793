//! Whose directory it is, and which processes belong to it.
//!
//! A process is named by its id, the time it was started at and the boot: ids alone are used again.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// The file in a directory that says that it is a playground's.
pub(crate) const MARKER: &str = "playground.json";
/// The variable in the environment of all processes of a playground, with its directory.
pub(crate) const VARIABLE: &str = "FULGURITE_PLAYGROUND";

/// The process that a directory belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    /// In clock ticks since the boot.
    started: u64,
    boot: String,
}

impl Owner {
    /// This process.
    pub(crate) fn this() -> Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            pid,
            started: started(pid).context("/proc tells nothing of this process")?,
            boot: boot()?,
        })
    }

    /// The one a directory names; `None` if the directory is no playground's.
    pub(crate) fn of(dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join(MARKER)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Puts it down.
    pub(crate) fn mark(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string(self)?;
        fs::write(dir.join(MARKER), text)
            .with_context(|| format!("can't write to {}", dir.display()))
    }

    /// Whether it still runs.
    pub(crate) fn lives(&self) -> bool {
        boot().is_ok_and(|boot| boot == self.boot) && started(self.pid) == Some(self.started)
    }
}

fn boot() -> Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    Ok(text
        .context("/proc does not tell the boot")?
        .trim()
        .to_owned())
}

/// When a process was started; `None` if it is gone or only waits to be reaped.
fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.clone().next()?, "Z" | "X") {
        return None;
    }
    // The 22nd of all, and the third is the first after the name.
    fields.nth(19)?.parse().ok()
}

/// Kills every process that carries the mark of this directory: how many there were.
pub(crate) fn kill_marked(dir: &Path) -> usize {
    let mark = format!("{VARIABLE}={}", dir.display());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| kill_if_marked(*pid, &mark)).count()
}

fn kill_if_marked(pid: u32, mark: &str) -> bool {
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    // First the descriptor: what is read after that is read of the process that it stands for, or of none.
    let Ok(handle) = pidfd_open(raw, PidfdFlags::empty()) else {
        return false;
    };
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let marked = environment
        .split(|byte| *byte == 0)
        .any(|variable| variable == mark.as_bytes());
    marked && pid != std::process::id() && pidfd_send_signal(handle, Signal::KILL).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let this = Owner::this().unwrap();
        assert!(this.lives());
        let later = Owner {
            started: this.started + 1,
            ..this.clone()
        };
        assert!(!later.lives());
        let other_boot = Owner {
            boot: String::new(),
            ..this.clone()
        };
        assert!(!other_boot.lives());

        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Owner::of(dir.path()), None);
        this.mark(dir.path()).unwrap();
        assert_eq!(Owner::of(dir.path()), Some(this));
        fs::write(dir.path().join(MARKER), "garbage").unwrap();
        assert_eq!(Owner::of(dir.path()), None);
    }

    #[test]
    fn only_marked_processes_are_killed() {
        let dir = tempfile::tempdir().unwrap();
        let sleep = |value: &Path| {
            let mut command = std::process::Command::new("sleep");
            command.arg("1000").env(VARIABLE, value).spawn().unwrap()
        };
        let mut ours = sleep(dir.path());
        let mut others = sleep(&dir.path().join("other"));
        // Before a new process is the other program it has this one's environment.
        while kill_marked(dir.path()) == 0 {
            std::thread::yield_now();
        }
        assert!(!ours.wait().unwrap().success());
        assert_eq!(others.try_wait().unwrap(), None);
        others.kill().unwrap();
        others.wait().unwrap();
    }
}
