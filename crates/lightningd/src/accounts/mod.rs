//! The node's accounts: what moved between the wallet, the channels and the world (`listchainmoves`, `listchannelmoves`, `coin_movement`).
//!
//! A line is written in the transaction that makes the event it belongs to durable, or, where a replay brings the event again until it is
//! dealt with, before that. Lines of the chain are kept once, however often their block or onchaind brings them: what a reorganisation takes
//! back stays, as Core Lightning has it. Plugins are told after the commit.

mod lines;
mod opening_balance;
mod tell;

use ln_db::{ChainMoveRow, ChannelMoveRow, DbError, Txn};

pub(crate) use lines::{
    InBlock, channel_closed, channel_opened, deposit, moved_on_chain, of_block, paid_outside,
    resolved_htlc,
};
pub(crate) use opening_balance::begin;
pub(crate) use tell::{shown_chain_move, shown_channel_move, tell};

/// Lines of the accounts that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A coin that moved on chain, and what moved in the channel by that.
    Chain(Box<ChainMoveRow>, Vec<ChannelMoveRow>),
    /// An amount that moved in a channel.
    Channel(Box<ChannelMoveRow>),
}

/// A line that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// A coin that moved on chain.
    Chain(Box<ChainMoveRow>),
    /// An amount that moved in a channel.
    Channel(Box<ChannelMoveRow>),
}

/// Writes entries; returns the lines that are news. An entry of the chain that was kept before brings nothing again.
pub(crate) fn keep(
    txn: &mut Txn<'_>,
    entries: impl IntoIterator<Item = Entry>,
) -> Result<Vec<Line>, DbError> {
    let mut kept = Vec::new();
    for entry in entries {
        match entry {
            Entry::Chain(mut row, with) => {
                if !txn.add_chain_move(&mut row)? {
                    continue;
                }
                kept.push(Line::Chain(row));
                for mut row in with {
                    txn.add_channel_move(&mut row)?;
                    kept.push(Line::Channel(Box::new(row)));
                }
            }
            Entry::Channel(mut row) => {
                txn.add_channel_move(&mut row)?;
                kept.push(Line::Channel(row));
            }
        }
    }
    Ok(kept)
}
