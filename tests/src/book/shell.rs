//! A shell that is typed into.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use ln_testkit::nodes::{process_is_running, try_wait_until, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use super::place::Place;

/// A world of its own for the shell and all that it starts: no other test has its ports, and nothing outlives it.
const ALONE: &[&[&str]] = &[
    &["--net", "--pid", "--fork", "--kill-child", "--mount-proc"],
    &[
        "--user",
        "--map-root-user",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ],
];

/// What the shell does before anything is typed. Commands that fail are noted, and aliases work as at a keyboard.
const BEFORE: &str = r#"
set -E
shopt -s expand_aliases
trap 'echo "\"$BASH_COMMAND\" failed with $?" >>"$SHELL_NOTES/failed"' ERR
# For `book: meanwhile`. Waits until these nodes have seen the chain of `btc`.
synced() {
    for node; do
        until $node -F getinfo 2>/dev/null | grep -qx "blockheight=$(btc getblockcount)"; do sleep 0.05; done
    done
}
# For pages that speak of a node: one in ~/.lightning, on a private chain. It may be called by the name of the main one.
a_node() {
    btc() { regtest-cli -regtest "$@"; }
    mkdir -p -m 700 ~/.bitcoin ~/.lightning
    mkdir -m 700 ~/.lightning/regtest
    ln -s regtest ~/.lightning/bitcoin
    echo network=regtest >~/.lightning/config
    regtest-bitcoind -regtest -daemonwait
    btc -generate 101
    lightningd --daemon --log-file=log
    synced lightning-cli
}
# Waits until nothing runs below these directories: a node that was told to stop lives a little longer than its answer.
gone() {
    for dir; do
        while ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q -- "-> $dir/"; do sleep 0.05; done
    done
}
# Waits until a node says something: a pattern for grep, then the command.
until_says() {
    local wanted=$1; shift
    until "$@" 2>/dev/null | grep -q -- "$wanted"; do sleep 0.05; done
}
"#;

/// A shell in a place.
#[derive(Debug)]
pub struct Shell<'a> {
    place: &'a Place,
    child: Child,
    stdin: Option<ChildStdin>,
    typed: u32,
    /// Held while nobody else may use the ports that pages name.
    alone: Option<File>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// All it wrote, with paths as pages have them.
    pub output: String,
    /// Which command failed, if one did.
    pub failed: Option<String>,
}

impl<'a> Shell<'a> {
    /// Starts one in a directory.
    ///
    /// # Errors
    /// If there is no bash, or files can't be written.
    pub fn start(place: &'a Place, directory: &Path) -> io::Result<Self> {
        let (mut command, alone) = shell_command()?;
        let mut child = command
            .args(["--noprofile", "--norc"])
            .current_dir(directory)
            .env_clear()
            .env("HOME", place.home())
            .env("TMPDIR", place.tmp())
            .env("PATH", place.path())
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("SHELL_NOTES", place.notes())
            .envs(
                ["BITCOIND", "BITCOIN_CLI"]
                    .into_iter()
                    .filter_map(|name| Some((name, env::var_os(name)?))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdin = child.stdin.take();
        let mut shell = Self {
            place,
            child,
            stdin,
            typed: 0,
            alone,
        };
        // Without it nothing listens on this machine's own addresses.
        let up = if shell.alone.is_none() {
            "ip link set lo up\n"
        } else {
            ""
        };
        let begun = shell.type_in(&format!("{up}{BEFORE}"));
        match begun.failed {
            None => Ok(shell),
            Some(failed) => Err(io::Error::other(format!("{failed}: {}", begun.output))),
        }
    }

    /// Types commands and waits until they are done.
    ///
    /// # Panics
    /// If they never are, or the shell ends.
    pub fn type_in(&mut self, text: &str) -> Typed {
        self.typed = self.typed.saturating_add(1);
        let notes = self.place.notes();
        let file = |kind: &str| notes.join(format!("{}.{kind}", self.typed));
        let (script, output, done) = (file("sh"), file("out"), file("done"));
        let failed = notes.join("failed");
        let _ = fs::remove_file(&failed);
        let mut text = self.place.localised(text);
        text.push('\n');
        fs::write(&script, text).expect("notes can be written");
        let quoted = |path: &Path| format!("'{}'", path.display());
        let line = format!(
            ". {} >{} 2>&1 </dev/null; echo $? >{}\n",
            quoted(&script),
            quoted(&output),
            quoted(&done)
        );
        let stdin = self.stdin.as_mut().expect("it is open until the end");
        stdin.write_all(line.as_bytes()).expect("the shell reads");
        let child = &mut self.child;
        let ended = try_wait_until("the end of what was typed", || match child.try_wait() {
            Ok(Some(status)) => Err(format!("the shell ended: {status}")),
            Ok(None) | Err(_) => Ok(fs::read_to_string(&done)
                .ok()
                .filter(|text| text.ends_with('\n'))),
        });
        let output = fs::read(&output).unwrap_or_default();
        let output = self.place.as_on_page(&String::from_utf8_lossy(&output));
        if let Err(error) = ended {
            panic!("{error}\n{output}");
        }
        let failed = fs::read_to_string(&failed).ok();
        let failed = failed.map(|text| self.place.as_on_page(text.trim_end()));
        Typed { output, failed }
    }
}

impl Drop for Shell<'_> {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        // In a world of its own that was all. Else what was left behind is known by its home.
        for pid in of_home(&self.place.home()) {
            let _ = kill_process(pid, Signal::KILL);
            let number = u32::try_from(pid.as_raw_nonzero().get()).unwrap_or(0);
            wait_until("the end of what a page started", || {
                (!process_is_running(number)).then_some(())
            });
        }
    }
}

/// The command that starts a shell alone; a lock if that can't be had.
fn shell_command() -> io::Result<(Command, Option<File>)> {
    for options in ALONE {
        let tried = Command::new("unshare")
            .args(*options)
            .args(["ip", "link", "set", "lo", "up"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if tried.is_ok_and(|status| status.success()) {
            let mut command = Command::new("unshare");
            command.args(*options).arg("bash");
            return Ok((command, None));
        }
    }
    // One page at a time, on the machine's own ports.
    let lock = File::create(env::temp_dir().join("fulgurite-book.lock"))?;
    lock.lock()?;
    Ok((Command::new("bash"), Some(lock)))
}

/// Processes whose home is this one.
fn of_home(home: &Path) -> Vec<Pid> {
    let wanted = format!("HOME={}", home.display());
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ours = |directory: PathBuf| {
        let number = directory.file_name()?.to_str()?.parse().ok()?;
        let environment = fs::read(directory.join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        variables
            .any(|variable| variable == wanted.as_bytes())
            .then(|| Pid::from_raw(number))?
    };
    processes
        .filter_map(|entry| ours(entry.ok()?.path()))
        .collect()
}
