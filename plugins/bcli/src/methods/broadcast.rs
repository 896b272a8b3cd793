//! `sendrawtransaction`.

use ln_plugin::Call;
use ln_rpc::RpcError;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Backend;
use crate::client::CallError;

/// The transaction is in a block already.
const ALREADY_IN_CHAIN: i64 = -27;

/// Whether bitcoind took the transaction, and why not.
#[derive(Debug, Serialize)]
pub(super) struct Sent {
    success: bool,
    errmsg: String,
}

pub(super) fn sendrawtransaction(backend: &Backend, call: &Call<'_>) -> Result<Sent, RpcError> {
    let tx: String = call.args.required("tx")?;
    let any_fee: bool = call.args.required("allowhighfees")?;
    let method = "sendrawtransaction";
    // A largest feerate of zero is none.
    let params = if any_fee { json!([tx, 0]) } else { json!([tx]) };
    let result: Result<Value, CallError> = backend.call(method, &params);
    let command = backend.command(method, &params);
    let (exit, output) = match &result {
        Ok(_) => (0, String::new()),
        Err(error) => (error.exit_code(), error.to_string()),
    };
    // Test suites wait for this line.
    backend
        .log
        .debug(format!("sendrawtx exit {exit} ({command}) {output}"));
    match result {
        Ok(_) => Ok(Sent {
            success: true,
            errmsg: output,
        }),
        Err(CallError::Rpc { code, .. }) => Ok(Sent {
            success: code == ALREADY_IN_CHAIN,
            errmsg: output,
        }),
        Err(error) => Err(backend.failed(method, &params, &error)),
    }
}
