//! Giving up all that a helper does not need.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::thread::set_no_new_privs;

use crate::files::for_backtraces;
use crate::filter::Filter;
use crate::profile::{Helper, May, Profile};
use crate::{limits, ruleset, switch};

/// How often, and how far apart, it is looked whether threads have ended: half a second in all.
const ROUNDS: u32 = 500;
/// See [`ROUNDS`].
const ROUND: Duration = Duration::from_millis(1);

/// What is in force now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// A developer wants none of it.
    pub off: bool,
    /// The version of landlock, as the kernel counts them; 0 is none.
    pub landlock: u8,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// What could not be done, and why.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether something is missing that the operator would like to know of.
    pub fn is_lacking(&self) -> bool {
        !self.off && (self.landlock == 0 || !self.seccomp || !self.problems.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.off {
            return f.write_str("sandbox: off");
        }
        f.write_str("sandbox: no new privileges, ")?;
        match self.landlock {
            0 => f.write_str("no landlock")?,
            version => write!(f, "landlock {version}")?,
        }
        f.write_str(if self.seccomp {
            ", seccomp"
        } else {
            ", no seccomp"
        })?;
        for problem in &self.problems {
            write!(f, "; {problem}")?;
        }
        Ok(())
    }
}

/// Confines this process to what the helper needs from now on, for good: its descriptors, and reading what is in `read` and the files that a
/// backtrace is made from. Call it before the first byte of a stranger is read, with one thread; others that are about to end are waited for.
///
/// What the kernel does not have is left out and told of.
pub fn confine(helper: Helper, read: &[PathBuf]) -> Report {
    let mut report = Report {
        off: switch::is_off(),
        landlock: 0,
        seccomp: false,
        problems: Vec::new(),
    };
    if report.off {
        return report;
    }
    let profile = helper.profile();
    report.problems = limits::set(&profile);
    if !is_alone() {
        let text = "another thread runs, which landlock does not bind";
        report.problems.push(text.to_owned());
    }
    if let Err(error) = set_no_new_privs(true) {
        report.problems.push(format!("no new privileges: {error}"));
    }
    restrict_files(&profile, read, &mut report);
    filter_calls(&profile, &mut report);
    report
}

fn restrict_files(profile: &Profile, read: &[PathBuf], report: &mut Report) {
    let mut files = for_backtraces();
    files.extend_from_slice(read);
    match ruleset::restrict(profile, &files) {
        Ok(Some(version)) => report.landlock = number(version),
        Ok(None) => {}
        Err(error) => report.problems.push(format!("landlock: {error}")),
    }
}

fn number(version: landlock::ABI) -> u8 {
    version.to_string().parse().unwrap_or(0)
}

fn filter_calls(profile: &Profile, report: &mut Report) {
    // Without landlock an open file could be any file: then rather a backtrace without names.
    let opens = report.landlock > 0 || profile.allows(May::UseNetwork);
    let filter = match Filter::new(profile, std::process::id(), opens) {
        Ok(filter) => filter,
        Err(error) => return report.problems.push(error.to_string()),
    };
    // The second one takes away the call that sets it.
    for program in [&filter.fatal, &filter.allowed] {
        if let Err(error) = seccompiler::apply_filter_all_threads(program) {
            return report.problems.push(format!("seccomp: {error}"));
        }
    }
    report.seccomp = true;
}

/// Whether there is no other thread, or none any more a moment later.
fn is_alone() -> bool {
    for _ in 0..ROUNDS {
        if threads() <= 1 {
            return true;
        }
        thread::sleep(ROUND);
    }
    false
}

/// How many threads this process has; 0 if that can't be known.
fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
