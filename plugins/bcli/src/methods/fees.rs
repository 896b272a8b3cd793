//! `estimatefees`.

use ln_plugin::Call;
use ln_rpc::RpcError;
use ln_types::Network;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Backend;
use crate::amount::Satoshi;
use crate::client::CallError;

/// The targets asked for, in blocks, and how sure bitcoind should be.
const TARGETS: [(u32, &str); 4] = [
    (2, "CONSERVATIVE"),
    (6, "ECONOMICAL"),
    (12, "ECONOMICAL"),
    (100, "ECONOMICAL"),
];
/// bitcoind's default relay fee, in satoshi per 1000 vbytes.
const STANDARD_FLOOR: u64 = 1000;

/// Feerates in satoshi per 1000 vbytes.
#[derive(Debug, Serialize)]
pub(super) struct Fees {
    feerates: Vec<Feerate>,
    feerate_floor: u64,
}

#[derive(Debug, Serialize)]
struct Feerate {
    blocks: u32,
    feerate: u64,
}

#[derive(Deserialize)]
struct MempoolInfo {
    mempoolminfee: Satoshi,
    minrelaytxfee: Satoshi,
}

#[derive(Deserialize)]
struct Estimate {
    #[serde(default)]
    feerate: Option<Satoshi>,
}

pub(super) fn estimatefees(backend: &Backend, _call: &Call<'_>) -> Result<Fees, RpcError> {
    // When bitcoind has no estimate, none is passed on.
    let nothing = Fees {
        feerates: Vec::new(),
        feerate_floor: STANDARD_FLOOR,
    };
    let info: Option<MempoolInfo> = ask(backend, "getmempoolinfo", &json!([]))?;
    let Some(info) = info else {
        return Ok(nothing);
    };
    let floor = info.mempoolminfee.max(info.minrelaytxfee).0;
    let mut feerates = Vec::with_capacity(TARGETS.len());
    for (blocks, mode) in TARGETS {
        let estimate: Option<Estimate> = ask(backend, "estimatesmartfee", &json!([blocks, mode]))?;
        let feerate = match estimate {
            Some(Estimate {
                feerate: Some(feerate),
            }) => feerate.0,
            Some(Estimate { feerate: None }) if fakes_fees(backend) => STANDARD_FLOOR,
            Some(Estimate { feerate: None }) | None => return Ok(nothing),
        };
        // Zero is no estimate; a rate bitcoind would not relay is raised.
        if feerate > 0 {
            let feerate = feerate.max(floor).min(u64::from(u32::MAX));
            feerates.push(Feerate { blocks, feerate });
        }
    }
    Ok(Fees {
        feerates,
        feerate_floor: floor,
    })
}

/// A private chain has nothing to estimate from.
fn fakes_fees(backend: &Backend) -> bool {
    backend.network == Network::Regtest && !backend.options.no_fake_fees
}

/// What bitcoind says; `None` if it refuses.
fn ask<T: serde::de::DeserializeOwned>(
    backend: &Backend,
    method: &str,
    params: &Value,
) -> Result<Option<T>, RpcError> {
    match backend.call(method, params) {
        Ok(found) => Ok(Some(found)),
        Err(CallError::Rpc { .. }) => Ok(None),
        Err(error) => Err(backend.failed(method, params, &error)),
    }
}
