//! What is owned, and how it moves.

use bitcoin::{OutPoint, Txid};
use ln_types::{Msat, NodeId, PaymentHash};
use serde::{Deserialize, Serialize};

use super::Topic;

/// All balances, at the start.
pub const BALANCE_SNAPSHOT: Topic<BalanceSnapshot> = Topic::named("balance_snapshot");
/// Money moved in a channel or on the chain.
pub const COIN_MOVEMENT: Topic<CoinMovement> = Topic::named("coin_movement");

/// All balances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceSnapshot {
    /// This node.
    pub node_id: NodeId,
    /// The height at which they are so.
    pub blockheight: u32,
    /// When, in seconds since 1970.
    pub timestamp: u64,
    /// The wallet and the channels.
    pub accounts: Vec<AccountBalance>,
}

/// One balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBalance {
    /// `wallet`, or a channel's id.
    pub account_id: String,
    /// How much.
    pub balance_msat: Msat,
    /// The coin: `bc`, `tb`, `bcrt`, ...
    pub coin_type: String,
}

/// Money that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinMovement {
    /// The version of this form: 2.
    pub version: u32,
    /// The coin: `bc`, `tb`, `bcrt`, ...
    pub coin_type: String,
    /// This node.
    pub node_id: NodeId,
    /// `channel_mvt` or `chain_mvt`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Counts movements.
    pub created_index: u64,
    /// `wallet`, `external`, or a channel's id.
    pub account_id: String,
    /// What came.
    pub credit_msat: Msat,
    /// What went.
    pub debit_msat: Msat,
    /// When, in seconds since 1970.
    pub timestamp: u64,
    /// What it is.
    pub primary_tag: String,
    /// What else it is.
    #[serde(default)]
    pub extra_tags: Vec<String>,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_hash: Option<PaymentHash>,
    /// The part of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_id: Option<u64>,
    /// The attempt at the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<u64>,
    /// Fees in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees_msat: Option<Msat>,
    /// The output it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utxo: Option<OutPoint>,
    /// The peer, where a channel is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<NodeId>,
    /// Where it comes from, if from another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originating_account: Option<String>,
    /// What spent the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending_txid: Option<Txid>,
    /// What the output holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_msat: Option<Msat>,
    /// How many outputs the channel's close has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_count: Option<u32>,
    /// The block it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blockheight: Option<u32>,
}
