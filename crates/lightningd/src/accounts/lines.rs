//! Which event makes which lines.

use bitcoin::{OutPoint, Transaction, Txid};
use ln_db::{
    ChainMoveRow, ChannelMoveRow, ChannelRow, DbError, HtlcDirection, HtlcRow, MoveAmount, Txn,
};
use ln_onchain::{Account, Movement};
use ln_types::{
    BlockHeight, ChainMoveTag, ChannelId, ChannelMoveTag, ExtraMoveTag, Msat, Sat, Side,
};

use super::{Entry, Line, keep};
use crate::clock;

/// The wallet's account.
const WALLET: &str = "wallet";
/// The account of everybody else.
const EXTERNAL: &str = "external";

/// A line about an output as it is, or about its being spent.
fn on_chain(
    account: String,
    tag: ChainMoveTag,
    utxo: OutPoint,
    output: Sat,
    height: BlockHeight,
    spent_by: Option<Txid>,
) -> ChainMoveRow {
    let amount = output.to_msat_saturating();
    ChainMoveRow {
        created_index: 0,
        account,
        amount: match spent_by {
            Some(_) => MoveAmount::Debit(amount),
            None => MoveAmount::Credit(amount),
        },
        timestamp: clock::now(),
        tag,
        extra_tags: Vec::new(),
        utxo,
        spending_txid: spent_by,
        peer: None,
        payment_hash: None,
        height,
        output,
        originating_account: None,
        output_count: None,
    }
}

fn in_channel(account: ChannelId, tag: ChannelMoveTag, amount: MoveAmount) -> ChannelMoveRow {
    ChannelMoveRow {
        created_index: 0,
        account: account.to_string(),
        amount,
        timestamp: clock::now(),
        tag,
        payment_hash: None,
        payment: None,
        fees: Msat::ZERO,
    }
}

/// A coin came to the wallet with a block; from a channel, if that is known.
pub(crate) fn deposit(
    utxo: OutPoint,
    amount: Sat,
    height: BlockHeight,
    from: Option<ChannelId>,
) -> Entry {
    let tag = ChainMoveTag::Deposit;
    let mut row = on_chain(WALLET.to_owned(), tag, utxo, amount, height, None);
    row.originating_account = from.map(|channel| channel.to_string());
    Entry::Chain(Box::new(row), Vec::new())
}

/// A transaction of a block, as far as it may concern the wallet.
#[derive(Debug, Clone)]
pub(crate) struct InBlock {
    /// Its txid.
    pub(crate) txid: Txid,
    /// Outputs it spends that may be the wallet's.
    pub(crate) spends: Vec<OutPoint>,
    /// Outputs of it that are the wallet's.
    pub(crate) received: Vec<(OutPoint, Sat)>,
}

/// What a block means for the wallet: its transactions in their order, the coins they bring kept already.
pub(crate) fn of_block(
    txn: &mut Txn<'_>,
    height: BlockHeight,
    transactions: Vec<InBlock>,
) -> Result<Vec<Line>, DbError> {
    let mut kept = Vec::new();
    for InBlock {
        txid,
        spends,
        received,
    } in transactions
    {
        for utxo in spends {
            // A coin of before the accounts were kept was never credited.
            if !txn.has_chain_credit(WALLET, utxo)? {
                continue;
            }
            let Some(coin) = txn.output(utxo)? else {
                continue;
            };
            let tag = ChainMoveTag::Withdrawal;
            let account = WALLET.to_owned();
            let row = on_chain(account, tag, utxo, coin.amount, height, Some(txid));
            kept.extend(keep(txn, [Entry::Chain(Box::new(row), Vec::new())])?);
        }
        let deposits = received
            .into_iter()
            .map(|(utxo, amount)| deposit(utxo, amount, height, None));
        kept.extend(keep(txn, deposits)?);
        kept.extend(paid_outside(txn, &txid)?);
    }
    Ok(kept)
}

/// The network has a transaction: what it pays to others is in the accounts from now on. No block may have it yet.
pub(crate) fn paid_outside(txn: &mut Txn<'_>, txid: &Txid) -> Result<Vec<Line>, DbError> {
    let outside = txn.outside_payments(txid)?;
    if outside.is_empty() {
        return Ok(Vec::new());
    }
    txn.remove_outside_payments(txid)?;
    let entries = outside.into_iter().map(|(utxo, amount)| {
        let tag = ChainMoveTag::Deposit;
        let account = EXTERNAL.to_owned();
        let mut row = on_chain(account, tag, utxo, amount, BlockHeight(0), None);
        row.originating_account = Some(WALLET.to_owned());
        Entry::Chain(Box::new(row), Vec::new())
    });
    keep(txn, entries)
}

/// A channel is open: what it began with, and what was given to the fundee.
pub(crate) fn channel_opened(row: &ChannelRow) -> Entry {
    let is_opener = row.opener == Side::Local;
    let height = BlockHeight(row.scid.map_or(0, ln_types::ShortChannelId::block));
    let mut opened = on_chain(
        row.channel_id.to_string(),
        ChainMoveTag::ChannelOpen,
        row.funding,
        row.capacity,
        height,
        None,
    );
    opened.peer = Some(row.peer);
    let pushed = if is_opener {
        opened.extra_tags.push(ExtraMoveTag::Opener);
        MoveAmount::Debit(row.pushed)
    } else {
        opened.amount = MoveAmount::Credit(Msat::ZERO);
        MoveAmount::Credit(row.pushed)
    };
    let given = (row.pushed > Msat::ZERO)
        .then(|| in_channel(row.channel_id, ChannelMoveTag::Pushed, pushed));
    Entry::Chain(Box::new(opened), given.into_iter().collect())
}

/// The funding output is spent: our balance leaves the channel.
pub(crate) fn channel_closed(
    row: &ChannelRow,
    to_us: Msat,
    spend: &Transaction,
    height: BlockHeight,
) -> Entry {
    let by = spend.compute_txid();
    let mut closed = on_chain(
        row.channel_id.to_string(),
        ChainMoveTag::ChannelClose,
        row.funding,
        row.capacity,
        height,
        Some(by),
    );
    closed.amount = MoveAmount::Debit(to_us);
    closed.output_count = u32::try_from(spend.output.len()).ok();
    Entry::Chain(Box::new(closed), Vec::new())
}

/// What onchaind says of a channel's end.
pub(crate) fn moved_on_chain(channel: ChannelId, movement: &Movement) -> Entry {
    let account = match movement.account {
        Account::Channel => channel.to_string(),
        Account::External => EXTERNAL.to_owned(),
    };
    let (tag, value) = (movement.tag, movement.value);
    let (utxo, height) = (movement.outpoint, movement.height);
    let mut row = on_chain(account, tag, utxo, value, height, movement.spent_by);
    row.payment_hash = movement.payment_hash;
    if movement.stealable {
        row.extra_tags.push(ExtraMoveTag::Stealable);
    }
    if movement.account == Account::External {
        row.originating_account = Some(channel.to_string());
        if movement.spent_by.is_some() {
            row.amount = MoveAmount::Credit(Msat::ZERO);
        }
    }
    let mut with = Vec::new();
    // What a penalty brings was never ours: it came into the channel and left it, beside its balance.
    if movement.account == Account::Channel && tag == ChainMoveTag::Penalty {
        let amount = value.to_msat_saturating();
        let tag = ChannelMoveTag::PenaltyAdj;
        with.push(in_channel(channel, tag, MoveAmount::Credit(amount)));
        with.push(in_channel(channel, tag, MoveAmount::Debit(amount)));
    }
    Entry::Chain(Box::new(row), with)
}

/// An HTLC left both commitments: what it moved, if it was paid. The fees of a payment of ours are still to be looked up.
pub(crate) fn resolved_htlc(channel: ChannelId, htlc: &HtlcRow) -> Option<ChannelMoveRow> {
    htlc.preimage?;
    let (tag, amount) = match htlc.direction {
        HtlcDirection::Incoming => (ChannelMoveTag::Invoice, MoveAmount::Credit(htlc.amount)),
        HtlcDirection::Outgoing if htlc.payment.is_some() => {
            (ChannelMoveTag::Invoice, MoveAmount::Debit(htlc.amount))
        }
        HtlcDirection::Outgoing => (ChannelMoveTag::Routed, MoveAmount::Debit(htlc.amount)),
    };
    Some(ChannelMoveRow {
        payment_hash: Some(htlc.payment_hash),
        payment: htlc.payment,
        ..in_channel(channel, tag, amount)
    })
}
