//! `getrawblockbyheight`.

use std::time::Instant;

use ln_plugin::Call;
use ln_rpc::{RpcError, RpcErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Backend;
use crate::client::CallError;

/// The first bitcoind that can fetch a block it pruned.
const FETCHES_FROM_PEERS: u32 = 230_000;
/// The services bit of peers that have all blocks.
const NODE_NETWORK: u8 = 1;

/// A block; both null if the chain is not that long yet.
#[derive(Debug, Serialize)]
pub(super) struct Block {
    blockhash: Option<String>,
    block: Option<Box<RawValue>>,
}

pub(super) fn getrawblockbyheight(backend: &Backend, call: &Call<'_>) -> Result<Block, RpcError> {
    let height: u32 = call.args.required("height")?;
    let (method, params) = ("getblockhash", json!([height]));
    let hash: Option<String> = match backend.call(method, &params) {
        Ok(hash) => hash,
        Err(CallError::Rpc { .. }) => None,
        Err(error) => return Err(backend.failed(method, &params, &error)),
    };
    let Some(hash) = hash else {
        return Ok(Block {
            blockhash: None,
            block: None,
        });
    };
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let error = CallError::BadReply("bad blockhash".to_owned());
        return Err(backend.failed(method, &params, &error));
    }
    let block = fetch(backend, &hash)?;
    Ok(Block {
        blockhash: Some(hash),
        block: Some(block),
    })
}

/// The block's hex as JSON: megabytes that need not be read and written again.
fn fetch(backend: &Backend, hash: &str) -> Result<Box<RawValue>, RpcError> {
    let (method, params) = ("getblock", json!([hash, 0]));
    let started = Instant::now();
    let mut peers = Vec::new();
    loop {
        let reason = match backend.call::<Box<RawValue>>(method, &params) {
            Ok(block) if block.get().starts_with('"') => return Ok(block),
            Ok(_) => {
                let error = CallError::BadReply("the block is no string".to_owned());
                return Err(backend.failed(method, &params, &error));
            }
            Err(CallError::Rpc { message, .. }) => message,
            Err(error) => return Err(backend.failed(method, &params, &error)),
        };
        backend.log.debug(format!(
            "failed to fetch block {hash} from the bitcoin backend (maybe pruned)."
        ));
        let patience = backend.options.retry_timeout;
        if started.elapsed() >= patience {
            let message = format!(
                "getblock {hash} timed out after {} seconds: {reason}. bitcoind has no peer that gives it the block: use one that \
                 has it",
                patience.as_secs()
            );
            return Err(RpcError::new(RpcErrorCode::BcliError, message));
        }
        if backend.version >= FETCHES_FROM_PEERS {
            ask_a_peer(backend, hash, &mut peers);
        }
        backend.wait();
    }
}

/// Has bitcoind fetch a pruned block from the next peer that may have it.
fn ask_a_peer(backend: &Backend, hash: &str, peers: &mut Vec<i64>) {
    if peers.is_empty() {
        *peers = full_peers(backend);
    }
    if let Some(peer) = peers.pop() {
        let asked = backend.call::<Value>("getblockfrompeer", &json!([hash, peer]));
        backend.log.debug(match asked {
            Ok(_) => format!("try to fetch block {hash} from peer {peer}."),
            Err(_) => format!("failed to fetch block {hash} from peer {peer}, skip."),
        });
    }
    if peers.is_empty() {
        backend
            .log
            .debug(format!("asked all known peers about block {hash}, retry"));
    }
}

#[derive(Deserialize)]
struct Peer {
    id: i64,
    /// Hex.
    services: String,
}

fn full_peers(backend: &Backend) -> Vec<i64> {
    let peers: Result<Vec<Peer>, CallError> = backend.call("getpeerinfo", &json!([]));
    let has_all = |peer: &Peer| {
        let last = peer.services.chars().last().and_then(|c| c.to_digit(16));
        last.is_some_and(|digit| digit & u32::from(NODE_NETWORK) != 0)
    };
    let peers = peers.unwrap_or_default();
    peers
        .iter()
        .filter(|peer| has_all(peer))
        .map(|peer| peer.id)
        .collect()
}
