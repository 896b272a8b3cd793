//! JSON-RPC calls to bitcoind.

use std::sync::Mutex;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::http::{Connection, HttpError, Reply};

/// Connections kept while nobody uses them: one for the calls, and one that waited for a block.
const MAX_IDLE: usize = 2;
/// bitcoind is starting.
const IN_WARMUP: i64 = -28;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// bitcoind can't be reached, or broke off.
    #[error("could not connect to the server {0}: {1}")]
    Unreachable(String, String),
    /// bitcoind is starting or has too much to do.
    #[error("bitcoind is busy: {0}")]
    Busy(String),
    /// User, password or cookie are wrong.
    #[error(
        "bitcoind refuses our user and password: set bitcoin-rpcuser and bitcoin-rpcpassword, or bitcoin-datadir for its cookie"
    )]
    Unauthorized,
    /// What came is not a reply of bitcoind's.
    #[error("bad JSON: {0}")]
    BadReply(String),
    /// bitcoind says no.
    #[error("error code: {code}\nerror message:\n{message}\n")]
    Rpc {
        /// Its code.
        code: i64,
        /// Its reason.
        message: String,
    },
}

impl CallError {
    /// Whether it may go away by itself.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(..) | Self::Busy(_))
    }

    /// What bitcoin-cli would exit with.
    pub(crate) fn exit_code(&self) -> u64 {
        match self {
            Self::Rpc { code, .. } => code.unsigned_abs() & 0xff,
            Self::Unreachable(..) | Self::Busy(_) | Self::Unauthorized | Self::BadReply(_) => 1,
        }
    }
}

#[derive(Deserialize)]
struct RpcReply<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Value>,
}

/// Calls bitcoind over connections that stay open between calls.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: Endpoint,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Where bitcoind is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Calls a method once. A result of `null` is read as `T` reads `null`.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
        timeout: Duration,
    ) -> Result<T, CallError> {
        let body = json!({ "id": "bcli", "method": method, "params": params }).to_string();
        let mut reply = self.post(&body, timeout)?;
        if reply.status == 401 {
            // bitcoind may have restarted and made a new cookie while our connection stayed open through a proxy.
            reply = self.post(&body, timeout)?;
        }
        read_reply(&reply)
    }

    /// One exchange; on a connection that was closed while idle, a second one on a fresh connection.
    fn post(&self, body: &str, timeout: Duration) -> Result<Reply, CallError> {
        if let Some(idle) = self.take_idle() {
            match self.post_on(idle, body, timeout) {
                Err(HttpError::BeforeReply(_)) => self.clear_idle(),
                other => return other.map_err(|error| self.unreachable(&error)),
            }
        }
        let fresh = Connection::open(&self.endpoint.host, self.endpoint.port, timeout);
        let fresh = fresh.map_err(|error| self.unreachable(&error))?;
        self.post_on(fresh, body, timeout)
            .map_err(|error| self.unreachable(&error))
    }

    fn post_on(
        &self,
        mut connection: Connection,
        body: &str,
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let authorization = self.endpoint.credentials.header();
        let authorization = authorization.map_err(std::io::Error::other)?;
        let reply = connection.post(&authorization, body.as_bytes(), timeout)?;
        if reply.keep {
            self.put_idle(connection);
        }
        Ok(reply)
    }

    fn unreachable(&self, error: &impl ToString) -> CallError {
        let address = format!("{}:{}", self.endpoint.host, self.endpoint.port);
        CallError::Unreachable(address, error.to_string())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        match self.idle.lock() {
            Ok(idle) => idle,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle().pop()
    }

    fn clear_idle(&self) {
        self.idle().clear();
    }

    fn put_idle(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }
}

fn read_reply<T: DeserializeOwned>(reply: &Reply) -> Result<T, CallError> {
    if matches!(reply.status, 401 | 403) {
        return Err(CallError::Unauthorized);
    }
    let text = String::from_utf8_lossy(&reply.body);
    // bitcoind answers 503 in plain text when its queue is full; a proxy may do so for a bitcoind that is away.
    if matches!(reply.status, 502..=504) {
        return Err(CallError::Busy(excerpt(&text)));
    }
    let read: RpcReply<'_> = serde_json::from_slice(&reply.body).map_err(|error| {
        let status = reply.status;
        CallError::BadReply(format!("{error} in HTTP {status}: {}", excerpt(&text)))
    })?;
    if let Some(error) = read.error {
        return Err(rpc_error(&error));
    }
    let result = read.result.map_or("null", RawValue::get);
    serde_json::from_str(result)
        .map_err(|error| CallError::BadReply(format!("{error} in {}", excerpt(result))))
}

fn rpc_error(error: &Value) -> CallError {
    let code = error.get("code").and_then(Value::as_i64).unwrap_or(-1);
    let message = error.get("message").and_then(Value::as_str);
    let message = message.map_or_else(|| error.to_string(), ToOwned::to_owned);
    if code == IN_WARMUP {
        return CallError::Busy(message);
    }
    CallError::Rpc { code, message }
}

/// The beginning of a text that may be a whole web page or block.
fn excerpt(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
