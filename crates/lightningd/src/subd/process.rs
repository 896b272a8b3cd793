//! One helper process.

use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;

use anyhow::{Context as _, bail};
use command_fds::{CommandFdExt, FdMapping};
use ln_codec::Decode;
use ln_daemon::VERSION;
use ln_ipc::status::Status;
use ln_ipc::{AsyncReader, AsyncStream, FrameError, Stream, message_number};
use ln_types::NodeId;
use rustix::process::{Pid, Signal, kill_process};

use super::SubdSender;
use super::running::{self, PATIENCE, Running};
use super::switches::Switches;
use crate::crash;
use crate::log::{Logger, Origin};
use crate::options::DevConfig;

/// The numbers every helper's status messages begin at.
const STATUS_NUMBERS: u16 = 0xfff0;

/// What a report has for a helper that a signal ended.
const NO_BACKTRACE: &str = "No backtrace. Helpers leave core files only with dev-no-sandbox.";

/// Signals that a program sends itself by its mistakes.
const CRASHES: &[i32] = &[
    Signal::ABORT.as_raw(),
    Signal::BUS.as_raw(),
    Signal::FPE.as_raw(),
    Signal::ILL.as_raw(),
    Signal::SEGV.as_raw(),
    Signal::SYS.as_raw(),
    Signal::TRAP.as_raw(),
];

/// What is needed to start a helper.
pub(crate) struct SubdStart<'a> {
    /// Its name without `lightning_`: `channeld`.
    pub(crate) name: &'a str,
    /// Another program to run in its place (`subdaemon`).
    pub(crate) program: Option<&'a str>,
    /// Who its log lines come from.
    pub(crate) origin: Origin,
    /// Descriptors it finds from 3 on.
    pub(crate) fds: Vec<OwnedFd>,
}

/// A running helper. Dropping it closes its socket, on which it ends.
#[derive(Debug)]
pub(crate) struct Subd {
    name: String,
    origin: Origin,
    log: Logger,
    reader: AsyncReader,
    sender: SubdSender,
    running: Rc<Running>,
    failure: Option<String>,
    billboard: Rc<RefCell<Option<String>>>,
}

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logger")
    }
}

/// How a helper ended.
#[derive(Debug)]
pub(crate) struct SubdEnd {
    /// What it said last about its own failure.
    pub(crate) failure: Option<String>,
    /// Its exit status, where it could be had.
    pub(crate) status: Option<ExitStatus>,
}

impl SubdEnd {
    /// Whether it ended as it should.
    pub(crate) fn is_clean(&self) -> bool {
        self.failure.is_none() && self.status.is_some_and(|status| status.success())
    }
}

impl std::fmt::Display for SubdEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.failure, self.status) {
            (Some(failure), _) => write!(f, "{}", failure.lines().next().unwrap_or_default()),
            (None, Some(status)) => write!(f, "{status}"),
            (None, None) => f.write_str("ended"),
        }
    }
}

/// Stops a helper that is to be debugged where it is, and says how to go on.
fn stop_for_debugger(log: &Logger, name: &str, pid: Option<u32>) {
    if !Switches::get().debugs(name) {
        return;
    }
    let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) else {
        return;
    };
    let number = pid.as_raw_nonzero();
    // A helper that is gone already needs no debugger.
    let _gone_already = kill_process(pid, Signal::STOP);
    let text = format!(
        "lightning_{name} waits for a debugger: gdb -p {number} (without one: kill -CONT {number})"
    );
    crate::daemon::say(&format!("{text}\n"));
    log.unusual(&Origin::of("lightningd"), text);
}

impl Subd {
    /// Does with helpers what developers want.
    pub(crate) fn configure(developer: bool, dev: &DevConfig) {
        Switches::set(developer, dev);
    }

    /// Starts a helper out of this very executable, or the program given for it.
    pub(crate) fn start(log: &Logger, start: SubdStart<'_>) -> anyhow::Result<Self> {
        if running::is_ending() {
            bail!("the node stops");
        }
        let (ours, theirs) = Stream::pair()?;
        let argv0 = format!("lightning_{}", start.name);
        let mut command = match start.program {
            Some(program) => Command::new(program),
            None => {
                let mut command = Command::new("/proc/self/exe");
                command.arg0(&argv0);
                command
            }
        };
        let mappings = start
            .fds
            .into_iter()
            .zip(3..)
            .map(|(parent_fd, child_fd)| FdMapping {
                parent_fd,
                child_fd,
            })
            .collect();
        command
            .stdin(Stdio::from(theirs))
            .fd_mappings(mappings)
            .context("descriptors for a helper collide")?;
        Switches::get().apply(&mut command, start.name);
        // A helper must not die of the operator's ctrl-c before lightningd has said what to do.
        command.process_group(0);
        let mut command = tokio::process::Command::from(command);
        let child = command
            .kill_on_drop(false)
            .spawn()
            .with_context(|| format!("can't start {argv0}"))?;
        stop_for_debugger(log, start.name, child.id());
        let number = ours.as_fd().as_raw_fd();
        let (reader, writer) = AsyncStream::new(ours)?.split();
        log.debug(
            &start.origin,
            format!("pid {}, msgfd {number}", child.id().unwrap_or_default()),
        );
        let running = Running::watch(start.name, start.origin.clone(), child, writer.hang_up());
        Ok(Self {
            name: start.name.to_owned(),
            origin: start.origin,
            log: log.clone(),
            reader,
            sender: SubdSender::new(writer),
            running,
            failure: None,
            billboard: Rc::default(),
        })
    }

    /// The way to it.
    pub(crate) fn sender(&self) -> SubdSender {
        self.sender.clone()
    }

    /// Ends it by another stream, too: it may listen to that one alone.
    pub(crate) fn also_ends_on(&self, stream: &AsyncStream) {
        self.running.also_on(stream.hang_up());
    }

    /// The sentence it last set for `listpeerchannels`' `status`.
    pub(crate) fn billboard(&self) -> Rc<RefCell<Option<String>>> {
        Rc::clone(&self.billboard)
    }

    /// Waits for its next message of its own kind; log lines and the like are dealt with here.
    pub(crate) async fn next<T: Decode>(&mut self) -> Result<T, SubdEnd> {
        loop {
            let message = match self.reader.recv_raw().await {
                Ok(message) => message,
                // One that ends before it read everything we sent resets the socket: that says no more than its end. How it ended says the
                // rest.
                Err(FrameError::Closed | FrameError::Io(_)) => return Err(self.end().await),
                Err(error) => {
                    self.failure
                        .get_or_insert_with(|| format!("{} spoke badly: {error}", self.name));
                    return Err(self.end().await);
                }
            };
            if message_number(&message).is_some_and(|number| number >= STATUS_NUMBERS) {
                self.on_status(&message);
                continue;
            }
            match T::from_bytes(&message) {
                Ok(message) => return Ok(message),
                Err(error) => {
                    let number = message_number(&message).unwrap_or_default();
                    self.failure.get_or_insert_with(|| {
                        format!("{} sent message {number}: {error}", self.name)
                    });
                    return Err(self.end().await);
                }
            }
        }
    }

    fn on_status(&mut self, message: &[u8]) {
        match Status::from_bytes(message) {
            Ok(Status::Log(line)) => {
                let origin = self.origin_of(line.peer);
                self.log.log(line.level, &origin, line.text);
            }
            Ok(Status::Io(io)) => {
                let origin = self.origin_of(io.peer);
                self.log.io(io.level, &origin, &io.text, &io.data);
            }
            Ok(Status::Panic(panic)) => {
                let title = format!("{} crashed: {}", self.name, panic.text);
                self.report(&title, &panic.backtrace);
            }
            Ok(Status::Fail(fail)) => {
                self.log.broken(&self.origin, &fail.text);
                self.failure = Some(fail.text);
            }
            Ok(Status::PeerConnectionLost(_)) => {
                self.log.debug(&self.origin, "peer connection lost");
            }
            Ok(Status::Billboard(billboard)) => *self.billboard.borrow_mut() = Some(billboard.text),
            Ok(Status::Version(version)) => {
                if !Switches::get().takes(&version.version) {
                    self.failure = Some(format!(
                        "{} is of version {}, lightningd of {VERSION}: restart the node",
                        self.name, version.version
                    ));
                }
            }
            Err(error) => self
                .log
                .broken(&self.origin, format!("undecodable status message: {error}")),
        }
    }

    /// Who a line of it comes from.
    fn origin_of(&self, peer: Option<NodeId>) -> Origin {
        match peer {
            Some(peer) => Origin {
                peer: Some(peer),
                name: Rc::clone(&self.origin.name),
            },
            None => self.origin.clone(),
        }
    }

    /// It crashed: tells so, and keeps it for whoever waits for an answer.
    fn report(&mut self, title: &str, backtrace: &str) {
        let told = crash::report(
            &self.log,
            &self.origin,
            self.running.pid(),
            title,
            backtrace,
        );
        self.failure = Some(told);
    }

    /// Tells how it ended, if that was not as it should.
    fn tell_end(&mut self, status: Option<ExitStatus>) {
        let is_clean = status.is_some_and(|status| status.success());
        // One that is ended with the node finds lightningd gone.
        if self.failure.is_some() || is_clean || running::is_ending() {
            return;
        }
        let text = status.map_or_else(|| "ended".to_owned(), |status| status.to_string());
        let signal = status.and_then(|status| status.signal());
        if signal.is_some_and(|signal| CRASHES.contains(&signal)) {
            let beyond = signal == Some(Signal::SYS.as_raw());
            let beyond = if beyond {
                ", for what its sandbox does not allow"
            } else {
                ""
            };
            let title = format!("{} crashed: killed by {text}{beyond}", self.name);
            self.report(&title, NO_BACKTRACE);
            return;
        }
        let hint = if signal == Some(Signal::KILL.as_raw()) {
            ": by somebody, or by the kernel because memory ran out"
        } else {
            ""
        };
        let text = format!("{} died: {text}{hint}", self.name);
        self.log.unusual(&self.origin, text);
    }

    /// Its socket is closed: it ends now or is made to.
    async fn end(&mut self) -> SubdEnd {
        let status = match tokio::time::timeout(PATIENCE, self.running.ended()).await {
            Ok(status) => status,
            Err(_) => {
                self.log
                    .unusual(&self.origin, "did not end by itself, killed");
                self.running.kill();
                self.running.ended().await
            }
        };
        self.tell_end(status);
        SubdEnd {
            failure: self.failure.take(),
            status,
        }
    }

    /// Waits for its next descriptor.
    pub(crate) async fn recv_fd(&mut self) -> Result<OwnedFd, FrameError> {
        self.reader.recv_fd().await
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }
}
