//! One client: requests in, replies out.

use super::auth::Auth;
use super::http::{ReadError, read_request, write_reply};
use super::log::Log;
use super::store::Store;
use crate::json::Json;
use crate::node::Node;
use crate::rpc::{self, Context, RpcError, args, error};
use serde_json::Value;
use std::io::BufReader;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The node and the files it is kept in.
#[derive(Debug)]
pub struct State {
    /// The node.
    pub node: Node,
    /// Its files.
    pub store: Store,
}

/// What all threads share.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    tip_moved: Condvar,
    stopping: AtomicBool,
    stop_signal: (Mutex<()>, Condvar),
    /// Who may call.
    pub auth: Auth,
    /// The log.
    pub log: Log,
    /// Open connections.
    pub connections: AtomicUsize,
    /// How long a connection may be silent.
    pub idle: Duration,
}

/// The time in Unix seconds.
pub fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Random bytes from the system.
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

impl Shared {
    /// Shares a node among threads.
    pub fn new(state: State, auth: Auth, log: Log, idle: Duration) -> Self {
        Self {
            state: Mutex::new(state),
            tip_moved: Condvar::new(),
            stopping: AtomicBool::new(false),
            stop_signal: (Mutex::new(()), Condvar::new()),
            auth,
            log,
            connections: AtomicUsize::new(0),
            idle,
        }
    }

    /// The state, also after a thread died with it: every change of it is made whole.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the program is to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Asks all threads to end.
    pub fn stop(&self) {
        let _guard = self
            .stop_signal
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.stopping.store(true, Ordering::SeqCst);
        self.stop_signal.1.notify_all();
        self.tip_moved.notify_all();
    }

    /// Waits until [`Shared::stop`].
    pub fn wait_for_stop(&self) {
        let mut guard = self
            .stop_signal
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while !self.is_stopping() {
            guard = self
                .stop_signal
                .1
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes and prints what a call left to do. `Err` if it could not be written: then the call must
    /// not be reported as done, and the program ends.
    pub fn carry_out(&self, state: &mut State) -> Result<(), RpcError> {
        let effects = state.node.take_effects();
        let now = unix_now();
        for line in &effects.log {
            self.log.line(now, line);
        }
        if effects.tip_changed {
            self.tip_moved.notify_all();
        }
        let chain = state.store.write_chain(&effects.chain);
        let wallets = effects
            .wallets
            .iter()
            .try_for_each(|(name, records)| state.store.write_wallet(name, records));
        chain.and(wallets).map_err(|failure| {
            let message = format!("cannot write to the data directory: {failure}");
            self.log.line(now, &format!("Error: {message}"));
            self.stop();
            RpcError::new(error::MISC, message)
        })
    }

    /// Answers one call.
    pub fn call(
        &self,
        wallet: Option<String>,
        method: &str,
        params: &Value,
    ) -> Result<Json, RpcError> {
        match method {
            "stop" => {
                self.stop();
                return Ok("Bitcoin Core stopping".into());
            }
            "waitfornewblock" | "waitforblock" | "waitforblockheight" => {
                return self.wait(method, params);
            }
            _ => {}
        }
        let mut state = self.lock();
        let State { node, store } = &mut *state;
        let mut context = Context {
            node,
            now: unix_now(),
            wallet,
            random: &mut random_bytes,
            files: store,
        };
        let result = rpc::call(&mut context, method, params);
        let written = self.carry_out(&mut state);
        result.and_then(|json| written.map(|()| json))
    }

    /// The calls that wait for the tip to move.
    fn wait(&self, method: &str, params: &Value) -> Result<Json, RpcError> {
        let known = rpc::METHODS.iter().find(|known| known.name == method);
        let known = known.ok_or_else(RpcError::method_not_found)?;
        let args = args::Args::new(known, params)?;
        let mut state = self.lock();
        let start = state.node.chain.tip().hash;
        type Reached = Box<dyn Fn(&Node) -> bool>;
        let (timeout, reached): (i64, Reached) = match method {
            "waitforblock" => {
                let hash = args.block_hash(0, "blockhash")?;
                (
                    args.integer_or(1, 0)?,
                    Box::new(move |node| node.chain.tip().hash == hash),
                )
            }
            "waitforblockheight" => {
                let height = args.integer(0)?;
                let done = move |node: &Node| i64::from(node.chain.height()) >= height;
                (args.integer_or(1, 0)?, Box::new(done))
            }
            _ => {
                let from = if args.has(1) {
                    args.block_hash(1, "current_tip")?
                } else {
                    start
                };
                (
                    args.integer_or(0, 0)?,
                    Box::new(move |node| node.chain.tip().hash != from),
                )
            }
        };
        let timeout =
            u64::try_from(timeout).map_err(|_| RpcError::new(error::MISC, "Negative timeout"))?;
        // Zero means for ever; a year is as good.
        let millis = if timeout == 0 {
            31_536_000_000
        } else {
            timeout.min(31_536_000_000)
        };
        let end = Instant::now() + Duration::from_millis(millis);
        while !reached(&state.node) && !self.is_stopping() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.tip_moved.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let tip = state.node.chain.tip();
        Ok(Json::object()
            .with("hash", tip.hash.to_string())
            .with("height", tip.height))
    }
}

/// Serves one connection until it is closed.
pub fn serve(shared: &Shared, stream: TcpStream) {
    let _best_effort = stream.set_nodelay(true);
    let _best_effort = stream.set_read_timeout(Some(shared.idle));
    let _best_effort = stream.set_write_timeout(Some(shared.idle));
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    loop {
        let request = match read_request(&mut reader, &mut writer) {
            Ok(request) => request,
            Err(ReadError::Bad(status, why)) => {
                let _gone = write_reply(&mut writer, status, why, false);
                return;
            }
            Err(ReadError::Closed | ReadError::Io(_)) => return,
        };
        let keep_alive = request.keep_alive;
        let (status, body) = answer(shared, &request);
        let keep_alive = keep_alive && status != 401 && !shared.is_stopping();
        if write_reply(&mut writer, status, &body, keep_alive).is_err() || !keep_alive {
            return;
        }
    }
}

/// Status and body of the reply to a request.
fn answer(shared: &Shared, request: &super::http::Request) -> (u16, String) {
    let wallet = match request.path.strip_prefix("/wallet/") {
        Some(name) => Some(percent_decoded(name)),
        None if request.path == "/" || request.path.is_empty() => None,
        None => return (404, String::new()),
    };
    if request.method != "POST" {
        return (405, "JSONRPC server handles only POST requests".to_owned());
    }
    match &request.authorization {
        Some(given) if shared.auth.accepts(given) => {}
        Some(_) => {
            // Guessing passwords should take long.
            std::thread::sleep(Duration::from_millis(250));
            return (401, String::new());
        }
        None => return (401, String::new()),
    }
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        let failure = RpcError::new(error::PARSE_ERROR, "Parse error");
        return (500, format!("{}\n", reply_v1(Err(failure), &Value::Null)));
    };
    match body {
        Value::Array(calls) => {
            let replies: Vec<String> = calls
                .iter()
                .filter_map(|call| one(shared, wallet.clone(), call).1)
                .collect();
            (200, format!("[{}]\n", replies.join(",")))
        }
        Value::Object(_) => {
            let (status, reply) = one(shared, wallet, &body);
            match reply {
                Some(reply) => (status, format!("{reply}\n")),
                None => (204, String::new()),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let failure = RpcError::new(error::PARSE_ERROR, "Top-level object parse error");
            (500, format!("{}\n", reply_v1(Err(failure), &Value::Null)))
        }
    }
}

/// Status and text of the reply to one call; no text for a notification.
fn one(shared: &Shared, wallet: Option<String>, call: &Value) -> (u16, Option<String>) {
    let id = call.get("id");
    let version_2 = call.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    let invalid = |message| Err(RpcError::new(error::INVALID_REQUEST, message));
    let result = match (call, call.get("method")) {
        (Value::Object(_), Some(Value::String(method))) => {
            shared.call(wallet, method, call.get("params").unwrap_or(&Value::Null))
        }
        (Value::Object(_), None | Some(Value::Null)) => invalid("Missing method"),
        (Value::Object(_), Some(_)) => invalid("Method must be a string"),
        _ => invalid("Invalid Request object"),
    };
    if version_2 {
        let Some(id) = id else { return (204, None) };
        let member = match result {
            Ok(result) => format!("\"result\":{result}"),
            Err(failure) => format!("\"error\":{}", failure.to_json()),
        };
        return (
            200,
            Some(format!("{{\"jsonrpc\":\"2.0\",{member},\"id\":{id}}}")),
        );
    }
    let status = match &result {
        Ok(_) => 200,
        Err(failure) if failure.code == error::METHOD_NOT_FOUND => 404,
        Err(failure) if failure.code == error::INVALID_REQUEST => 400,
        Err(_) => 500,
    };
    (status, Some(reply_v1(result, id.unwrap_or(&Value::Null))))
}

fn reply_v1(result: Result<Json, RpcError>, id: &Value) -> String {
    match result {
        Ok(result) => format!("{{\"result\":{result},\"error\":null,\"id\":{id}}}"),
        Err(failure) => {
            format!(
                "{{\"result\":null,\"error\":{},\"id\":{id}}}",
                failure.to_json()
            )
        }
    }
}

/// A path element with its `%xx` resolved.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten();
        let value = escaped.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = value.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
