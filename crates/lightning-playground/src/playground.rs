//! The directory, the chain and the nodes, and the commands `l1`, `l2` and `btc` for them.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::interrupt;
use crate::programs::Programs;
use crate::screen::{self, Screen};
use crate::shorten::Shorten;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(59);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// The end of a log that is shown after a failure.
const SHOWN_LOG_LINES: usize = 20;

/// A process started here.
#[derive(Debug)]
struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

/// Everything that runs, and where.
#[derive(Debug)]
pub(crate) struct Playground {
    pub(crate) screen: Screen,
    programs: Programs,
    dir: TempDir,
    keep: bool,
    /// In the order they were started.
    running: Vec<Running>,
    /// What keeps the ports of all for them.
    ports: Vec<OwnedFd>,
}

impl Playground {
    /// An empty one.
    pub(crate) fn new(screen: Screen, keep: bool) -> Result<Self> {
        let programs = Programs::find()?;
        let dir = TempDir::with_prefix("playground-").context("can't make a directory")?;
        fs::create_dir(dir.path().join("bin"))?;
        Ok(Self {
            screen,
            programs,
            dir,
            keep,
            running: Vec::new(),
            ports: Vec::new(),
        })
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn reserve_port(&mut self) -> Result<u16> {
        let (port, socket) = reserve_port()?;
        self.ports.push(socket);
        Ok(port)
    }

    /// Starts the chain and makes the command `btc`.
    pub(crate) fn start_chain(&mut self) -> Result<()> {
        let base = self.dir().join("btc");
        fs::create_dir(&base)?;
        let port = self.reserve_port()?;
        let conf = format!(
            "regtest=1\nserver=1\ntxindex=1\nlisten=0\nfallbackfee=0.00001\nprinttoconsole=0\nrpcuser=play\nrpcpassword=ground\n\
             [regtest]\nrpcport={port}\n"
        );
        fs::write(base.join("bitcoin.conf"), conf)?;
        let datadir = format!("-datadir={}", base.display());
        let program = self.programs.bitcoind.clone();
        let cli = self.programs.bitcoin_cli.clone();
        self.make_command("btc", &cli, &["-regtest", &datadir])?;
        self.launch(
            "btc",
            &program,
            &["-regtest", &datadir],
            base.join("regtest/debug.log"),
        )?;
        self.wait_for("the chain to come up", |play| {
            Ok(play.quiet("btc", &["getblockcount"]).ok().map(drop))
        })?;
        // bitcoind makes no wallet by itself; ours may have done so already.
        let _exists = self.quiet("btc", &["createwallet", "play"]);
        Ok(())
    }

    /// Starts a node and makes the command with its name.
    pub(crate) fn start_node(&mut self, name: &str) -> Result<()> {
        let base = self.dir().join(name);
        fs::create_dir(&base)?;
        let port = self.reserve_port()?;
        let chain = self.dir().join("btc");
        let conf = format!(
            "network=regtest\nalias={name}\naddr=127.0.0.1:{port}\nlog-file={}\nlog-level=debug\nbitcoin-datadir={}\n\
             autoconnect-seeker-peers=0\ndeveloper\nallow-deprecated-apis=true\ndev-fast-gossip\n",
            base.join("log").display(),
            chain.display(),
        );
        let conf = format!("{conf}{}", self.rpc_settings()?);
        fs::write(base.join("config"), conf)?;
        let directory = format!("--lightning-dir={}", base.display());
        let program = self.programs.lightningd.clone();
        let cli = self.programs.lightning_cli.clone();
        self.make_command(name, &cli, &[&directory, "--network=regtest"])?;
        self.launch(name, &program, &[&directory], base.join("log"))?;
        self.wait_for(&format!("{name} to come up"), |play| {
            Ok(play.quiet(name, &["getinfo"]).ok().map(drop))
        })
    }

    /// How a node reaches the chain.
    fn rpc_settings(&self) -> Result<String> {
        let conf = fs::read_to_string(self.dir().join("btc/bitcoin.conf"))?;
        let settings = conf
            .lines()
            .filter(|line| line.starts_with("rpc"))
            .map(|line| format!("bitcoin-{line}\n"));
        Ok(settings.collect())
    }

    /// Starts a process that this playground ends.
    fn launch(&mut self, name: &str, program: &Path, words: &[&str], log: PathBuf) -> Result<()> {
        self.screen
            .command(&format!("{} {} &", file_name(program), words.join(" ")));
        let output = fs::File::create(self.dir().join(format!("{name}.output")))?;
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-c is for us alone; we end the others in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        self.running.push(Running {
            name: name.to_owned(),
            child,
            log,
        });
        Ok(())
    }

    /// Writes a small script, so that a person can use the command in any shell.
    fn make_command(&self, name: &str, program: &Path, words: &[&str]) -> Result<()> {
        let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
        let program = quote(&program.display().to_string());
        let script = format!("#!/bin/sh\nexec {program} {} \"$@\"\n", words.join(" "));
        let path = self.dir().join("bin").join(name);
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Runs a command without showing it: its result.
    pub(crate) fn quiet(&self, name: &str, words: &[&str]) -> Result<Value> {
        interrupt::check()?;
        // Into files: a pipe that nobody reads would stop a talkative command.
        let (stdout, stderr) = (self.dir().join("stdout"), self.dir().join("stderr"));
        let mut child = Command::new(self.dir().join("bin").join(name))
            .args(words)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&stdout)?)
            .stderr(fs::File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("can't run {name}"))?;
        let status = wait_for_child(&mut child);
        if status.is_err() {
            let _already_dead = child.kill();
            let _already_dead = child.wait();
        }
        let command = format!("{name} {}", words.join(" "));
        let status = status.with_context(|| command.clone())?;
        let stdout = fs::read_to_string(stdout)?;
        if !status.success() {
            let stderr = fs::read_to_string(stderr)?;
            bail!("{command}: {} {}", stdout.trim(), stderr.trim());
        }
        // Notifications for people begin with '#'.
        let json: String = stdout
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        // bitcoin-cli prints texts without quotes.
        Ok(serde_json::from_str(&json).unwrap_or(Value::String(json)))
    }

    /// Runs a command and shows it with its result.
    pub(crate) fn run(&self, name: &str, words: &[&str], shorten: Shorten) -> Result<Value> {
        let typed: Vec<String> = words.iter().map(|word| quote_if_needed(word)).collect();
        self.screen.command(&format!("{name} {}", typed.join(" ")));
        let result = self.quiet(name, words)?;
        screen::print(&format!("{}\n", shorten.show(&result)));
        Ok(result)
    }

    /// Waits until a look finds something, and tells how long it took.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let line = self.screen.wait(&format!("waiting for {what}"));
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self)? {
                line.done();
                return Ok(found);
            }
            interrupt::check()?;
            for running in &mut self.running {
                if let Some(status) = running.child.try_wait()? {
                    bail!("{} ended: {status}", running.name);
                }
            }
            ensure!(Instant::now() < end, "waited in vain for {what}");
            thread::sleep(PAUSE);
        }
    }

    /// Shows the ends of all logs.
    pub(crate) fn show_logs(&self) {
        for running in &self.running {
            let output = self.dir().join(format!("{}.output", running.name));
            for path in [&running.log, &output] {
                let text = fs::read_to_string(path).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let skipped = lines.len().saturating_sub(SHOWN_LOG_LINES);
                let shown = lines.get(skipped..).unwrap_or_default();
                if !shown.is_empty() {
                    screen::complain(&format!("---- {}", path.display()));
                    screen::complain(&shown.join("\n"));
                }
            }
        }
    }

    /// Ends what was started, the last first, and removes the directory.
    pub(crate) fn end(mut self) -> Result<()> {
        let line = self.screen.wait("ending the nodes and the chain");
        self.end_processes();
        line.done();
        if self.keep {
            self.dir.disable_cleanup(true);
            screen::print(&format!("  kept: {}\n", self.dir().display()));
        } else {
            remove(self.dir())?;
        }
        Ok(())
    }

    fn end_processes(&mut self) {
        while let Some(mut running) = self.running.pop() {
            // Not `quiet`: after ctrl-c, too. A process that does not know the command is killed below.
            let asked = Command::new(self.dir().join("bin").join(&running.name))
                .arg("stop")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let end = Instant::now() + Duration::from_secs(10);
            while matches!(running.child.try_wait(), Ok(None)) && Instant::now() < end {
                thread::sleep(PAUSE);
            }
            let _already_dead = running.child.kill();
            let _already_dead = running.child.wait();
            if let Ok(mut asked) = asked {
                let _already_dead = asked.kill();
                let _already_dead = asked.wait();
            }
        }
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        self.end_processes();
    }
}

/// Waits for a command to end, but neither for ever nor after ctrl-c.
fn wait_for_child(child: &mut Child) -> Result<ExitStatus> {
    let end = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        interrupt::check()?;
        ensure!(Instant::now() < end, "no answer");
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// Removes a directory into which an ending helper may still write.
fn remove(dir: &Path) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir_all(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(_) if Instant::now() < end => thread::sleep(PAUSE),
            Err(error) => {
                return Err(error).with_context(|| format!("can't remove {}", dir.display()));
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A port for a server to be started. Nobody else is given it as long as the socket is there, which does not listen.
fn reserve_port() -> Result<(u16, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let address = SocketAddrV4::try_from(getsockname(&socket)?)?;
    Ok((address.port(), socket))
}

/// A word that a shell takes as it is.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn quote_if_needed(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=./:@,+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        quote(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quote_if_needed("253perkw"), "253perkw");
        assert_eq!(quote_if_needed("id@127.0.0.1:9735"), "id@127.0.0.1:9735");
        assert_eq!(quote_if_needed("two words"), "'two words'");
        assert_eq!(quote_if_needed(""), "''");
        assert_eq!(quote_if_needed("it's"), r"'it'\''s'");
    }
}
