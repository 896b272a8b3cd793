//! The loop: read from lightningd, let workers answer.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use ln_rpc::jsonrpc::{Splitter, write_error, write_raw_result};
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::value::RawValue;

use super::plugin::{Handler, Hear};
use super::{Args, Call, Init, Log, Plugin};
use crate::protocol::{InitParams, Message, ProtocolError};

/// Texts that may wait for a worker; when they are that many, lightningd has to wait.
const QUEUE: usize = 64;

/// Why a plugin ended other than by lightningd's wish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RunError {
    #[error("can't read from lightningd: {0}")]
    Read(#[from] std::io::Error),
    #[error("lightningd sent something strange: {0}")]
    Split(#[from] ln_rpc::jsonrpc::SplitError),
    #[error("lightningd sent something strange: {0}")]
    Protocol(#[from] ProtocolError),
    #[error("{0}")]
    Begin(String),
}

impl<S: Send + Sync + 'static> Plugin<S> {
    /// Runs on stdin and stdout until lightningd closes them, and returns the exit code.
    ///
    /// `--developer` among the arguments lets developers' options be declared.
    pub fn run(self) -> i32 {
        let developer = std::env::args().any(|argument| argument == "--developer");
        let (input, output) = (std::io::stdin(), std::io::stdout());
        if std::env::var_os("LIGHTNINGD_PLUGIN").is_none() {
            let hint = "This is a plugin: lightningd starts it (see --plugin).\n";
            drop(std::io::stderr().write_all(hint.as_bytes()));
        }
        self.run_on(input, output, developer)
    }

    /// Runs on any two streams: for tests, and for hosts that run a plugin in a thread.
    pub fn run_on(
        self,
        input: impl Read,
        output: impl Write + Send + 'static,
        developer: bool,
    ) -> i32 {
        let log = Log::new(Box::new(output));
        match serve(self, input, &log, developer) {
            Ok(()) => 0,
            Err(error) => {
                log.broken(error.to_string());
                1
            }
        }
    }
}

/// What is shared by the workers.
struct Shared<S> {
    state: S,
    handlers: Vec<Handler<S>>,
    subscriptions: Vec<(&'static str, Hear<S>)>,
    log: Log,
}

fn serve<S: Send + Sync + 'static>(
    plugin: Plugin<S>,
    mut input: impl Read,
    log: &Log,
    developer: bool,
) -> Result<(), RunError> {
    let mut splitter = Splitter::new();
    let mut buffer = vec![0; 1 << 16];
    let mut plugin = Some(plugin);
    let mut queue: Option<SyncSender<String>> = None;
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        splitter.push(buffer.get(..count).unwrap_or_default());
        while let Some(text) = splitter.next_text()? {
            if let Some(queue) = &queue {
                drop(queue.send(text));
            } else {
                queue = before_init(&text, &mut plugin, log, developer)?;
            }
        }
    }
}

/// Answers `getmanifest` and `init`; after the latter the workers run.
fn before_init<S: Send + Sync + 'static>(
    text: &str,
    plugin: &mut Option<Plugin<S>>,
    log: &Log,
    developer: bool,
) -> Result<Option<SyncSender<String>>, RunError> {
    let (id, method, params) = match Message::parse(text)? {
        Message::Request { id, method, params } => (id, method, params),
        Message::Notification { .. } | Message::Response { .. } => return Ok(None),
    };
    let mut out = Vec::new();
    match (method.as_ref(), &plugin) {
        ("getmanifest", Some(plugin)) => {
            ln_rpc::jsonrpc::write_result(&mut out, id, &plugin.manifest(developer));
        }
        ("init", Some(_)) => {
            let plugin = plugin.take().expect("matched just now");
            let started = init(plugin, params, log, developer);
            match &started {
                Ok(_) => ln_rpc::jsonrpc::write_result(&mut out, id, &serde_json::json!({})),
                Err(error) => {
                    let error = RpcError::new(RpcErrorCode::PluginError, error.to_string());
                    write_error(&mut out, Some(id.get()), &error);
                }
            }
            log.send(&out);
            return started.map(Some);
        }
        (method, _) => write_error(&mut out, Some(id.get()), &RpcError::unknown_command(method)),
    }
    log.send(&out);
    Ok(None)
}

fn init<S: Send + Sync + 'static>(
    plugin: Plugin<S>,
    params: Option<&RawValue>,
    log: &Log,
    developer: bool,
) -> Result<SyncSender<String>, RunError> {
    let params = params.map_or("null", RawValue::get);
    let params: InitParams =
        serde_json::from_str(params).map_err(|error| RunError::Begin(format!("init: {error}")))?;
    let init = Init {
        params,
        log: log.clone(),
        developer,
    };
    let state = (plugin.begin)(&init).map_err(RunError::Begin)?;
    let shared = Arc::new(Shared {
        state,
        handlers: plugin.handlers,
        subscriptions: plugin.subscriptions,
        log: log.clone(),
    });
    let (sender, receiver) = sync_channel(QUEUE);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..plugin.workers {
        let (shared, receiver) = (Arc::clone(&shared), Arc::clone(&receiver));
        std::thread::spawn(move || work(&shared, &receiver));
    }
    Ok(sender)
}

/// One worker's life: until the reader is gone.
fn work<S>(shared: &Shared<S>, receiver: &Mutex<Receiver<String>>) {
    loop {
        let next = match receiver.lock() {
            Ok(receiver) => receiver.recv(),
            Err(poisoned) => poisoned.into_inner().recv(),
        };
        let Ok(text) = next else {
            return;
        };
        // A handler that panics must not take its worker along.
        let done = catch_unwind(AssertUnwindSafe(|| one(shared, &text)));
        if done.is_err() {
            shared.log.broken("a handler panicked");
            if let Ok(Message::Request { id, .. }) = Message::parse(&text) {
                let mut out = Vec::new();
                let error = RpcError::new(RpcErrorCode::PluginError, "the plugin's handler failed");
                write_error(&mut out, Some(id.get()), &error);
                shared.log.send(&out);
            }
        }
    }
}

fn one<S>(shared: &Shared<S>, text: &str) {
    match Message::parse(text) {
        Ok(Message::Request { id, method, params }) => {
            let answer = answer(shared, &method, params);
            let mut out = Vec::new();
            match answer {
                Ok(result) => write_raw_result(&mut out, id, &result),
                Err(error) => write_error(&mut out, Some(id.get()), &error),
            }
            shared.log.send(&out);
        }
        Ok(Message::Notification { method, params }) => hear(shared, &method, params),
        Ok(Message::Response { .. }) => {}
        Err(error) => shared.log.broken(format!("from lightningd: {error}")),
    }
}

fn answer<S>(
    shared: &Shared<S>,
    method: &str,
    params: Option<&RawValue>,
) -> Result<Box<RawValue>, RpcError> {
    let handler = shared
        .handlers
        .iter()
        .find(|handler| handler.name == method)
        .ok_or_else(|| RpcError::unknown_command(method))?;
    let args = if handler.is_hook {
        Args::parse("", None)?
    } else {
        Args::parse(handler.usage, params)?
    };
    let call = Call {
        method,
        args,
        params,
        log: &shared.log,
    };
    (handler.answer)(&shared.state, &call)
}

fn hear<S>(shared: &Shared<S>, method: &str, params: Option<&RawValue>) {
    let wanted = shared
        .subscriptions
        .iter()
        .filter(|(topic, _)| *topic == method || *topic == "*");
    for (_, hear) in wanted {
        if let Ok(args) = Args::parse("", None) {
            let call = Call {
                method,
                args,
                params,
                log: &shared.log,
            };
            hear(&shared.state, &call);
        }
    }
}
