//! One plugin process: requests to it, replies and notifications from it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::Context as _;
use ln_daemon::VERSION;
use ln_rpc::RpcError;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use crate::log::{LogFilter, LogLevel, Logger, Origin};

/// A reply larger than this is not taken: blocks, the largest there are, stay below 8 MiB of hex.
const MAX_REPLY: usize = 64 << 20;

/// Why a plugin did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// It answered with an error.
    #[error("{}", .0.message)]
    Answered(RpcError),
    /// It ended before it answered.
    #[error("plugin {0} ended before it answered")]
    Terminated(String),
    /// Its answer makes no sense.
    #[error("plugin {plugin} answered {method} with nonsense: {problem}")]
    Malformed {
        /// The plugin.
        plugin: String,
        /// What it was asked.
        method: String,
        /// What is wrong.
        problem: String,
    },
}

type Waiting = Rc<RefCell<HashMap<String, oneshot::Sender<Result<Value, RpcError>>>>>;

/// A running plugin.
#[derive(Debug)]
pub(crate) struct PluginProcess {
    /// Its name.
    pub(crate) name: Rc<str>,
    waiting: Waiting,
    requests: mpsc::Sender<Vec<u8>>,
    next_id: Cell<u64>,
    child: RefCell<Child>,
}

impl PluginProcess {
    /// Starts a plugin built into this program.
    pub(crate) fn start_builtin(log: &Logger, name: &str) -> anyhow::Result<Rc<Self>> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0(name);
        Self::start(log, name, command)
    }

    fn start(log: &Logger, name: &str, mut command: Command) -> anyhow::Result<Rc<Self>> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        command
            .env("LIGHTNINGD_PLUGIN", "1")
            .env("LIGHTNINGD_VERSION", VERSION);
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("can't start plugin {name}"))?;
        let stdin = child.stdin.take().context("plugin has no stdin")?;
        let stdout = child.stdout.take().context("plugin has no stdout")?;
        let waiting = Waiting::default();
        let (requests, queue) = mpsc::channel(1024);
        let name: Rc<str> = name.into();
        tokio::task::spawn_local(write_requests(stdin, queue));
        let origin = Origin::of(&format!("plugin-{name}"));
        tokio::task::spawn_local(read_replies(
            stdout,
            Rc::clone(&waiting),
            log.clone(),
            origin,
        ));
        Ok(Rc::new(Self {
            name,
            waiting,
            requests,
            next_id: Cell::new(0),
            child: RefCell::new(child),
        }))
    }

    /// Asks the plugin something and waits for the answer.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, PluginError> {
        let number = self.next_id.get();
        self.next_id.set(number + 1);
        let id = format!("cln:{method}#{number}");
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().insert(id, sender);
        let mut bytes = request.to_string().into_bytes();
        bytes.extend_from_slice(b"\n\n");
        let terminated = || PluginError::Terminated(self.name.to_string());
        self.requests.send(bytes).await.map_err(|_| terminated())?;
        match receiver.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(PluginError::Answered(error)),
            Err(_) => Err(terminated()),
        }
    }

    /// Asks for an answer of a known shape.
    pub(crate) async fn call_typed<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, PluginError> {
        let value = self.call(method, params).await?;
        serde_json::from_value(value).map_err(|error| PluginError::Malformed {
            plugin: self.name.to_string(),
            method: method.to_owned(),
            problem: error.to_string(),
        })
    }

    /// Ends it.
    pub(crate) fn kill(&self) {
        drop(self.child.borrow_mut().start_kill());
    }
}

async fn write_requests(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(request) = queue.recv().await {
        if stdin.write_all(&request).await.is_err() {
            break;
        }
    }
}

/// Reads JSON texts separated by empty lines until the plugin ends; then everybody who waits for it is told.
async fn read_replies(stdout: ChildStdout, waiting: Waiting, log: Logger, origin: Origin) {
    let mut reader = BufReader::with_capacity(64 * 1024, stdout);
    let mut text = Vec::new();
    loop {
        let start = text.len();
        match reader.read_until(b'\n', &mut text).await {
            Ok(0) | Err(_) => break,
            Ok(_) if text.len() > MAX_REPLY => {
                log.broken(
                    &origin,
                    format!("wrote more than {MAX_REPLY} bytes without an end: dropped"),
                );
                break;
            }
            Ok(_) => {}
        }
        let line_is_empty = text
            .get(start..)
            .is_some_and(|line| line.iter().all(u8::is_ascii_whitespace));
        // A reply may be written on one line, or on many with an empty one at its end.
        let parsed = if text.iter().all(u8::is_ascii_whitespace) {
            None
        } else {
            serde_json::from_slice::<Value>(&text).ok()
        };
        match parsed {
            Some(message) => {
                on_message(message, &waiting, &log, &origin);
                text.clear();
            }
            None if line_is_empty => {
                if !text.iter().all(u8::is_ascii_whitespace) {
                    log.unusual(
                        &origin,
                        format!("wrote what is not JSON: {}", String::from_utf8_lossy(&text)),
                    );
                }
                text.clear();
            }
            None => {}
        }
    }
    waiting.borrow_mut().clear();
}

fn on_message(mut message: Value, waiting: &Waiting, log: &Logger, origin: &Origin) {
    let id = match message.get("id") {
        Some(Value::String(id)) => Some(id.clone()),
        _ => None,
    };
    if let Some(sender) = id.and_then(|id| waiting.borrow_mut().remove(&id)) {
        let answer = match (
            message.get_mut("result").map(Value::take),
            message.get("error"),
        ) {
            (Some(result), None) => Ok(result),
            (_, Some(error)) => Err(RpcError::from_value(error)),
            (None, None) => Err(RpcError::lightningd(
                "the plugin's reply has neither result nor error",
            )),
        };
        drop(sender.send(answer));
        return;
    }
    if message.get("method").and_then(Value::as_str) == Some("log") {
        let params = message.get("params").cloned().unwrap_or_default();
        let level = params
            .get("level")
            .and_then(Value::as_str)
            .unwrap_or("info");
        let level = match level {
            "warn" => LogLevel::Unusual,
            "error" => LogLevel::Broken,
            other => LogFilter::parse(other).map_or(LogLevel::Info, |filter| filter.level),
        };
        let text = params
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        log.log(level, origin, text);
    }
}
