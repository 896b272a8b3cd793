//! Peers, blocks, the log, plugins.

use bitcoin::BlockHash;
use ln_types::NodeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Topic;
use crate::hooks::{CustomMessage, Direction};

/// A peer has connected.
pub const CONNECT: Topic<Connected> = Topic::named("connect");
/// A peer is gone.
pub const DISCONNECT: Topic<Disconnected> = Topic::named("disconnect");
/// A message of a type that the node does not know, after the hook of the same name.
pub const CUSTOMMSG: Topic<CustomMessage> = Topic::named("custommsg");
/// A block was taken in.
pub const BLOCK_ADDED: Topic<BlockAdded> = Topic::named("block_added");
/// A line of the log. `*` does not include it.
pub const LOG: Topic<LogLine> = Topic::named("log");
/// A line of the log that somebody should look at.
pub const WARNING: Topic<LogLine> = Topic::named("warning");
/// A plugin works.
pub const PLUGIN_STARTED: Topic<PluginLife> = Topic::named("plugin_started");
/// A plugin has ended.
pub const PLUGIN_STOPPED: Topic<PluginLife> = Topic::named("plugin_stopped");
/// The next request's client thinks otherwise of deprecated things than the node.
pub const DEPRECATED_ONESHOT: Topic<DeprecatedOneshot> = Topic::named("deprecated_oneshot");

/// A peer that has connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The peer.
    pub id: NodeId,
    /// Who connected.
    pub direction: Direction,
    /// Its address: `type`, and `address` and `port` or what else the type has.
    pub address: Value,
}

/// A peer that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    /// The peer.
    pub id: NodeId,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockAdded {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters: `io` to `broken`; of a warning `warn` or `error`.
    pub level: String,
    /// When, in seconds since 1970 with nine decimals.
    pub time: String,
    /// When, as `2026-01-02T03:04:05.678Z`.
    pub timestamp: String,
    /// Who wrote it.
    pub source: String,
    /// The line.
    pub log: String,
}

/// A plugin that works or has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLife {
    /// The name of its file.
    pub plugin_name: String,
    /// Where it is.
    pub plugin_path: String,
    /// The methods it has, or had.
    pub methods: Vec<String>,
}

/// How the next request's client thinks of deprecated things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeprecatedOneshot {
    /// Whether it may use them.
    pub deprecated_ok: bool,
}
