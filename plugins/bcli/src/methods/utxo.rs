//! `getutxout`.

use ln_plugin::Call;
use ln_rpc::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Backend;
use crate::amount::Satoshi;
use crate::client::CallError;

/// An unspent output; both null if it is spent or was never there.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    amount: Option<u64>,
    script: Option<String>,
}

#[derive(Deserialize)]
struct TxOut {
    value: Satoshi,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: ScriptPubKey,
}

#[derive(Deserialize)]
struct ScriptPubKey {
    hex: String,
}

pub(super) fn getutxout(backend: &Backend, call: &Call<'_>) -> Result<Output, RpcError> {
    let txid: String = call.args.required("txid")?;
    let vout: u32 = call.args.required("vout")?;
    let (method, params) = ("gettxout", json!([txid, vout]));
    match backend.call::<Option<TxOut>>(method, &params) {
        Ok(Some(output)) => Ok(Output {
            amount: Some(output.value.0),
            script: Some(output.script_pub_key.hex),
        }),
        Ok(None) | Err(CallError::Rpc { .. }) => Ok(Output {
            amount: None,
            script: None,
        }),
        Err(error) => Err(backend.failed(method, &params, &error)),
    }
}
