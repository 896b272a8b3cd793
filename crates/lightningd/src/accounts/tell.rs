//! `coin_movement`, and how lines are shown.

use ln_db::{ChainMoveRow, ChannelMoveRow};
use ln_rpc::methods::accounts::listchainmoves::ChainMove;
use ln_rpc::methods::accounts::listchannelmoves::ChannelMove;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Line;
use crate::node::Node;

/// The version of `coin_movement`.
const VERSION: u32 = 2;

/// What every `coin_movement` says first.
#[derive(Debug, Serialize)]
struct Told<T> {
    version: u32,
    coin_type: &'static str,
    node_id: ln_types::NodeId,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    line: T,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Tells those who wait and plugins of lines that were kept. They are durable.
pub(crate) fn tell(node: &Node, lines: Vec<Line>) {
    if lines.is_empty() {
        return;
    }
    node.rpc.index_changed();
    if !node.plugins.has_subscriber("coin_movement") {
        return;
    }
    for line in lines {
        match line {
            Line::Chain(row) => {
                let more = chain_extras(node, &row);
                told(node, "chain_mvt", shown_chain_move(*row), more);
            }
            Line::Channel(row) => {
                let mut more = Map::new();
                // Empty, so that both kinds look alike.
                more.insert("extra_tags".to_owned(), json!([]));
                if node.config.allow_deprecated {
                    more.insert("tags".to_owned(), json!([row.tag]));
                }
                told(node, "channel_mvt", shown_channel_move(*row), more);
            }
        }
    }
}

fn told(node: &Node, kind: &'static str, line: impl Serialize, more: Map<String, Value>) {
    node.plugins.notify("coin_movement", || Told {
        version: VERSION,
        coin_type: node.config.network.invoice_prefix(),
        node_id: node.id(),
        kind,
        line,
        more,
    });
}

/// What older versions of Core Lightning said, as long as plugins may rely on it.
fn chain_extras(node: &Node, row: &ChainMoveRow) -> Map<String, Value> {
    let mut more = Map::new();
    if !node.config.allow_deprecated {
        return more;
    }
    let extra = row.extra_tags.iter().map(|tag| tag.name());
    let tags: Vec<&str> = std::iter::once(row.tag.name()).chain(extra).collect();
    more.insert("tags".to_owned(), json!(tags));
    more.insert("utxo_txid".to_owned(), json!(row.utxo.txid));
    more.insert("vout".to_owned(), json!(row.utxo.vout));
    let txid = row
        .spending_txid
        .map(|txid| ("txid".to_owned(), json!(txid)));
    more.extend(txid);
    more
}

/// A coin that moved, as it is listed.
pub(crate) fn shown_chain_move(row: ChainMoveRow) -> ChainMove {
    ChainMove {
        created_index: row.created_index,
        account_id: row.account,
        credit_msat: row.amount.credit(),
        debit_msat: row.amount.debit(),
        timestamp: row.timestamp,
        primary_tag: row.tag,
        extra_tags: row.extra_tags,
        utxo: row.utxo,
        peer_id: row.peer,
        originating_account: row.originating_account,
        spending_txid: row.spending_txid,
        payment_hash: row.payment_hash,
        output_msat: row.output.to_msat_saturating(),
        output_count: row.output_count,
        blockheight: row.height,
    }
}

/// An amount that moved in a channel, as it is listed.
pub(crate) fn shown_channel_move(row: ChannelMoveRow) -> ChannelMove {
    let (part_id, group_id) = row.payment.unzip();
    ChannelMove {
        created_index: row.created_index,
        account_id: row.account,
        credit_msat: row.amount.credit(),
        debit_msat: row.amount.debit(),
        timestamp: row.timestamp,
        primary_tag: row.tag,
        payment_hash: row.payment_hash,
        part_id,
        group_id,
        fees_msat: row.fees,
    }
}
