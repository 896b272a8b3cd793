//! One plugin process: requests to it and what comes back.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::{Rc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use ln_daemon::{DEV_PANIC, VERSION};
use ln_plugin::protocol::{Manifest, write_notification, write_request};
use ln_rpc::RpcError;
use rustix::process::{Pid, Signal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::budget::Budget;
use super::caller;
use super::complaints::Complaints;
use super::error::PluginError;
use super::excerpt::excerpt;
use super::host::{End, PluginHost};
use super::life::Life;
use super::queue::{AT_ONCE, Hurry, Queue};
use super::reading::{OutputEnd, read};
use super::request_id::{asked_method, request_id};
use super::save_io::SaveIo;
use super::stats::Stats;
use super::tap::{Taps, Trace, Way};
use super::topics::SHUTDOWN;
use crate::log::{LogLevel, Logger, Origin, masked_json};
use crate::rpc::Context;

/// How long is read on after the process ended: what it wrote is in the pipe already, unless a child of its own holds the other end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How far a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It was asked what it offers.
    Asked,
    /// What it offers is known.
    Known,
    /// It works.
    Running,
    /// It ended, or is being ended.
    Ended,
}

/// Who waits for an answer.
#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Result<Box<RawValue>, PluginError>>,
    /// When it was asked.
    since: Instant,
    /// The client whose request this is, to be told of progress.
    client: Option<Context>,
}

/// A plugin and its process.
#[derive(Debug)]
pub(crate) struct PluginProcess {
    /// The name of its file.
    pub(crate) name: Rc<str>,
    /// The path it was started from; the name alone for one that is built in.
    pub(crate) path: Rc<str>,
    /// Who its log lines come from.
    pub(crate) origin: Origin,
    /// Whether the node ends with it.
    pub(crate) important: Cell<bool>,
    /// Whether it is one of ours.
    pub(crate) builtin: bool,
    /// What its file held when it was started.
    pub(super) checksum: u64,
    /// Whether it is told things as they were told in 2019.
    pub(super) old: Cell<bool>,
    /// What it offers, once it told.
    pub(super) manifest: OnceCell<Manifest>,
    stage: Cell<Stage>,
    waiting: RefCell<HashMap<String, Waiting>>,
    queue: Queue,
    complained: Cell<bool>,
    /// What it did wrong so far.
    pub(crate) complaints: Complaints,
    /// How often it was asked.
    pub(crate) stats: Stats,
    /// What it may ask of the node.
    pub(super) requests: Budget,
    /// Who watches it.
    pub(super) taps: Taps,
    /// Where what it is asked is saved.
    save_io: Option<Rc<SaveIo>>,
    log: Logger,
    next_id: Cell<u64>,
    /// What ties it to the processes before and after it.
    pub(super) life: Life,
    pid: Option<Pid>,
    ended: watch::Sender<bool>,
    /// Whether we ended it.
    told_to_end: Cell<bool>,
}

/// What a new process is given.
pub(super) struct Program<'a> {
    /// The path, or the name of a built-in one.
    pub(super) path: &'a str,
    /// Whether it is one of ours.
    pub(super) builtin: bool,
    /// Whether the node ends with it.
    pub(super) important: bool,
    /// Whether the node runs with `developer`.
    pub(super) developer: bool,
    /// Where it stands among all plugins.
    pub(super) place: u64,
}

impl PluginProcess {
    /// Starts a process. What it says goes to `host`.
    pub(super) fn start(host: &Rc<PluginHost>, program: &Program<'_>) -> anyhow::Result<Rc<Self>> {
        let path = program.path;
        let name = Path::new(path)
            .file_name()
            .map_or_else(|| path.into(), |name| name.to_string_lossy());
        let mut command = Command::new(if program.builtin {
            "/proc/self/exe"
        } else {
            path
        });
        command
            .arg0(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .env("LIGHTNINGD_PLUGIN", "1")
            .env("LIGHTNINGD_VERSION", VERSION);
        if program.developer {
            command.arg("--developer");
        }
        let panics = host.config.panic.as_ref();
        if let Some((_, after)) = panics.filter(|(name, _)| program.builtin && name == path) {
            command.env(DEV_PANIC, after.to_string());
        }
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("plugin {name} can't be started from {path}"))?;
        let stdin = child.stdin.take().context("plugin has no stdin")?;
        let stdout = child.stdout.take().context("plugin has no stdout")?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let plugin = Rc::new(Self {
            origin: Origin::of(&format!("plugin-{name}")),
            name: name.as_ref().into(),
            path: path.into(),
            important: Cell::new(program.important),
            builtin: program.builtin,
            checksum: if program.builtin {
                0
            } else {
                host.config.checksum(path)
            },
            old: Cell::new(false),
            manifest: OnceCell::new(),
            stage: Cell::new(Stage::Asked),
            waiting: RefCell::default(),
            queue: Queue::to(widened(stdin)),
            complained: Cell::new(false),
            complaints: Complaints::default(),
            stats: Stats::default(),
            requests: Budget::new(caller::BURST),
            taps: Taps::default(),
            save_io: host.save_io.clone(),
            log: host.log().clone(),
            next_id: Cell::new(1),
            life: Life::at(program.place),
            pid: pid.and_then(Pid::from_raw),
            ended: watch::Sender::new(false),
            told_to_end: Cell::new(false),
        });
        let host = Rc::downgrade(host);
        tokio::task::spawn_local(supervise(host, Rc::clone(&plugin), child, stdout));
        Ok(plugin)
    }

    /// How far it is.
    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Whether it works.
    pub(crate) fn is_running(&self) -> bool {
        self.stage() == Stage::Running
    }

    /// Notes how far it is; there is no way back.
    pub(super) fn advance(&self, stage: Stage) {
        if stage == Stage::Running {
            self.life.begin();
        }
        self.stage.set(self.stage.get().max(stage));
    }

    /// What it offers; nothing before it told.
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.get()
    }

    /// Whether it may be started and stopped while the node runs.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.manifest().is_some_and(|manifest| manifest.dynamic)
    }

    /// Asks something and waits for the answer, which may never come.
    pub(crate) async fn call(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<Box<RawValue>, PluginError> {
        self.request(None, method, params).await
    }

    /// Asks for an answer of a known shape.
    pub(crate) async fn call_typed<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<T, PluginError> {
        let answer = self.call(method, params).await?;
        serde_json::from_str(answer.get()).map_err(|error| PluginError::Malformed {
            plugin: self.name.to_string(),
            method: method.to_owned(),
            problem: excerpt(&error.to_string()),
        })
    }

    /// Asks on behalf of a client, which hears of progress.
    pub(crate) async fn forward(
        &self,
        client: &Context,
        method: &str,
        params: &RawValue,
    ) -> Result<Box<RawValue>, PluginError> {
        self.request(Some(client), method, params).await
    }

    async fn request(
        &self,
        client: Option<&Context>,
        method: &str,
        params: &(impl Serialize + ?Sized),
    ) -> Result<Box<RawValue>, PluginError> {
        let terminated = || PluginError::Terminated(self.name.to_string());
        if self.stage() == Stage::Ended {
            return Err(terminated());
        }
        let number = self.next_id.get();
        self.next_id.set(number + 1);
        let id = request_id(client.map(|client| &*client.id), method, number);
        let mut bytes = Vec::new();
        write_request(&mut bytes, &id, method, params)
            .map_err(|error| PluginError::Answered(crate::rpc::internal(error)))?;
        if let Some(save_io) = &self.save_io {
            save_io.request(&self.log, method, bytes.trim_ascii_end());
        }
        self.show_sent(&bytes);
        self.stats.asked();
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting {
            answer,
            since: Instant::now(),
            client: client.cloned(),
        };
        self.waiting.borrow_mut().insert(id.clone(), waiting);
        let _forget = Forget { plugin: self, id };
        self.queue
            .push(bytes.into(), Hurry::Now)
            .map_err(|_| PluginError::Stuck(self.name.to_string()))?;
        receiver.await.unwrap_or_else(|_| Err(terminated()))
    }

    /// Shows the log what it is sent or says, without secrets, where somebody wants to see it.
    pub(super) fn show_log(&self, level: LogLevel, message: &[u8]) {
        if self.log.may_show(level, &self.origin.name) {
            self.log.io(level, &self.origin, "", &masked_json(message));
        }
    }

    /// Shows who watches what it is sent.
    fn show_sent(&self, bytes: &[u8]) {
        self.show_log(LogLevel::IoOut, bytes);
        if self.taps.is_watched() {
            self.taps.show(Way::To, &String::from_utf8_lossy(bytes));
        }
    }

    /// Lets somebody watch what it is sent and what it says.
    pub(crate) fn trace(&self) -> Trace {
        self.taps.open()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.pid
    }

    /// How many processes of the plugin ended soon before this one, in a row.
    pub(crate) fn restarts(&self) -> u32 {
        self.life.failures.get()
    }

    /// How many answers are waited for.
    pub(crate) fn pending(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// How many bytes it has not read yet.
    pub(crate) fn unread(&self) -> usize {
        self.queue.waiting()
    }

    /// Tells it of something. Lost if it does not read.
    pub(super) fn tell(&self, log: &Logger, topic: &str, params: &(impl Serialize + ?Sized)) {
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, params).is_ok() {
            self.tell_bytes(log, topic, bytes.into());
        }
    }

    /// Sends it a whole notification. It goes together with others that come soon after.
    pub(super) fn tell_bytes(&self, log: &Logger, topic: &str, bytes: Rc<[u8]>) {
        let Some(bytes) = self.life.keep(topic, bytes) else {
            return;
        };
        if self.stage() == Stage::Ended {
            return;
        }
        self.show_sent(&bytes);
        let hurry = if topic == SHUTDOWN {
            Hurry::Now
        } else {
            Hurry::Soon
        };
        let full = self.queue.push(bytes, hurry).is_err();
        // Said once only: the line itself may be a notification for the same plugin.
        if full && !self.complained.replace(true) {
            log.unusual(
                &self.origin,
                "does not read what it is sent: it misses notifications",
            );
        } else if !full {
            self.complained.set(false);
        }
    }

    /// From now on its end is what we want, and no failure.
    pub(super) fn may_end(&self) {
        self.told_to_end.set(true);
    }

    /// Ends it and all processes it started in its group.
    pub(crate) fn kill(&self) {
        self.may_end();
        self.kill_group();
    }

    /// Whether we ended it.
    pub(super) fn was_told_to_end(&self) -> bool {
        self.told_to_end.get()
    }

    fn kill_group(&self) {
        if let Some(pid) = self.pid
            && !*self.ended.borrow()
        {
            let _gone_already = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }

    /// Waits until it has ended and everybody who waited for it knows.
    pub(crate) async fn wait_ended(&self) {
        let mut ended = self.ended.subscribe();
        drop(ended.wait_for(|ended| *ended).await);
    }

    /// Waits until no client waits for an answer of its.
    pub(super) async fn wait_served(&self) {
        let serves = || {
            let waiting = self.waiting.borrow();
            waiting.values().any(|waiting| waiting.client.is_some())
        };
        while serves() && !*self.ended.borrow() {
            self.life.answered.notified().await;
        }
    }

    /// From now on its answers in hooks do not count.
    pub(super) fn forget_hooks(&self) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|_, waiting| waiting.client.is_some());
    }

    /// The client on whose behalf it was asked, by the id it was asked with.
    pub(super) fn client(&self, id: &RawValue) -> Option<Context> {
        let id: String = serde_json::from_str(id.get()).ok()?;
        self.waiting.borrow().get(&id)?.client.clone()
    }

    /// Whether it was asked something with this id, some time.
    pub(super) fn was_asked(&self, id: &RawValue) -> bool {
        let id: Option<String> = serde_json::from_str(id.get()).ok();
        let number = id.and_then(|id| id.rsplit_once('#')?.1.parse().ok());
        number.is_some_and(|number: u64| number > 0 && number < self.next_id.get())
    }

    /// Takes an answer; returns how long it took, if anybody waits for it.
    pub(super) fn answered(
        &self,
        id: &RawValue,
        outcome: Result<&RawValue, RpcError>,
        text: &str,
    ) -> Option<Duration> {
        let id = serde_json::from_str::<String>(id.get()).ok()?;
        let waiting = self.waiting.borrow_mut().remove(&id)?;
        let took = waiting.since.elapsed();
        self.stats.answered(took, outcome.is_err());
        if let (Some(save_io), Ok(_)) = (&self.save_io, &outcome) {
            save_io.answer(&self.log, asked_method(&id), text.as_bytes());
        }
        let answer = outcome
            .map(RawValue::to_owned)
            .map_err(PluginError::Answered);
        drop(waiting.answer.send(answer));
        Some(took)
    }
}

/// Lets a pipe hold what gathers in a while, if the system allows it; else its reader wakes up more often.
fn widened(stdin: ChildStdin) -> ChildStdin {
    let _as_it_is = rustix::pipe::fcntl_setpipe_size(&stdin, AT_ONCE);
    stdin
}

/// Forgets a request when nobody waits for it any more.
struct Forget<'a> {
    plugin: &'a PluginProcess,
    id: String,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if self.plugin.waiting.borrow_mut().remove(&self.id).is_some() {
            self.plugin.stats.given_up();
        }
        self.plugin.life.answered.notify_waiters();
    }
}

/// A number that changes with what a file holds; 0 if it can't be read.
pub(super) fn checksum(path: &str) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    match std::fs::read(path) {
        Ok(bytes) => hasher.write(&bytes),
        Err(_) => return 0,
    }
    hasher.finish()
}

/// Reads what a plugin says until it ends or makes no sense; then everybody who waits for it is told.
async fn supervise(
    host: Weak<PluginHost>,
    plugin: Rc<PluginProcess>,
    mut child: Child,
    stdout: ChildStdout,
) {
    let mut reading = Box::pin(read(&host, &plugin, stdout));
    let why = tokio::select! {
        why = &mut reading => why,
        _ = child.wait() => {
            plugin.kill_group();
            let last_words = tokio::time::timeout(LAST_WORDS, reading).await;
            last_words.unwrap_or(OutputEnd::Clean)
        }
    };
    plugin.kill_group();
    let status = child.wait().await;
    let was = plugin.stage();
    plugin.advance(Stage::Ended);
    plugin.ended.send_replace(true);
    plugin.waiting.borrow_mut().clear();
    plugin.taps.close();
    let end = match (why, status) {
        (OutputEnd::Nonsense(why), _) => End::Failed(why),
        (_, _) if plugin.told_to_end.get() => End::Asked,
        (OutputEnd::CutOff(start), Ok(status)) => End::Failed(format!(
            "ended by itself ({status}) in the middle of a message: '{start}'"
        )),
        (OutputEnd::Clean, Ok(status)) => End::Failed(format!("ended by itself ({status})")),
        (OutputEnd::CutOff(_) | OutputEnd::Clean, Err(_)) => End::Asked,
    };
    if let Some(host) = host.upgrade() {
        host.on_ended(&plugin, was, &end);
    }
}
