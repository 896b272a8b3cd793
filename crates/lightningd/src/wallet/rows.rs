//! Coins in and out of the database.

use ln_db::{OutputRow, OutputStatus};
use ln_wallet::{AddressKind, CloseInfo, Origin, ScriptIndex, Utxo};

/// A coin as the database has it.
pub(crate) fn utxo(row: OutputRow, scripts: &ScriptIndex) -> Utxo {
    let origin = match row.close {
        Some((peer_id, channel_dbid)) => Origin::Close(CloseInfo {
            channel_dbid,
            peer_id,
            commitment_point: None,
            has_anchors: row.script.is_p2wsh(),
            csv: u32::from(row.csv),
        }),
        None => {
            let kind = scripts
                .find(&row.script)
                .map_or(AddressKind::P2wpkh, |(kind, _)| kind);
            Origin::Wallet {
                kind,
                key_index: row.key_index,
            }
        }
    };
    Utxo {
        outpoint: row.outpoint,
        value: row.amount,
        script_pubkey: row.script,
        origin,
        height: row.confirmed,
        spent_height: row.spent,
        reserved_until: row.reserved_until,
        is_coinbase: row.coinbase,
    }
}

/// The row of a coin.
pub(crate) fn output_row(coin: &Utxo) -> OutputRow {
    let (key_index, close, csv) = match &coin.origin {
        Origin::Wallet { key_index, .. } => (*key_index, None, 1),
        Origin::Close(close) => (
            0,
            Some((close.peer_id, close.channel_dbid)),
            u16::try_from(close.csv).unwrap_or(u16::MAX),
        ),
    };
    OutputRow {
        outpoint: coin.outpoint,
        amount: coin.value,
        status: if coin.spent_height.is_some() {
            OutputStatus::Spent
        } else {
            OutputStatus::Available
        },
        key_index,
        script: coin.script_pubkey.clone(),
        close,
        confirmed: coin.height,
        spent: coin.spent_height,
        reserved_until: coin.reserved_until,
        csv,
        coinbase: coin.is_coinbase,
    }
}
