//! The processes below a node, as `/proc` shows them.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::wait::wait_until;

/// A helper or a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperProcess {
    /// Process id.
    pub pid: u32,
    /// What it was started as, without directory: `lightning_channeld`.
    pub name: String,
}

impl HelperProcess {
    /// Makes it stand still.
    pub fn pause(&self) {
        stop_process(self.pid);
    }

    /// Kills it without warning; that it has ended already is fine.
    pub fn kill(&self) {
        send_signal(self.pid, Signal::KILL);
    }
}

/// Sends a signal to a process that may have ended.
pub(super) fn send_signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _already_dead = kill_process(pid, signal);
    }
}

/// Parent and state of a process, from `/proc/<pid>/stat`.
fn parent_and_state(pid: u32) -> Option<(u32, char)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some((parent, state))
}

/// Whether a process is there and has not ended.
pub fn process_is_running(pid: u32) -> bool {
    parent_and_state(pid).is_some_and(|(_, state)| !matches!(state, 'Z' | 'X'))
}

/// Makes a process stand still, and waits until all of its threads do or it has ended.
pub(super) fn stop_process(pid: u32) {
    send_signal(pid, Signal::STOP);
    wait_until("a process to stand still", || {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        let still = threads.into_iter().flatten().flatten().all(|thread| {
            let state = thread.file_name().to_str().and_then(|text| {
                let (_, state) = parent_and_state(text.parse().ok()?)?;
                Some(state)
            });
            state.is_none_or(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
        });
        still.then_some(())
    });
}

/// What a process was started as.
fn name(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let first = line.split(|byte| *byte == 0).next()?;
    let first = String::from_utf8_lossy(first).into_owned();
    let name = Path::new(&first)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    Some(name)
}

/// Every running process and its parent, in order.
fn running() -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| {
            let (parent, state) = parent_and_state(pid)?;
            (!matches!(state, 'Z' | 'X')).then_some((pid, parent))
        })
        .collect();
    all.sort_unstable();
    all
}

fn helper(pid: u32) -> Option<HelperProcess> {
    name(pid).map(|name| HelperProcess { pid, name })
}

/// Every running process that this one has started.
pub(super) fn children(of: u32) -> Vec<HelperProcess> {
    let of_it = running().into_iter().filter(|(_, parent)| *parent == of);
    of_it.filter_map(|(pid, _)| helper(pid)).collect()
}

/// Every running process below this one, parents first.
pub fn descendants(of: u32) -> Vec<HelperProcess> {
    let all = running();
    let mut found = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        for (pid, _) in all.iter().filter(|(_, its_parent)| *its_parent == parent) {
            parents.push(*pid);
            found.extend(helper(*pid));
        }
    }
    found
}
