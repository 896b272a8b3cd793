//! What the accounts begin with on a node that is older than they are.

use ln_channel::ChannelState as Machine;
use ln_codec::Decode as _;
use ln_db::{ChannelMoveRow, ChannelRow, DbError, MoveAmount, Txn};
use ln_types::{ChannelMoveTag, Msat};

use super::{Entry, channel_opened, deposit, keep};
use crate::clock;

/// The counter that says that the accounts have begun.
const BEGUN: &str = "accounts_begun";

/// Once, before anything else moves: the coins there are, the channels there are, and what their balances are beyond how they were opened.
pub(crate) fn begin(txn: &mut Txn<'_>) -> Result<(), DbError> {
    if txn.var(BEGUN)? != 0 {
        return Ok(());
    }
    let outputs = txn.outputs()?.into_iter();
    let coins = outputs
        .filter(|coin| coin.spent.is_none())
        .filter_map(|coin| {
            let height = coin.confirmed?;
            Some(deposit(coin.outpoint, coin.amount, height, None))
        });
    let mut entries: Vec<Entry> = coins.collect();
    for row in txn.channels(false)? {
        if row.scid.is_none() {
            continue;
        }
        let opened = channel_opened(&row);
        let adjusted = adjustment(&row, balance_after(&opened));
        entries.push(opened);
        entries.extend(adjusted.map(|row| Entry::Channel(Box::new(row))));
    }
    keep(txn, entries)?;
    txn.set_var(BEGUN, 1)
}

/// What a channel holds after its opening.
fn balance_after(opened: &Entry) -> Msat {
    match opened {
        Entry::Chain(row, with) => with.iter().fold(row.amount.credit(), |balance, given| {
            balance
                .saturating_add(given.amount.credit())
                .saturating_sub(given.amount.debit())
        }),
        Entry::Channel(row) => row.amount.credit(),
    }
}

fn adjustment(row: &ChannelRow, opened_with: Msat) -> Option<ChannelMoveRow> {
    let to_us = Machine::from_bytes(&row.machine).ok()?.to_us();
    let amount = if to_us > opened_with {
        MoveAmount::Credit(to_us.saturating_sub(opened_with))
    } else {
        MoveAmount::Debit(opened_with.saturating_sub(to_us))
    };
    (to_us != opened_with).then(|| ChannelMoveRow {
        created_index: 0,
        account: row.channel_id.to_string(),
        amount,
        timestamp: clock::now(),
        tag: ChannelMoveTag::JournalEntry,
        payment_hash: None,
        payment: None,
        fees: Msat::ZERO,
    })
}
