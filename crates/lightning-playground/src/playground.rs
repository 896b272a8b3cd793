//! The chain and the nodes, and the commands `l1`, `l2`, ... and `btc` for them.

use std::fs;
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
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::cli::{Page, Wishes};
use crate::directory::{self, Directory, PATIENCE, PAUSE};
use crate::guard;
use crate::interrupt;
use crate::owner::{self, VARIABLE};
use crate::programs::Programs;
use crate::screen::{self, Screen};
use crate::shorten::Shorten;

/// What each node may need besides, at most: they share the machine.
const PATIENCE_PER_NODE: Duration = Duration::from_secs(5);
/// What the nodes have to end by themselves.
const TIME_TO_END: Duration = Duration::from_secs(10);
/// The end of a log that is shown after a failure.
const SHOWN_LOG_LINES: usize = 20;
/// Of so many processes.
const SHOWN_LOGS: usize = 3;

/// The command `start`.
const START: &str = include_str!("start.sh");

/// A process started here.
#[derive(Debug)]
struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) port: u16,
}

/// Everything that runs, and where.
#[derive(Debug)]
pub(crate) struct Playground {
    pub(crate) screen: Screen,
    programs: Programs,
    directory: Directory,
    keep: bool,
    patience: Duration,
    /// Where the page is, if there is one.
    page: Option<u16>,
    nodes: Vec<Node>,
    /// In the order they were started.
    running: Vec<Running>,
    /// What keeps the ports of all for them.
    ports: Vec<OwnedFd>,
    ended: bool,
}

impl Playground {
    /// One where nothing runs yet.
    pub(crate) fn new(screen: Screen, wishes: &Wishes) -> Result<Self> {
        let programs = Programs::find()?;
        let mut ports = Vec::new();
        let page = match wishes.page {
            Page::No => None,
            Page::AnyPort => Some(0),
            Page::Port(port) => Some(port),
        };
        let page = match page {
            None => None,
            Some(port) => {
                let (port, socket) = reserve_port(port)?;
                ports.push(socket);
                Some(port)
            }
        };
        let mut nodes = Vec::new();
        for number in 1..=wishes.nodes {
            let (port, socket) = reserve_port(0)?;
            ports.push(socket);
            let name = format!("l{number}");
            nodes.push(Node { name, port });
        }
        let count = u32::try_from(wishes.nodes).unwrap_or(u32::MAX);
        Ok(Self {
            screen,
            programs,
            directory: Directory::make(wishes.dir.as_deref(), wishes.nodes)?,
            keep: wishes.keep,
            patience: PATIENCE.saturating_add(PATIENCE_PER_NODE.saturating_mul(count)),
            page,
            nodes,
            running: Vec::new(),
            ports,
            ended: false,
        })
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// The nodes, started or not.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How long anything may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Where a node answers.
    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        self.dir().join(name).join("regtest/lightning-rpc")
    }

    /// Whether the chain was started.
    pub(crate) fn has_chain(&self) -> bool {
        self.running.iter().any(|running| running.name == "btc")
    }

    /// Starts the chain and makes the command `btc`.
    pub(crate) fn start_chain(&mut self) -> Result<()> {
        self.make_start()?;
        let base = self.dir().join("btc");
        fs::create_dir(&base)?;
        let (port, socket) = reserve_port(0)?;
        self.ports.push(socket);
        let conf = format!(
            "regtest=1\nserver=1\ntxindex=1\nlisten=0\nfallbackfee=0.00001\nprinttoconsole=0\nrpcuser=play\nrpcpassword=ground\n\
             [regtest]\nrpcport={port}\n"
        );
        fs::write(base.join("bitcoin.conf"), conf)?;
        let datadir = format!("-datadir={}", base.display());
        let program = self.programs.bitcoind.clone();
        let cli = self.programs.bitcoin_cli.clone();
        self.make_command("btc", &cli, &["-regtest", &datadir])?;
        let words = ["-regtest".to_owned(), datadir];
        let log = base.join("regtest/debug.log");
        self.launch("btc", &program, &words, log, true)?;
        self.wait_for("the chain to come up", |play| {
            Ok(play.quiet("btc", &["getblockcount"]).ok().map(drop))
        })?;
        // bitcoind makes no wallet by itself; ours may have done so already.
        let _exists = self.quiet("btc", &["createwallet", "play"]);
        Ok(())
    }

    /// Starts a node, shows how, and waits until it answers.
    pub(crate) fn start_node(&mut self, name: &str) -> Result<()> {
        self.launch_node(name, &[], true)?;
        self.wait_for(&format!("{name} to come up"), |play| {
            Ok(play.quiet(name, &["getinfo"]).ok().map(drop))
        })
    }

    /// Starts all nodes that do not run yet, and waits until they answer.
    pub(crate) fn start_others(&mut self) -> Result<()> {
        let names = self.nodes.iter().map(|node| node.name.clone());
        let mut names: Vec<String> = names.collect();
        names.retain(|name| !self.runs(name));
        for name in &names {
            interrupt::check()?;
            self.launch_node(name, &[], false)?;
        }
        let what = match names.as_slice() {
            [] => return Ok(()),
            [name] => format!("{name} to come up"),
            more => format!("{} nodes to come up", more.len()),
        };
        self.wait_for(&what, |play| {
            names.retain(|name| play.quiet(name, &["getinfo"]).is_err());
            Ok(names.is_empty().then_some(()))
        })
    }

    /// Makes sure that the page is served, and tells where; there is none unless the first node runs.
    pub(crate) fn page(&self) -> Result<Option<String>> {
        let (Some(port), Some(first)) = (self.page, self.nodes.first()) else {
            return Ok(None);
        };
        let told = self.quiet(&first.name, &["playground-view"]);
        let told = told.with_context(|| format!("the page is not served on port {port}"))?;
        let url = told.get("url").and_then(Value::as_str);
        Ok(url.map(str::to_owned))
    }

    /// Starts a node, with its files and its command if it is the first time.
    fn launch_node(&mut self, name: &str, words: &[String], shown: bool) -> Result<()> {
        let base = self.dir().join(name);
        let directory = format!("--lightning-dir={}", base.display());
        if !base.exists() {
            self.make_node(name, &directory)?;
        }
        let words: Vec<String> = std::iter::once(directory)
            .chain(words.iter().cloned())
            .collect();
        let program = self.programs.lightningd.clone();
        self.launch(name, &program, &words, base.join("log"), shown)
    }

    fn make_node(&self, name: &str, directory: &str) -> Result<()> {
        let node = self.nodes.iter().find(|node| node.name == name);
        let port = node.context("no such node")?.port;
        let base = self.dir().join(name);
        fs::create_dir(&base)?;
        let conf = format!(
            "network=regtest\nalias={name}\naddr=127.0.0.1:{port}\nlog-file={}\nlog-level=debug\nbitcoin-datadir={}\n\
             autoconnect-seeker-peers=0\ndeveloper\nallow-deprecated-apis=true\ndev-fast-gossip\n",
            base.join("log").display(),
            self.dir().join("btc").display(),
        );
        let view = self.view_settings(name)?;
        let conf = format!("{conf}{}{view}", self.rpc_settings()?);
        fs::write(base.join("config"), conf)?;
        let cli = self.programs.lightning_cli.clone();
        self.make_command(name, &cli, &[directory, "--network=regtest"])
    }

    /// The first node has the page: its plugin and what to draw.
    fn view_settings(&self, name: &str) -> Result<String> {
        let first = self.nodes.first().is_some_and(|first| first.name == name);
        let (true, Some(port)) = (first, self.page) else {
            return Ok(String::new());
        };
        let own = std::env::current_exe().context("can't tell where this program is")?;
        let plugin = self.dir().join("playground-view");
        write_script(&plugin, &own, &[crate::VIEW])?;
        let mut settings = format!("plugin={}\nplayground-view-port={port}\n", plugin.display());
        settings.extend(self.nodes.iter().map(|node| {
            let socket = self.socket(&node.name);
            format!("playground-view-node={}={}\n", node.name, socket.display())
        }));
        Ok(settings)
    }

    /// Whether a process with this name runs.
    fn runs(&mut self, name: &str) -> bool {
        let mut all = self.running.iter_mut();
        all.any(|one| one.name == name && matches!(one.child.try_wait(), Ok(None)))
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
    fn launch(
        &mut self,
        name: &str,
        program: &Path,
        words: &[String],
        log: PathBuf,
        shown: bool,
    ) -> Result<()> {
        if shown {
            let line = format!("{} {} &", file_name(program), words.join(" "));
            self.screen.command(&line);
        }
        let output = self.dir().join(format!("{name}.output"));
        let output = fs::File::create(output).context("can't write to the playground")?;
        let child = guard::command(program, words)?
            .env(VARIABLE, self.dir())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-c is for us alone; we end the others in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        self.running.retain(|running| running.name != name);
        self.running.push(Running {
            name: name.to_owned(),
            child,
            log,
        });
        Ok(())
    }

    /// Writes a small script, so that a person can use the command in any shell.
    fn make_command(&self, name: &str, program: &Path, words: &[&str]) -> Result<()> {
        write_script(&self.dir().join("bin").join(name), program, words)
    }

    /// Writes the command that starts a node again: it asks [`Self::tend`].
    fn make_start(&self) -> Result<()> {
        let dir = quote(&self.dir().display().to_string());
        let script = START
            .replace("@DIR@", &dir)
            .replace("@PID@", &std::process::id().to_string());
        let path = self.dir().join("bin/start");
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
        let end = Instant::now() + self.patience;
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
    pub(crate) fn show_logs(&mut self) {
        let dir = self.dir().to_owned();
        // Whoever has ended is to blame, else the last.
        let all = self.running.iter_mut().rev();
        let mut all: Vec<(bool, &Running)> = all
            .map(|running| (matches!(running.child.try_wait(), Ok(None)), &*running))
            .collect();
        all.sort_by_key(|(runs, _)| *runs);
        for (_, running) in all.into_iter().take(SHOWN_LOGS) {
            let output = dir.join(format!("{}.output", running.name));
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

    /// Looks after what runs while a person plays: starts nodes again on request, and tells which have ended.
    pub(crate) fn tend(&mut self) -> Result<Vec<(String, ExitStatus)>> {
        let mut ended = Vec::new();
        for running in &mut self.running {
            if let Some(status) = running.child.try_wait()? {
                ended.push((running.name.clone(), status));
            }
        }
        self.running
            .retain(|running| !ended.iter().any(|(name, _)| *name == running.name));
        let names: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        for name in names {
            let asked = self.dir().join("start").join(&name);
            let Ok(words) = fs::read_to_string(&asked) else {
                continue;
            };
            fs::remove_file(&asked)?;
            let words: Vec<String> = words.lines().map(str::to_owned).collect();
            let answer = if self.runs(&name) {
                "runs".to_owned()
            } else {
                self.launch_node(&name, &words, false)?;
                let running = self.running.last().context("it was started just now")?;
                running.child.id().to_string()
            };
            // In one step: the script reads it as soon as it is there.
            let written = asked.with_extension("new");
            fs::write(&written, answer)?;
            fs::rename(&written, asked.with_extension("pid"))?;
        }
        Ok(ended)
    }

    /// Ends what was started, and removes the directory.
    pub(crate) fn end(mut self) -> Result<()> {
        let line = self.screen.wait("ending the nodes and the chain");
        self.end_processes();
        line.done();
        self.ended = true;
        if self.keep {
            self.directory.give_away()?;
            screen::print(&format!("  kept: {}\n", self.dir().display()));
        } else {
            directory::remove(self.dir())?;
        }
        Ok(())
    }

    /// Ends the nodes, all at once, then the chain.
    fn end_processes(&mut self) {
        let (chain, nodes): (Vec<Running>, Vec<Running>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|running| running.name == "btc");
        for mut group in [nodes, chain] {
            // They end in order at this signal, whether they have come up already or not.
            for running in &group {
                signal(&running.child, Signal::TERM);
            }
            let end = Instant::now() + TIME_TO_END;
            for running in &mut group {
                while matches!(running.child.try_wait(), Ok(None)) && Instant::now() < end {
                    thread::sleep(PAUSE);
                }
                let _already_dead = running.child.kill();
                let _already_dead = running.child.wait();
            }
        }
        // Helpers see that their lightningd is gone; nobody waits for one that does not.
        owner::kill_marked(self.dir());
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.end_processes();
        if !self.keep {
            let _as_far_as_it_goes = directory::remove(self.dir());
        }
    }
}

/// Sends a signal to a child that was not waited for yet: its number is its own.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let _already_dead = kill_process(Pid::from_child(child), signal);
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

/// A script that runs a program with these words before its own.
fn write_script(path: &Path, program: &Path, words: &[&str]) -> Result<()> {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    let program = quote(&program.display().to_string());
    let script = format!("#!/bin/sh\nexec {program} {} \"$@\"\n", words.join(" "));
    fs::write(path, script)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A port for a server to be started, any if it is 0. Nobody else is given it as long as the socket is there, which does not listen.
fn reserve_port(port: u16) -> Result<(u16, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).with_context(|| match port {
        0 => "no free port".to_owned(),
        port => format!("port {port} can't be had"),
    })?;
    let address = SocketAddrV4::try_from(getsockname(&socket)?)?;
    Ok((address.port(), socket))
}

/// A word that a shell takes as it is.
pub(crate) fn quote(word: &str) -> String {
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
