//! The loop: read from lightningd, let workers answer.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use ln_rpc::jsonrpc::{Splitter, write_error, write_result};
use ln_rpc::params::Params;
use ln_rpc::{RpcError, RpcErrorCode};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::incoming::{Asked, Incoming, Told};
use super::lane::Lane;
use super::panic::panic_if_asked;
use super::plugin::{Copy, Handler, Hear, Request, read_payload};
use super::reply::Reply;
use super::setconfig::{SetConfig, Setter};
use super::{Args, Asker, Call, Init, Log, NotNow, Plugin};
use crate::hooks::{Continue, DB_WRITE};
use crate::protocol::{DisableReply, InitParams, Message, ProtocolError, glance};

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
    #[error("the plugin panicked and can't go on")]
    Panicked,
}

/// The end, of whatever kind.
type Ended = Result<(), RunError>;

impl<S: Send + Sync + 'static> Plugin<S> {
    /// Runs on stdin and stdout until lightningd closes them or tells it to end, and returns the exit code.
    ///
    /// `--developer` among the arguments lets developers' options be declared. From here on a panic anywhere in the process is told in the node's
    /// log, with its place and a backtrace.
    pub fn run(self) -> i32 {
        let developer = std::env::args().any(|argument| argument == "--developer");
        let (input, output) = (std::io::stdin(), std::io::stdout());
        if std::env::var_os("LIGHTNINGD_PLUGIN").is_none() {
            let hint = "This is a plugin: lightningd starts it (see --plugin).\n";
            drop(std::io::stderr().write_all(hint.as_bytes()));
        }
        let log = Log::new(Box::new(output));
        super::panic::tell_panics(&log);
        self.run_with(input, log, developer)
    }

    /// Runs on any two streams: for tests, and for hosts that run a plugin in a thread.
    pub fn run_on(
        self,
        input: impl Read + Send + 'static,
        output: impl Write + Send + 'static,
        developer: bool,
    ) -> i32 {
        self.run_with(input, Log::new(Box::new(output)), developer)
    }

    fn run_with(self, input: impl Read + Send + 'static, log: Log, developer: bool) -> i32 {
        let (end, ended) = channel();
        let reader = Reader {
            plugin: Some(self),
            begun: None,
            log: log.clone(),
            developer,
            end: end.clone(),
        };
        std::thread::spawn(move || {
            // Without its reader it would neither hear nor end.
            let outcome = catch_unwind(AssertUnwindSafe(|| reader.read(input)));
            drop(end.send(outcome.unwrap_or(Err(RunError::Panicked))));
        });
        match ended.recv() {
            Ok(Err(error)) => {
                log.broken(error.to_string());
                1
            }
            Ok(Ok(())) | Err(_) => 0,
        }
    }
}

/// What is shared by the workers.
struct Shared<S> {
    state: Arc<S>,
    handlers: Vec<Handler<S>>,
    setters: Vec<(&'static str, Setter<S>)>,
    subscriptions: Vec<(&'static str, Hear<S>)>,
    copy: Option<Copy>,
    log: Log,
    lanes: Arc<Lanes>,
    end: Sender<Ended>,
}

/// What was read and waits: what many may work on, and what is heard one after the other.
#[derive(Debug, Default)]
struct Lanes {
    requests: Lane<Asked>,
    notifications: Lane<Told>,
    /// Whether anything is subscribed to.
    is_hearing: bool,
}

/// Who works on what is read.
enum Begun<S> {
    /// The threads at the lanes.
    Workers(Arc<Lanes>),
    /// Nobody else: a plugin that answers nothing keeps no answer waiting while it hears, and needs no second thread to wake up.
    Reader(Arc<Shared<S>>),
}

/// Who reads what lightningd says.
struct Reader<S> {
    /// Until `init`.
    plugin: Option<Plugin<S>>,
    /// From then on.
    begun: Option<Begun<S>>,
    log: Log,
    developer: bool,
    end: Sender<Ended>,
}

impl<S: Send + Sync + 'static> Reader<S> {
    fn read(mut self, mut input: impl Read) -> Ended {
        let mut splitter = Splitter::of_lines();
        let mut buffer = vec![0; 1 << 18];
        let mut is_complaining = false;
        let mut heard = Vec::new();
        loop {
            let count = input.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            splitter.push(buffer.get(..count).unwrap_or_default());
            while let Some(text) = splitter.next_text()? {
                match &self.begun {
                    None => {
                        if self.before_init(text)? {
                            return Ok(());
                        }
                    }
                    Some(Begun::Reader(shared)) => {
                        if shared.take(text) {
                            return Ok(());
                        }
                    }
                    Some(Begun::Workers(lanes)) => match Incoming::read(text) {
                        Ok(Some(Incoming::Asked(asked))) => lanes.requests.push(asked),
                        Ok(Some(Incoming::Told(told))) if lanes.is_hearing => heard.push(told),
                        Ok(_) => {}
                        Err(error) => not_understood(&self.log, &error),
                    },
                }
            }
            let Some(Begun::Workers(lanes)) = &self.begun else {
                continue;
            };
            if heard.is_empty() {
                continue;
            }
            // Waiting here would keep answers from coming that a handler waits for.
            let missed = !lanes.notifications.offer(&mut heard);
            if missed && !is_complaining {
                self.log
                    .unusual("notifications come faster than they are heard: some are missed");
            }
            is_complaining = missed;
        }
    }

    /// Answers `getmanifest` and `init`; after the latter the workers run. Returns whether that was all.
    fn before_init(&mut self, text: &str) -> Result<bool, RunError> {
        let (id, method, params) = match Message::parse(text)? {
            Message::Request { id, method, params } => (id, method, params),
            Message::Notification { .. } | Message::Response { .. } => return Ok(false),
        };
        let mut out = Vec::new();
        let mut outcome = Ok(false);
        match (method.as_ref(), self.plugin.take()) {
            ("getmanifest", Some(plugin)) => {
                write_result(&mut out, id, &plugin.manifest(self.developer));
                self.plugin = Some(plugin);
            }
            ("init", Some(plugin)) => match self.init(plugin, params) {
                Ok(()) => write_result(&mut out, id, &json!({})),
                Err(NotNow::Disabled(reason)) => {
                    let disable = Some(reason);
                    write_result(&mut out, id, &DisableReply { disable });
                    outcome = Ok(true);
                }
                Err(NotNow::Failed(problem)) => {
                    let error = RpcError::new(RpcErrorCode::PluginError, problem.clone());
                    write_error(&mut out, Some(id.get()), &error);
                    outcome = Err(RunError::Begin(problem));
                }
            },
            (method, plugin) => {
                let copy = plugin.as_ref().and_then(|plugin| plugin.copy.clone());
                self.plugin = plugin;
                let answer = match copy {
                    Some(copy) if method == DB_WRITE => store(&copy, params),
                    _ => Err(RpcError::unknown_command(method)),
                };
                match answer {
                    Ok(answer) => write_result(&mut out, id, &answer),
                    Err(error) => write_error(&mut out, Some(id.get()), &error),
                }
            }
        }
        self.log.send(&out);
        outcome
    }

    fn init(&mut self, plugin: Plugin<S>, params: Option<&RawValue>) -> Result<(), NotNow> {
        let params = params.map_or("null", RawValue::get);
        let params: InitParams = serde_json::from_str(params)
            .map_err(|error| NotNow::Failed(format!("init: {error}")))?;
        let init = Init {
            params,
            log: self.log.clone(),
            developer: self.developer,
        };
        let only_hears = plugin.only_hears();
        let state = (plugin.begin)(&init)?;
        let lanes = Arc::new(Lanes {
            is_hearing: !plugin.subscriptions.is_empty(),
            ..Lanes::default()
        });
        let shared = Arc::new(Shared {
            state: Arc::new(state),
            handlers: plugin.handlers,
            setters: plugin.setters,
            subscriptions: plugin.subscriptions,
            copy: plugin.copy,
            log: self.log.clone(),
            lanes: Arc::clone(&lanes),
            end: self.end.clone(),
        });
        if only_hears {
            self.begun = Some(Begun::Reader(shared));
            return Ok(());
        }
        for _ in 0..plugin.workers {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.answer_all());
        }
        if lanes.is_hearing {
            std::thread::spawn(move || shared.hear_all());
        }
        self.begun = Some(Begun::Workers(lanes));
        Ok(())
    }
}

/// A message of lightningd's that makes no sense.
fn not_understood(log: &Log, error: &ProtocolError) {
    log.broken(format!("from lightningd: {error}"));
}

/// `db_write`: has a transaction kept.
fn store(copy: &Copy, params: Option<&RawValue>) -> Result<Continue, RpcError> {
    let transaction = read_payload(DB_WRITE, params.map(RawValue::get))?;
    copy(&transaction).map_err(|problem| RpcError::new(RpcErrorCode::PluginError, problem))?;
    Ok(Continue::Continue)
}

impl<S: Send + Sync + 'static> Shared<S> {
    /// One worker's life.
    fn answer_all(&self) {
        loop {
            let asked = self.lanes.requests.next();
            self.answer(&asked.id, &asked.method, asked.params.as_deref());
        }
    }

    /// The life of who hears the notifications: until the one to end.
    fn hear_all(&self) {
        loop {
            for told in self.lanes.notifications.all() {
                if self.hear(&told.topic, told.params.as_deref(), told.origin.as_deref()) {
                    drop(self.end.send(Ok(())));
                    return;
                }
            }
        }
    }

    /// Works on a message where it is read. True after the one to end.
    fn take(&self, text: &str) -> bool {
        if let Some((topic, params)) = glance(text) {
            return self.hear(topic, Some(params), None);
        }
        match Message::parse(text) {
            Ok(Message::Notification {
                method,
                params,
                origin,
            }) => return self.hear(&method, params.map(RawValue::get), origin.as_deref()),
            Ok(Message::Request { id, method, params }) => self.answer(id, &method, params),
            Ok(Message::Response { .. }) => {}
            Err(error) => not_understood(&self.log, &error),
        }
        false
    }

    /// Works on a request.
    fn answer(&self, id: &RawValue, method: &str, params: Option<&RawValue>) {
        // A handler that panics must not take its thread along; its request was answered when the panic passed by.
        if catch_unwind(AssertUnwindSafe(|| self.call(id, method, params))).is_err() {
            self.log.broken("a handler panicked");
        }
    }

    fn call(&self, id: &RawValue, method: &str, params: Option<&RawValue>) {
        panic_if_asked();
        let reply = Reply::new(Asker::new(id, &self.log));
        if let Some(copy) = &self.copy
            && method == DB_WRITE
        {
            return reply.give(store(copy, params));
        }
        match self.find(method) {
            Some(handler) => (handler.answer)(
                &self.state,
                Request {
                    method,
                    usage: handler.usage,
                    params,
                    reply,
                },
            ),
            None if method == "setconfig" => reply.give(self.set(params, false)),
            None if method == "check" => {
                let asker = reply.asker.clone();
                reply.give(self.check(params, &asker));
            }
            None => reply.give::<()>(Err(RpcError::unknown_command(method))),
        }
    }

    fn find(&self, method: &str) -> Option<&Handler<S>> {
        self.handlers.iter().find(|handler| handler.name == method)
    }

    /// `setconfig`: a new value of an option.
    fn set(
        &self,
        params: Option<&RawValue>,
        only_check: bool,
    ) -> Result<serde_json::Value, RpcError> {
        let wish = SetConfig::parse(params)?;
        let setter = self.setters.iter().find(|(name, _)| *name == wish.config);
        let (_, setter) = setter.ok_or_else(|| {
            RpcError::invalid_params(format!("'{}' can't be changed", wish.config))
        })?;
        setter(&self.state, &wish, only_check)?;
        Ok(json!({}))
    }

    /// `check`: whether a call could be made.
    fn check(
        &self,
        params: Option<&RawValue>,
        asker: &Asker,
    ) -> Result<serde_json::Value, RpcError> {
        let mut given = params.map_or(Ok(Params::NONE), Params::parse)?;
        let name = given.take("command_to_check").map(|name| name.text());
        let name = name.ok_or_else(|| RpcError::invalid_params("missing command_to_check"))?;
        let rest = match &given {
            Params::Positional(items) => {
                json!(items.iter().map(|item| item.value()).collect::<Vec<_>>())
            }
            Params::Named(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value.value()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        };
        let rest = to_raw_value(&rest).map_err(|error| RpcError::lightningd(error.to_string()))?;
        match self.find(&name) {
            None if name == "setconfig" => self.set(Some(&rest), true),
            None => Err(RpcError::unknown_command(&name)),
            Some(handler) => {
                let call = Call {
                    method: &name,
                    args: Args::parse(handler.usage.unwrap_or_default(), Some(&rest))?,
                    params: Some(rest.get()),
                    log: &self.log,
                    asker: Some(asker),
                    origin: None,
                };
                if let Some(check) = &handler.check {
                    check(&self.state, &call)?;
                }
                Ok(json!({ "command_to_check": name }))
            }
        }
    }

    /// Lets all who subscribed to it hear a notification. True if it was the one to end.
    fn hear(&self, topic: &str, params: Option<&str>, origin: Option<&str>) -> bool {
        let call = Call {
            method: topic,
            args: Args::NONE,
            params,
            log: &self.log,
            asker: None,
            origin,
        };
        let hear = || {
            self.subscriptions
                .iter()
                .filter(|(wanted, _)| *wanted == topic || (*wanted == "*" && topic != "log"))
                .for_each(|(_, hear)| hear(&self.state, &call));
        };
        if catch_unwind(AssertUnwindSafe(hear)).is_err() {
            self.log.broken(format!("the handler of {topic} panicked"));
        }
        topic == "shutdown"
    }
}
