//! `waitblockchange`: not one of the five, but what makes polling unnecessary.

use std::time::{Duration, Instant};

use ln_plugin::Call;
use ln_rpc::{RpcError, RpcErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Backend;
use crate::client::CallError;

/// The longest wait, in seconds.
const LONGEST: u64 = 600;
/// How long an answer may be late.
const GRACE: Duration = Duration::from_mins(1);
/// bitcoind does not know the method.
const METHOD_NOT_FOUND: i64 = -32601;

/// The tip, whether it changed or the time was up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tip {
    hash: String,
    height: u32,
}

#[derive(Deserialize)]
struct BlockchainInfo {
    bestblockhash: String,
    blocks: u32,
}

/// Waits until the best block is another than `last_hash`, at most `timeout` seconds.
pub(super) fn waitblockchange(backend: &Backend, call: &Call<'_>) -> Result<Tip, RpcError> {
    let last_hash: String = call.args.required("last_hash")?;
    let timeout: u64 = call.args.required("timeout")?;
    let patience = Duration::from_secs(timeout.min(LONGEST));
    if backend.may_wait() {
        wait_in_bitcoind(backend, &last_hash, patience)
    } else {
        ask_until_changed(backend, &last_hash, patience)
    }
}

/// One call that bitcoind answers when the tip changes.
fn wait_in_bitcoind(
    backend: &Backend,
    last_hash: &str,
    patience: Duration,
) -> Result<Tip, RpcError> {
    // Zero milliseconds would be for ever.
    let milliseconds = u64::try_from(patience.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let (method, params) = ("waitfornewblock", json!([milliseconds, last_hash]));
    let timeout = backend.options.client_timeout.min(GRACE);
    backend
        .call_within(method, &params, timeout.saturating_add(patience))
        .map_err(|error| failed(backend, method, &params, &error))
}

/// Many calls that are answered at once.
fn ask_until_changed(
    backend: &Backend,
    last_hash: &str,
    patience: Duration,
) -> Result<Tip, RpcError> {
    let started = Instant::now();
    let (method, params) = ("getblockchaininfo", json!([]));
    loop {
        let info: BlockchainInfo = backend
            .call_once(method, &params)
            .map_err(|error| failed(backend, method, &params, &error))?;
        if info.bestblockhash != last_hash || started.elapsed() >= patience {
            return Ok(Tip {
                hash: info.bestblockhash,
                height: info.blocks,
            });
        }
        backend.wait();
    }
}

fn failed(backend: &Backend, method: &str, params: &Value, error: &CallError) -> RpcError {
    if matches!(error, CallError::Rpc { code, .. } if *code == METHOD_NOT_FOUND) {
        let message = format!("bitcoind has no {method}");
        return RpcError::new(RpcErrorCode::MethodNotFound, message);
    }
    backend.failed(method, params, error)
}
