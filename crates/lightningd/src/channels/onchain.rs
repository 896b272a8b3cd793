//! Channels whose funding output is spent: onchaind and what it asks for.

use std::rc::Rc;

use bitcoin::Transaction;
use ln_types::{BlockHeight, ChannelState};

use super::{Channel, CloseCause};
use crate::chain::Found;
use crate::node::Node;

/// A block spends the funding output.
pub(super) fn funding_spent(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    height: BlockHeight,
    tx: &Transaction,
) {
    channel.spend_height.set(Some(height));
    let txid = tx.compute_txid();
    node.log.info(
        &channel.origin(),
        format!("the funding output was spent by {txid} in block {height}"),
    );
    channel.change(|row| row.last_tx = Some(tx.clone()));
    let saved = channel.set_state(
        node,
        ChannelState::FundingSpendSeen,
        CloseCause::Onchain,
        "Onchain funding spend",
    );
    super::gossip::channel_spent(node, channel, height);
    super::set_important(node, channel.peer);
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = saved.await {
            node.log.broken(
                &channel.origin(),
                format!("the spending can't be kept: {error}"),
            );
        }
    });
}

/// The block that spent the funding output was replaced.
pub(super) fn spend_undone(node: &Rc<Node>, channel: &Rc<Channel>) {
    channel.spend_height.set(None);
    let text = "the block that spent the funding output was replaced";
    node.log.unusual(&channel.origin(), text);
    drop(channel.set_state(
        node,
        ChannelState::AwaitingUnilateral,
        CloseCause::Onchain,
        text,
    ));
}

/// A block is in the chain.
pub(super) fn on_block(
    _node: &Rc<Node>,
    _channel: &Rc<Channel>,
    _height: BlockHeight,
    _found: &[Found],
) {
}

/// After a start: a channel that was going to the chain goes on.
pub(crate) fn resume(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.row().state == ChannelState::AwaitingUnilateral {
        let (node, channel) = (Rc::clone(node), Rc::clone(channel));
        tokio::task::spawn_local(
            async move { super::closing::drop_to_chain(&node, &channel).await },
        );
    }
}
