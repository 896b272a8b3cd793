//! Whose connection to the RPC socket it is.
//!
//! The kernel tells which process made a connection. That is a plugin's if the process is the plugin or descends from it. A process whose
//! parent has ended comes to lightningd where permissions are set ([`adopt_orphans`]), so that nothing a plugin starts can slip
//! out of its family: an orphan could be anybody's, and is refused. Process groups and sessions prove nothing: a child may join the
//! group of another plugin.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ln_rpc::{RpcError, RpcErrorCode};
use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};

use super::excerpt::excerpt;
use super::host::PluginHost;
use super::process::PluginProcess;

/// How many ancestors are looked at.
const GENERATIONS: usize = 64;
/// How often a family is looked up that changes meanwhile.
const LOOKS: usize = 3;

/// What each request of a plugin costs: 1000 a second are served for ever.
const PER_REQUEST: Duration = Duration::from_millis(1);
/// What a plugin may ask at once: 10 000 requests.
pub(super) const BURST: Duration = Duration::from_secs(10);

/// A connection that is not the operator's.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// A plugin's.
    Plugin(Rc<PluginProcess>),
    /// Somebody's of whom it can't be told which plugin started it: why.
    Unknown(Rc<str>),
}

/// Where a process comes from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// It does not descend from us.
    Elsewhere,
    /// It is, or descends from, this child of ours.
    Child(i32),
    /// It has ended, or its family can't be read.
    Gone,
}

impl PluginHost {
    /// Whose connection this is; nothing if no plugin's.
    ///
    /// Where no permissions are set this is only about fairness: then a plugin's children outside of its process group count as anybody.
    pub(crate) fn caller(&self, connection: &UnixStream) -> Option<Caller> {
        let strict = self.restricts();
        if !strict && self.visit(|plugins| plugins.iter().all(|plugin| plugin.builtin)) {
            return None;
        }
        // Nobody in our namespace of processes is nobody we started.
        let peer = connection.peer_cred().ok()?.pid().and_then(Pid::from_raw)?;
        if let Some(plugin) = self.with_pid(peer) {
            return Some(Caller::Plugin(plugin));
        }
        if !strict {
            let group = group(peer.as_raw_pid()).and_then(Pid::from_raw)?;
            return self.with_pid(group).map(Caller::Plugin);
        }
        let unknown = |why: &str| {
            let pid = peer.as_raw_pid();
            Some(Caller::Unknown(format!("process {pid} {why}").into()))
        };
        let mut looks = (0..LOOKS).map(|_| origin(peer.as_raw_pid(), parent));
        match looks.find(|found| *found != Origin::Gone) {
            Some(Origin::Elsewhere) => None,
            Some(Origin::Child(child)) => {
                match Pid::from_raw(child).and_then(|pid| self.with_pid(pid)) {
                    Some(plugin) => Some(Caller::Plugin(plugin)),
                    None => unknown("is a child that a plugin left behind"),
                }
            }
            Some(Origin::Gone) | None => unknown("has ended"),
        }
    }

    fn with_pid(&self, pid: Pid) -> Option<Rc<PluginProcess>> {
        let find = |all: &[Rc<PluginProcess>]| {
            let mut all = all.iter();
            all.find(|plugin| plugin.pid() == Some(pid)).cloned()
        };
        let found = self.visit(find);
        found.or_else(|| self.visit_beside(|all| find(all)))
    }

    /// Whether there are plugins that may not do everything.
    pub(crate) fn restricts(&self) -> bool {
        !self.config.permissions.is_open()
    }

    /// Why a request is refused, if it is.
    pub(crate) fn refusal(&self, caller: &Caller, method: &str) -> Option<RpcError> {
        let permissions = &self.config.permissions;
        let text = match caller {
            Caller::Plugin(plugin) if permissions.permits_method(&plugin.name, method) => {
                return None;
            }
            Caller::Plugin(plugin) => {
                let text = format!(
                    "plugin {} may not call '{}': the option plugin-permissions={}:methods=... does not name it",
                    plugin.name,
                    excerpt(method),
                    plugin.name
                );
                if let Some(more) = plugin
                    .complaints
                    .count(super::complaints::Fault::Permission)
                {
                    self.log().unusual(&plugin.origin, format!("{text}{more}"));
                }
                text
            }
            Caller::Unknown(why) => format!(
                "it can't be told which plugin this connection belongs to ({why}), and plugins have permissions (option \
                 plugin-permissions): call from a process whose parents live"
            ),
        };
        Some(RpcError::new(RpcErrorCode::RuneNotPermitted, text))
    }

    /// Counts a request; returns how long to wait before it is served.
    pub(crate) fn pace(&self, caller: &Caller) -> Option<Duration> {
        let Caller::Plugin(plugin) = caller else {
            return None;
        };
        let wait = plugin.requests.spend(PER_REQUEST)?;
        if plugin.requests.is_news() {
            let text =
                "calls the node more than 1000 times a second: its requests wait from now on";
            self.log().unusual(&plugin.origin, text);
        }
        Some(wait)
    }
}

/// Follows a process's ancestors. `parent` tells a process's parent.
fn origin(pid: i32, parent: impl Fn(i32) -> Option<i32>) -> Origin {
    let us = i32::try_from(std::process::id()).unwrap_or(0);
    let mut here = pid;
    for _ in 0..GENERATIONS {
        match parent(here) {
            None => return Origin::Gone,
            Some(above) if above == us => return Origin::Child(here),
            // Below the first process, and in namespaces also where the family leaves ours.
            Some(0 | 1) => return Origin::Elsewhere,
            Some(above) => here = above,
        }
    }
    Origin::Gone
}

/// The parent of a process that lives.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat_fields(&stat)?.1
}

/// The process group of a process that lives; 0 if the group began outside of our namespace of processes. `getpgid` of rustix
/// takes it for granted that there is no such thing.
fn group(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(2)?.parse().ok()
}

/// State and parent in a line of `/proc/PID/stat`; the name before them may hold anything.
fn stat_fields(stat: &str) -> Option<(&str, Option<i32>)> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    Some((state, fields.next()?.parse().ok()))
}

/// Has processes whose parents ended come to us instead of to the first process, so that plugins' children stay in sight.
///
/// Then they are ours to bury, too.
pub(crate) fn adopt_orphans() -> std::io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut ended = signal(SignalKind::child())?;
    tokio::task::spawn_local(async move {
        let seen = Cell::new(BTreeSet::new());
        loop {
            // After the last one there may be others that were too new.
            if seen.take().is_empty() {
                ended.recv().await;
            }
            let before = dead_children();
            // Those that somebody here waits for are gone long before this is over.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = dead_children();
            for pid in now.intersection(&before) {
                let pid = Pid::from_raw(*pid);
                let _gone_already = waitpid(pid, WaitOptions::NOHANG);
            }
            seen.set(now.difference(&before).copied().collect());
        }
    });
    Ok(())
}

/// Children that have ended and nobody has asked how.
fn dead_children() -> BTreeSet<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists = tasks.flatten().filter_map(|task| {
        let list = task.path().join("children");
        std::fs::read_to_string(list).ok()
    });
    let mut dead = BTreeSet::new();
    for list in lists {
        let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
        dead.extend(pids.filter(|pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            let stat = stat.unwrap_or_default();
            stat_fields(&stat).is_some_and(|(state, _)| state == "Z")
        }));
    }
    dead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_followed_up_to_us_or_past_us() {
        let us = i32::try_from(std::process::id()).unwrap();
        let family = |pid: i32| match pid {
            100_003 => Some(100_002),
            100_002 => Some(100_001),
            100_001 => Some(us),
            200_002 => Some(200_001),
            200_001 => Some(1),
            300_001 => Some(300_001),
            _ => None,
        };
        assert_eq!(origin(100_003, family), Origin::Child(100_001));
        assert_eq!(origin(100_001, family), Origin::Child(100_001));
        assert_eq!(origin(200_002, family), Origin::Elsewhere);
        assert_eq!(origin(300_001, family), Origin::Gone);
        assert_eq!(origin(400_001, family), Origin::Gone);
    }

    #[test]
    fn names_of_processes_do_not_confuse() {
        let line = "12 (a) Z 9 (x) ) S 34 12 12 0 -1";
        assert_eq!(stat_fields(line), Some(("S", Some(34))));
        assert_eq!(stat_fields("12"), None);
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(parent(me).is_some());
        assert!(group(me).is_some());
    }
}
