//! `getchaininfo`.

use ln_plugin::Call;
use ln_rpc::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Backend;

#[derive(Deserialize)]
struct BlockchainInfo {
    chain: String,
    headers: u32,
    blocks: u32,
    initialblockdownload: bool,
}

/// Which chain, how long it is, and whether bitcoind is still catching up.
#[derive(Debug, Serialize)]
pub(super) struct ChainInfo {
    chain: String,
    headercount: u32,
    blockcount: u32,
    ibd: bool,
}

pub(super) fn getchaininfo(backend: &Backend, call: &Call<'_>) -> Result<ChainInfo, RpcError> {
    let _known: Option<u32> = call.args.optional("last_height")?;
    let (method, params) = ("getblockchaininfo", json!([]));
    let info: BlockchainInfo = backend
        .call(method, &params)
        .map_err(|error| backend.failed(method, &params, &error))?;
    Ok(ChainInfo {
        chain: info.chain,
        headercount: info.headers,
        blockcount: info.blocks,
        ibd: info.initialblockdownload && !backend.options.ignore_ibd,
    })
}
