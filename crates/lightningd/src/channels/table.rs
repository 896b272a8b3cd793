//! All channels that are not over.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bitcoin::OutPoint;
use ln_db::{ChannelRow, ChannelTxRow, DbError, HtlcRow, StateChangeRow, Txn};
use ln_ipc::channeld::{ChanneldBlock, ToChanneld};
use ln_types::{BlockHeight, ChannelId, ChannelState, NodeId, ShortChannelId};

use super::Channel;
use crate::chain::{Found, Interest};
use crate::node::Node;

/// All channels that are not over.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    table: RefCell<BTreeMap<u64, Rc<Channel>>>,
    last_dbid: Cell<u64>,
    next_offer: Cell<u64>,
}

/// Channels as the database has them, with their changes of state and live HTLCs.
#[derive(Debug)]
pub(crate) struct ChannelRows {
    channels: Vec<(ChannelRow, Vec<StateChangeRow>, Vec<HtlcRow>)>,
    /// The transactions by which channels end, by channel.
    endings: BTreeMap<u64, Vec<ChannelTxRow>>,
    last_dbid: u64,
}

impl Channels {
    /// What the database holds: for [`Self::new`], which must run on the node's own thread.
    pub(crate) fn rows(txn: &Txn<'_>) -> Result<ChannelRows, DbError> {
        let mut channels = Vec::new();
        let mut live: BTreeMap<u64, Vec<HtlcRow>> = BTreeMap::new();
        for htlc in txn.live_htlcs()? {
            live.entry(htlc.channel).or_default().push(htlc);
        }
        let mut endings: BTreeMap<u64, Vec<ChannelTxRow>> = BTreeMap::new();
        for row in txn.channel_txs()? {
            endings.entry(row.channel).or_default().push(row);
        }
        for row in txn.channels(false)? {
            let changes = txn.state_changes(row.dbid)?;
            let htlcs = live.remove(&row.dbid).unwrap_or_default();
            channels.push((row, changes, htlcs));
        }
        Ok(ChannelRows {
            channels,
            endings,
            last_dbid: txn.max_channel_dbid()?,
        })
    }

    /// The channels out of the database.
    pub(crate) fn new(rows: ChannelRows) -> Self {
        let mut endings = rows.endings;
        let table = rows
            .channels
            .into_iter()
            .map(|(row, changes, htlcs)| {
                let channel = Channel::new(row, changes, htlcs);
                channel.load_ending(endings.remove(&channel.dbid).unwrap_or_default());
                (channel.dbid, Rc::new(channel))
            })
            .collect();
        Self {
            table: RefCell::new(table),
            last_dbid: Cell::new(rows.last_dbid),
            next_offer: Cell::new(0),
        }
    }

    /// Adds what blocks are to be searched for.
    pub(crate) fn add_interest(&self, interest: &mut Interest) {
        for channel in self.table.borrow().values() {
            let row = channel.row();
            interest.outpoints.insert(row.funding);
            interest.txids.insert(row.funding.txid);
            channel.ending.add_interest(interest);
        }
    }

    /// A number no channel ever had. It is made durable with the channel, or burnt.
    pub(crate) fn new_dbid(&self) -> u64 {
        let dbid = self.last_dbid.get() + 1;
        self.last_dbid.set(dbid);
        dbid
    }

    /// A number for an offer.
    pub(crate) fn new_offer(&self) -> u64 {
        let number = self.next_offer.get() + 1;
        self.next_offer.set(number);
        number
    }

    /// Adds a channel.
    pub(crate) fn insert(&self, node: &Node, channel: Rc<Channel>) {
        {
            let row = channel.row();
            let mut interest = node.chain.interest.borrow_mut();
            interest.outpoints.insert(row.funding);
            interest.txids.insert(row.funding.txid);
        }
        self.table.borrow_mut().insert(channel.dbid, channel);
    }

    /// Stops looking for a channel's funding transaction, unless another channel says that the same one funds it.
    pub(super) fn drop_interest(&self, node: &Node, funding: OutPoint) {
        let mut interest = node.chain.interest.borrow_mut();
        interest.outpoints.remove(&funding);
        let table = self.table.borrow();
        let mut others = table.values();
        if !others.any(|channel| channel.row().funding.txid == funding.txid) {
            interest.txids.remove(&funding.txid);
        }
    }

    /// Takes a channel out: it is over.
    pub(crate) fn remove(&self, dbid: u64) {
        self.table.borrow_mut().remove(&dbid);
    }

    /// All of them, by number.
    pub(crate) fn all(&self) -> Vec<Rc<Channel>> {
        self.table.borrow().values().cloned().collect()
    }

    /// One channel.
    pub(crate) fn get(&self, dbid: u64) -> Option<Rc<Channel>> {
        self.table.borrow().get(&dbid).cloned()
    }

    /// The channels with a peer.
    pub(crate) fn of_peer(&self, peer: NodeId) -> impl Iterator<Item = Rc<Channel>> + use<> {
        self.all()
            .into_iter()
            .filter(move |channel| channel.peer == peer)
    }

    /// The channel with an id.
    pub(crate) fn by_channel_id(&self, id: ChannelId) -> Option<Rc<Channel>> {
        self.all()
            .into_iter()
            .find(|channel| channel.row().channel_id == id)
    }

    /// The channel with a short id or our alias.
    pub(crate) fn by_scid(&self, scid: ShortChannelId) -> Option<Rc<Channel>> {
        self.all().into_iter().find(|channel| {
            let row = channel.row();
            row.scid == Some(scid) || row.alias_local == scid
        })
    }

    /// Whether any channel may need the emergency reserve.
    pub(crate) fn any_with_anchors(&self) -> bool {
        self.table
            .borrow()
            .values()
            .any(|channel| !channel.row().state.is_closing())
    }

    /// A block is in the chain and durable.
    pub(crate) fn on_block(&self, node: &Rc<Node>, height: BlockHeight, found: &[Found]) {
        for channel in self.all() {
            let funding = channel.row().funding;
            for tx in found {
                if tx.txid == funding.txid && channel.row().scid.is_none() {
                    match super::funding::problem(&channel, &tx.tx) {
                        None => confirm(node, &channel, height, tx.index),
                        Some(problem) => super::funding::give_up(node, &channel, &problem),
                    }
                }
                if tx.spent.contains(&funding) {
                    super::onchain::funding_spent(node, &channel, height, tx);
                }
            }
            super::onchain::on_block(node, &channel, height, found);
            super::funding::check_patience(node, &channel, height);
            tell_depth(node, &channel);
        }
    }

    /// Blocks from `height` up were replaced: fundings in them are not confirmed, spendings have not happened.
    pub(crate) fn undo_from(&self, node: &Rc<Node>, height: BlockHeight) {
        for channel in self.all() {
            let confirmed = channel.row().scid.map(|scid| BlockHeight(scid.block()));
            if confirmed.is_some_and(|confirmed| confirmed >= height) {
                node.log.unusual(
                    &channel.origin(),
                    format!("the funding transaction's block {height} was replaced"),
                );
                channel.change(|row| row.scid = None);
                drop(channel.save(node));
            }
            super::onchain::undo_from(node, &channel, height);
            tell_depth(node, &channel);
        }
    }
}

fn confirm(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight, index: u32) {
    let vout = u16::try_from(channel.row().funding.vout).unwrap_or(u16::MAX);
    let Some(scid) = ShortChannelId::new(height.0, index, vout) else {
        return;
    };
    node.log.debug(
        &channel.origin(),
        format!("funding transaction is in block {height}: {scid}"),
    );
    channel.change(|row| row.scid = Some(scid));
    drop(channel.save(node));
}

/// The chain as channeld is told of it.
pub(super) fn block_message(node: &Node, channel: &Channel) -> ChanneldBlock {
    let height = node.chain.height();
    let scid = channel.row().scid;
    let index = scid.map(|scid| scid.transaction());
    ChanneldBlock {
        height,
        funding_depth: super::funding::counted_depth(index, channel.depth(height)),
        scid,
    }
}

fn tell_depth(node: &Node, channel: &Channel) {
    if let Some(channeld) = channel.channeld() {
        channeld.send(&ToChanneld::Block(block_message(node, channel)));
    }
}

/// States in which a channel counts as being opened.
pub(crate) fn is_pending(state: ChannelState) -> bool {
    matches!(
        state,
        ChannelState::ChanneldAwaitingLockin
            | ChannelState::DualopendOpenInit
            | ChannelState::DualopendOpenCommitted
            | ChannelState::DualopendOpenCommitReady
            | ChannelState::DualopendAwaitingLockin
    )
}
