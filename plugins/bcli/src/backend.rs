//! The plugin's state, and calls that are tried again.

use std::time::{Duration, Instant};

use ln_plugin::Log;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::Network;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::{CallError, Client};
use crate::endpoint::Endpoint;
use crate::options::Options;

/// The first bitcoind that can be told the tip we know, so that no block slips between two calls, and that has 16 threads for calls
/// instead of 4.
const WAITS_FROM_TIP: u32 = 290_000;
/// With fewer threads set than this, none is to spare for a call that waits.
const FEW_THREADS: u32 = 4;

/// The plugin's state.
#[derive(Debug)]
pub struct Backend {
    pub(crate) options: Options,
    pub(crate) network: Network,
    pub(crate) log: Log,
    /// bitcoind's version, such as 270000.
    pub(crate) version: u32,
    client: Client,
    pause: Duration,
}

impl Backend {
    pub(crate) fn new(
        options: Options,
        network: Network,
        log: Log,
        pause: Duration,
    ) -> Result<Self, String> {
        let client = Client::new(Endpoint::new(&options, network)?);
        Ok(Self {
            options,
            network,
            log,
            version: 0,
            client,
            pause,
        })
    }

    /// Calls bitcoind once.
    pub(crate) fn call_once<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<T, CallError> {
        self.call_within(method, params, self.options.client_timeout)
    }

    /// Calls bitcoind, again and again while it is away or busy, for as long as `bitcoin-retry-timeout` says.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        loop {
            let error = match self.call_once(method, params) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            if !error.is_passing() || started.elapsed() >= self.options.retry_timeout {
                return Err(error);
            }
            self.log.unusual(format!("{method}: {error}, trying again"));
            self.wait();
        }
    }

    /// Calls bitcoind once and waits for the answer as long as `timeout` says.
    pub(crate) fn call_within<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
        timeout: Duration,
    ) -> Result<T, CallError> {
        self.client.call(method, params, timeout)
    }

    /// Whether bitcoind may be left with a call that it answers when a block comes: one of its threads does nothing else meanwhile.
    pub(crate) fn may_wait(&self) -> bool {
        let threads = self.client.endpoint().rpc_threads;
        self.version >= WAITS_FROM_TIP && threads.is_none_or(|threads| threads >= FEW_THREADS)
    }

    /// Waits before bitcoind is asked again.
    pub(crate) fn wait(&self) {
        std::thread::sleep(self.pause);
    }

    /// How the call would be made by hand: for messages.
    pub(crate) fn command(&self, method: &str, params: &Value) -> String {
        let mut words = Endpoint::command_line(&self.options, self.network);
        words.push(' ');
        words.push_str(method);
        for param in params.as_array().into_iter().flatten() {
            words.push(' ');
            match param.as_str() {
                Some(text) => words.push_str(text),
                None => words.push_str(&param.to_string()),
            }
        }
        words
    }

    /// The answer to lightningd when a call failed.
    pub(crate) fn failed(&self, method: &str, params: &Value, error: &CallError) -> RpcError {
        let command = self.command(method, params);
        RpcError::new(
            RpcErrorCode::BcliError,
            format!("{command}: command failed ({error})"),
        )
        .with_data(json!({ "transient": error.is_passing() }))
    }
}
