//! The five questions to the chain backend, whichever plugins serve them, and a sixth that not all can answer.

use std::rc::Rc;
use std::time::Duration;

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, BlockHash, OutPoint, ScriptBuf, Transaction};
use ln_types::{BlockHeight, Sat};
use serde::Deserialize;
use serde_json::json;

use crate::plugins::{PluginError, PluginHost};

/// The chain backend.
#[derive(Debug, Clone)]
pub(crate) struct Backend(Rc<PluginHost>);

/// `getchaininfo`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ChainInfo {
    /// The chain's name as bitcoind gives it.
    pub(crate) chain: String,
    /// How many headers it has; a backend that does not say has the blocks to all of them.
    #[serde(default)]
    pub(crate) headercount: Option<u32>,
    /// The best block's height.
    pub(crate) blockcount: u32,
    /// Whether it is still catching up.
    pub(crate) ibd: bool,
}

impl ChainInfo {
    /// The height that the backend knows of, with or without the blocks.
    pub(crate) fn headers(&self) -> u32 {
        self.headercount.unwrap_or(0).max(self.blockcount)
    }
}

/// `estimatefees`: satoshi per 1000 virtual bytes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Estimates {
    /// The least the network relays.
    pub(crate) feerate_floor: u32,
    /// Estimates by number of blocks, ascending.
    #[serde(default)]
    pub(crate) feerates: Vec<Estimate>,
}

/// One estimate.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Estimate {
    /// For confirmation within so many blocks.
    pub(crate) blocks: u32,
    /// Satoshi per 1000 virtual bytes.
    pub(crate) feerate: u32,
}

#[derive(Deserialize)]
struct Tip {
    hash: BlockHash,
}

#[derive(Deserialize)]
struct RawBlock {
    blockhash: Option<BlockHash>,
    block: Option<String>,
}

#[derive(Deserialize)]
struct Utxo {
    amount: Option<u64>,
    script: Option<ScriptBuf>,
}

#[derive(Deserialize)]
struct Sent {
    success: bool,
    #[serde(default)]
    errmsg: Option<String>,
}

impl Backend {
    /// Asks through `plugins`.
    pub(crate) fn new(plugins: Rc<PluginHost>) -> Self {
        Self(plugins)
    }

    /// Where the chain stands.
    pub(crate) async fn chain_info(&self, known: BlockHeight) -> Result<ChainInfo, PluginError> {
        self.0
            .call("getchaininfo", json!({ "last_height": known.0 }))
            .await
    }

    /// Waits until the best block is another than `known`, or until the time is up; the best block. Ours alone: other backends may not know
    /// the method.
    pub(crate) async fn wait_for_change(
        &self,
        known: BlockHash,
        within: Duration,
    ) -> Result<BlockHash, PluginError> {
        let params = json!({ "last_hash": known, "timeout": within.as_secs() });
        let tip: Tip = self.0.call("waitblockchange", params).await?;
        Ok(tip.hash)
    }

    /// What feerates are needed.
    pub(crate) async fn estimates(&self) -> Result<Estimates, PluginError> {
        self.0.call("estimatefees", json!({})).await
    }

    /// The block at a height; nothing when there is none yet.
    pub(crate) async fn block(
        &self,
        height: BlockHeight,
    ) -> Result<Option<(BlockHash, Block)>, PluginError> {
        let raw: RawBlock = self
            .0
            .call("getrawblockbyheight", json!({ "height": height.0 }))
            .await?;
        let (Some(hash), Some(hex)) = (raw.blockhash, raw.block) else {
            return Ok(None);
        };
        let malformed = |problem: &str| PluginError::Malformed {
            plugin: "chain backend".to_owned(),
            method: "getrawblockbyheight".to_owned(),
            problem: problem.to_owned(),
        };
        let block: Block =
            deserialize_hex(&hex).map_err(|_| malformed("the block can't be read"))?;
        if block.block_hash() != hash {
            return Err(malformed("the block's hash is another"));
        }
        Ok(Some((hash, block)))
    }

    /// An unspent output.
    pub(crate) async fn utxo(
        &self,
        outpoint: OutPoint,
    ) -> Result<Option<(Sat, ScriptBuf)>, PluginError> {
        let utxo: Utxo = self
            .0
            .call(
                "getutxout",
                json!({ "txid": outpoint.txid, "vout": outpoint.vout }),
            )
            .await?;
        Ok(utxo.amount.map(Sat::from_sat).zip(utxo.script))
    }

    /// Hands a transaction to the network; the inner error is the backend's refusal.
    pub(crate) async fn send(
        &self,
        tx: &Transaction,
        allow_high_fees: bool,
    ) -> Result<Result<(), String>, PluginError> {
        let sent: Sent = self
            .0
            .call(
                "sendrawtransaction",
                json!({ "tx": serialize_hex(tx), "allowhighfees": allow_high_fees }),
            )
            .await?;
        Ok(if sent.success {
            Ok(())
        } else {
            Err(sent.errmsg.unwrap_or_default())
        })
    }
}
