//! One plugin process: requests to it and what comes back.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::{Rc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use ln_daemon::VERSION;
use ln_plugin::protocol::{Manifest, Message, write_notification, write_request};
use ln_rpc::RpcError;
use ln_rpc::jsonrpc::Splitter;
use rustix::process::{Pid, Signal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout};
use tokio::sync::{oneshot, watch};

use super::error::PluginError;
use super::host::{End, PluginHost};
use super::queue::Queue;
use super::request_id::request_id;
use crate::log::{Logger, Origin};
use crate::rpc::Context;

/// A message larger than this is not taken: blocks, the largest there are, stay below 8 MiB of hex.
const MAX_MESSAGE: usize = 64 << 20;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How many messages are worked on before others get their turn.
const PER_TURN: u32 = 100;
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
    /// What it offers, once it told.
    pub(super) manifest: OnceCell<Manifest>,
    stage: Cell<Stage>,
    waiting: RefCell<HashMap<String, Waiting>>,
    queue: Queue,
    complained: Cell<bool>,
    next_id: Cell<u64>,
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
            checksum: if program.builtin { 0 } else { checksum(path) },
            manifest: OnceCell::new(),
            stage: Cell::new(Stage::Asked),
            waiting: RefCell::default(),
            queue: Queue::to(stdin),
            complained: Cell::new(false),
            next_id: Cell::new(1),
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
            problem: error.to_string(),
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
        let (answer, receiver) = oneshot::channel();
        let client = client.cloned();
        self.waiting
            .borrow_mut()
            .insert(id.clone(), Waiting { answer, client });
        let _forget = Forget { plugin: self, id };
        self.queue
            .push(bytes)
            .map_err(|_| PluginError::Stuck(self.name.to_string()))?;
        receiver.await.unwrap_or_else(|_| Err(terminated()))
    }

    /// Tells it of something. Lost if it does not read.
    pub(super) fn tell(&self, log: &Logger, topic: &str, params: &(impl Serialize + ?Sized)) {
        let mut bytes = Vec::new();
        if write_notification(&mut bytes, topic, params).is_ok() {
            self.tell_bytes(log, bytes);
        }
    }

    /// Sends it a whole notification.
    pub(super) fn tell_bytes(&self, log: &Logger, bytes: Vec<u8>) {
        if self.stage() == Stage::Ended {
            return;
        }
        let full = self.queue.push(bytes).is_err();
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

    /// Ends it and all processes it started in its group.
    pub(crate) fn kill(&self) {
        self.told_to_end.set(true);
        self.kill_group();
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

    /// The client on whose behalf it was asked, by the id it was asked with.
    pub(super) fn client(&self, id: &RawValue) -> Option<Context> {
        let id: String = serde_json::from_str(id.get()).ok()?;
        self.waiting.borrow().get(&id)?.client.clone()
    }

    fn answered(&self, id: &RawValue, outcome: Result<&RawValue, RpcError>) -> bool {
        let Ok(id) = serde_json::from_str::<String>(id.get()) else {
            return false;
        };
        let Some(waiting) = self.waiting.borrow_mut().remove(&id) else {
            return false;
        };
        let answer = outcome
            .map(RawValue::to_owned)
            .map_err(PluginError::Answered);
        drop(waiting.answer.send(answer));
        true
    }
}

/// Forgets a request when nobody waits for it any more.
struct Forget<'a> {
    plugin: &'a PluginProcess,
    id: String,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.plugin.waiting.borrow_mut().remove(&self.id);
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
            tokio::time::timeout(LAST_WORDS, reading).await.unwrap_or_default()
        }
    };
    plugin.kill_group();
    let status = child.wait().await;
    let was = plugin.stage();
    plugin.advance(Stage::Ended);
    plugin.ended.send_replace(true);
    plugin.waiting.borrow_mut().clear();
    let end = match (why, status) {
        (Some(why), _) => End::Failed(why),
        (None, Ok(status)) if !plugin.told_to_end.get() => {
            End::Failed(format!("ended by itself ({status})"))
        }
        (None, _) => End::Asked,
    };
    if let Some(host) = host.upgrade() {
        host.on_ended(&plugin, was, &end);
    }
}

/// Reads messages; returns why the plugin must be ended, or nothing at the end of the stream.
async fn read(
    host: &Weak<PluginHost>,
    plugin: &Rc<PluginProcess>,
    mut stdout: ChildStdout,
) -> Option<String> {
    let mut splitter = Splitter::with_limit(MAX_MESSAGE);
    let mut chunk = vec![0; CHUNK];
    let mut turn = 0;
    loop {
        let read = match stdout.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => read,
        };
        splitter.push(chunk.get(..read).unwrap_or_default());
        loop {
            let text = match splitter.next_text() {
                Ok(Some(text)) => text,
                Ok(None) => break,
                Err(error) => return Some(nonsense(&error, chunk.get(..read))),
            };
            if let Err(why) = on_message(host, plugin, &text) {
                return Some(why);
            }
            turn += 1;
            if turn % PER_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

fn nonsense(problem: &impl std::fmt::Display, bytes: Option<&[u8]>) -> String {
    let text = String::from_utf8_lossy(bytes.unwrap_or_default());
    let start: String = text.chars().take(80).collect();
    format!(
        "wrote what is no message to standard output ({problem}): '{}': plugins print to standard error",
        start.trim()
    )
}

fn on_message(
    host: &Weak<PluginHost>,
    plugin: &Rc<PluginProcess>,
    text: &str,
) -> Result<(), String> {
    let message =
        Message::parse(text).map_err(|problem| nonsense(&problem, Some(text.as_bytes())))?;
    let Some(host) = host.upgrade() else {
        return Ok(());
    };
    match message {
        Message::Response { id, outcome } => {
            if !plugin.answered(id, outcome) {
                let text = format!("answered {id}, which nobody asked or waits for any more");
                host.log().debug(&plugin.origin, text);
            }
        }
        Message::Notification { method, params } => host.on_notification(plugin, &method, params),
        Message::Request { method, .. } => {
            let text = format!(
                "asked for '{method}' on its standard output: requests go to the RPC socket"
            );
            host.log().unusual(&plugin.origin, text);
        }
    }
    Ok(())
}
