//! Channels whose funding output is spent: what blocks bring, onchaind, and what it asks for.
//!
//! Three layers. [`history`] is what the chain has of a channel's end; blocks and reorganisations change it at once, and the database keeps it
//! (`channeltxs`). A [`session`] starts onchaind, tells it the difference between what it knows and what is the case ([`told`]), and carries its
//! actions out. [`claims`] makes, sends and replaces the transactions that take outputs. A restart loads the history and tells onchaind all of it
//! again: every action can be carried out twice.
//!
//! Also here, because blocks drive it: [`deadline`] (HTLCs that run out of time) and [`anchor`] (paying for a commitment that waits).

mod actions;
mod anchor;
mod build;
mod claims;
mod coins;
mod deadline;
mod fee;
mod history;
mod htlcs;
mod revoked;
mod session;
mod sign;
mod told;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use bitcoin::OutPoint;
use ln_db::{ChannelTxRow, HtlcDirection};
use ln_ipc::channeld::{ChanneldSendError, ToChanneld};
use ln_types::{BlockHeight, ChannelState, HtlcId, Side};
use tokio::sync::Notify;

use self::history::{History, Seen};
pub(super) use self::revoked::Revoked;
pub(crate) use self::revoked::tell_missed_revocations;
use super::{Channel, CloseCause};
use crate::chain::{Found, Interest};
use crate::node::Node;

/// What is kept in memory of a channel's end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    history: RefCell<History>,
    /// There may be something onchaind does not know.
    wake: Notify,
    /// Whether somebody serves onchaind.
    served: Cell<bool>,
    /// HTLCs for whose sake the peer was hung up on.
    nudged: RefCell<HashSet<(HtlcDirection, HtlcId)>>,
    bump: RefCell<anchor::Bump>,
}

impl Ending {
    /// What the database has of it.
    pub(super) fn load(&self, rows: Vec<ChannelTxRow>) {
        let mut history = self.history.borrow_mut();
        for row in rows {
            let seen = Seen {
                txid: row.transaction.tx.compute_txid(),
                tx: row.transaction.tx,
                height: row.height,
                index: row.transaction.index,
            };
            if row.spends_funding {
                history.see_spend(seen);
            } else {
                history.see(&seen);
            }
        }
    }

    /// The block that spends the funding output.
    pub(super) fn spend_height(&self) -> Option<BlockHeight> {
        self.history.borrow().spend().map(|spend| spend.height)
    }

    /// Adds what blocks are to be searched for.
    pub(super) fn add_interest(&self, interest: &mut Interest) {
        interest
            .outpoints
            .extend(self.history.borrow().followed().copied());
    }

    /// Something happened that onchaind may have to know.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    async fn woken(&self) {
        self.wake.notified().await;
    }
}

fn seen(found: &Found, height: BlockHeight) -> Seen {
    Seen {
        tx: found.tx.clone(),
        txid: found.txid,
        height,
        index: found.index,
    }
}

/// A block spends the funding output.
pub(super) fn funding_spent(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    height: BlockHeight,
    found: &Found,
) {
    let news = channel
        .ending
        .history
        .borrow_mut()
        .see_spend(seen(found, height));
    if !news {
        return;
    }
    channel.spend_height.set(Some(height));
    channel
        .ending
        .add_interest(&mut node.chain.interest.borrow_mut());
    let txid = found.txid;
    node.log.info(
        &channel.origin(),
        format!("the funding output was spent by {txid} in block {height}"),
    );
    channel.change(|row| {
        row.closer.get_or_insert(Side::Remote);
    });
    let saved = channel.set_state(
        node,
        ChannelState::FundingSpendSeen,
        CloseCause::Onchain,
        "Onchain funding spend",
    );
    // The state comes first: with it alone the block is looked at again after a crash, and this is written then.
    let dbid = channel.dbid;
    let noted = node
        .db
        .write(move |txn| txn.add_channel_tx(dbid, &txid, true, height));
    if let Some(channeld) = channel.channeld() {
        let reason = "Funding transaction spent".to_owned();
        channeld.send(&ToChanneld::SendError(ChanneldSendError { reason }));
    }
    super::gossip::channel_spent(node, channel, height);
    super::set_important(node, channel.peer);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        let durable = async {
            saved.await?;
            noted.await
        };
        match durable.await {
            Ok(()) => serve(&node, &channel),
            Err(error) => node.log.broken(
                &channel.origin(),
                format!("the spending can't be kept: {error}"),
            ),
        }
    });
}

/// Blocks from `height` up were replaced.
pub(super) fn undo_from(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight) {
    let undone = channel.ending.history.borrow_mut().undo_from(height);
    if let Some(spend) = undone {
        spend_undone(node, channel, spend);
    }
    channel.ending.wake();
}

/// The block that spent the funding output was replaced: the channel waits for a block again, as it did before or as if its peer had failed.
fn spend_undone(node: &Rc<Node>, channel: &Rc<Channel>, spend: Seen) {
    channel.spend_height.set(None);
    let text = "the block that spent the funding output was replaced";
    node.log.unusual(&channel.origin(), text);
    let agreed = channel
        .changes
        .borrow()
        .iter()
        .rfind(|change| change.new == ChannelState::FundingSpendSeen)
        .is_some_and(|change| change.old == ChannelState::ClosingdComplete);
    let state = if agreed {
        ChannelState::ClosingdComplete
    } else {
        ChannelState::AwaitingUnilateral
    };
    let saved = channel.set_state(node, state, CloseCause::Onchain, text);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = saved.await {
            let text = format!("the change can't be kept: {error}");
            node.log.broken(&channel.origin(), text);
        }
        // The same transaction again, whoever made it: one of our own beside it would only compete.
        let sent = node.backend.send(&spend.tx, true).await;
        let gone = matches!(sent, Ok(Err(ref refusal)) if refusal.contains("missingorspent"));
        if gone && state == ChannelState::AwaitingUnilateral {
            super::closing::drop_to_chain(&node, &channel).await;
        }
    });
}

/// A block is in the chain.
pub(super) fn on_block(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    height: BlockHeight,
    found: &[Found],
) {
    follow(node, channel, height, found);
    let state = channel.row().state;
    match state {
        ChannelState::FundingSpendSeen | ChannelState::Onchain => {
            htlcs::block_came(node, channel, true);
            channel.ending.wake();
        }
        ChannelState::AwaitingUnilateral => {
            htlcs::block_came(node, channel, false);
            anchor::consider(node, channel);
        }
        ChannelState::ChanneldAwaitingLockin
        | ChannelState::ChanneldNormal
        | ChannelState::ChanneldShuttingDown
        | ChannelState::ClosingdSigexchange
        | ChannelState::ChanneldAwaitingSplice => deadline::check(node, channel, height),
        ChannelState::DualopendOpenInit
        | ChannelState::ClosingdComplete
        | ChannelState::Closed
        | ChannelState::DualopendOpenCommitted
        | ChannelState::DualopendAwaitingLockin
        | ChannelState::DualopendOpenCommitReady => {}
    }
}

/// Notes the transactions of a block that belong to the channel's end.
fn follow(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight, found: &[Found]) {
    let mut news = Vec::new();
    {
        let mut history = channel.ending.history.borrow_mut();
        for found in found {
            if history.see(&seen(found, height)) {
                news.push(found.txid);
            }
        }
    }
    if news.is_empty() {
        return;
    }
    channel
        .ending
        .add_interest(&mut node.chain.interest.borrow_mut());
    let dbid = channel.dbid;
    // If this is lost the block is looked at again after the restart: at least the tip always is.
    drop(node.db.write(move |txn| {
        news.iter()
            .try_for_each(|txid| txn.add_channel_tx(dbid, txid, false, height))
    }));
}

/// onchaind wants to know when an output is spent.
fn watch(node: &Node, channel: &Channel, outpoint: OutPoint) {
    channel.ending.history.borrow_mut().watch(outpoint);
    node.chain.interest.borrow_mut().outpoints.insert(outpoint);
}

/// The channel is over: nothing of it matters in blocks any more.
fn unwatch(node: &Node, channel: &Channel) {
    let history = channel.ending.history.borrow();
    let mut interest = node.chain.interest.borrow_mut();
    for outpoint in history.followed() {
        interest.outpoints.remove(outpoint);
    }
    let funding = channel.row().funding;
    interest.outpoints.remove(&funding);
    interest.txids.remove(&funding.txid);
}

/// After a start: a channel that was going to the chain goes on.
pub(crate) fn resume(node: &Rc<Node>, channel: &Rc<Channel>) {
    let state = channel.row().state;
    match state {
        ChannelState::AwaitingUnilateral => {
            let (node, channel) = (Rc::clone(node), Rc::clone(channel));
            tokio::task::spawn_local(async move {
                super::closing::drop_to_chain(&node, &channel).await;
                anchor::consider(&node, &channel);
            });
        }
        ChannelState::FundingSpendSeen | ChannelState::Onchain => {
            if let Some(height) = channel.ending.spend_height() {
                super::gossip::channel_spent(node, channel, height);
            }
            serve(node, channel);
        }
        ChannelState::DualopendOpenInit
        | ChannelState::ChanneldAwaitingLockin
        | ChannelState::ChanneldNormal
        | ChannelState::ChanneldShuttingDown
        | ChannelState::ClosingdSigexchange
        | ChannelState::ClosingdComplete
        | ChannelState::Closed
        | ChannelState::DualopendOpenCommitted
        | ChannelState::DualopendAwaitingLockin
        | ChannelState::ChanneldAwaitingSplice
        | ChannelState::DualopendOpenCommitReady => {}
    }
}

/// Has onchaind served, unless it is already.
fn serve(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.ending.served.replace(true) {
        channel.ending.wake();
        return;
    }
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        while let Some(spend) = spend(&channel) {
            match session::run(&node, &channel, &spend).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(_) if node.stop.borrow().is_some() => break,
                Err(error) => {
                    let text = format!("{error:#}: starting onchaind again with the next block");
                    node.log.broken(&channel.origin(), text);
                    channel.ending.woken().await;
                }
            }
        }
        channel.ending.served.set(false);
    });
}

fn spend(channel: &Channel) -> Option<Seen> {
    channel.ending.history.borrow().spend().cloned()
}
