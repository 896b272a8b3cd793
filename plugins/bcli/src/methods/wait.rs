//! `waitblockchange`: not one of the five, but what makes polling unnecessary.

use std::time::Duration;

use ln_plugin::Call;
use ln_rpc::{RpcError, RpcErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Backend;
use crate::client::CallError;

/// The longest wait, in seconds.
const LONGEST: u64 = 600;
/// The first bitcoind that takes the tip we know, so that no block can slip between two calls.
const TAKES_TIP: u32 = 290_000;
/// bitcoind does not know the method.
const METHOD_NOT_FOUND: i64 = -32601;

/// The tip, whether it changed or the time was up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tip {
    hash: String,
    height: u32,
}

/// Waits until the best block is another than `last_hash`, at most `timeout` seconds.
pub(super) fn waitblockchange(backend: &Backend, call: &Call<'_>) -> Result<Tip, RpcError> {
    let last_hash: String = call.args.required("last_hash")?;
    let timeout: u64 = call.args.required("timeout")?;
    let patience = Duration::from_secs(timeout.min(LONGEST));
    let failed = |method: &str, params: &Value, error: &CallError| {
        let unknown = matches!(error, CallError::Rpc { code, .. } if *code == METHOD_NOT_FOUND);
        if unknown {
            let message = format!("bitcoind has no {method}");
            return RpcError::new(RpcErrorCode::MethodNotFound, message);
        }
        backend.failed(method, params, error)
    };
    let (method, params) = ("getbestblockhash", json!([]));
    let best: String = backend
        .call(method, &params)
        .map_err(|error| failed(method, &params, &error))?;
    // A wait of a millisecond tells the height of a tip that changed before we asked.
    let milliseconds = if best == last_hash {
        u64::try_from(patience.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    } else {
        1
    };
    let method = "waitfornewblock";
    let params = if backend.version >= TAKES_TIP {
        json!([milliseconds, best])
    } else {
        json!([milliseconds])
    };
    let timeout = backend.options.client_timeout.saturating_add(patience);
    backend
        .call_within(method, &params, timeout)
        .map_err(|error| failed(method, &params, &error))
}
