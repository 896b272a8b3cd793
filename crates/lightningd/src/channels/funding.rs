//! Whether a channel's funding transaction is what was agreed on, and how long we wait for it.

use std::rc::Rc;

use bitcoin::Transaction;
use ln_tx::script::funding_script_pubkey;
use ln_types::{BlockHeight, ChannelState, Side};

use super::Channel;
use crate::node::Node;

/// Confirmations before a coinbase output can be spent.
const MATURITY: u32 = 100;

/// What is wrong with the funding transaction, now that a block has it.
// BOLT 2 §The `channel_ready` Message: only for a funding that is there; a peer may name any transaction.
pub(super) fn problem(channel: &Channel, tx: &Transaction) -> Option<String> {
    let funding = channel.row().funding;
    let params = match channel.machine() {
        Ok(machine) => std::sync::Arc::clone(&machine.params),
        Err(error) => return Some(format!("the channel's state can't be read: {error:#}")),
    };
    let [ours, theirs] = [&params.sides.local, &params.sides.remote];
    let script = funding_script_pubkey(&ours.basepoints.funding, &theirs.basepoints.funding);
    let output = usize::try_from(funding.vout)
        .ok()
        .and_then(|vout| tx.output.get(vout));
    let pays = output.is_some_and(|output| {
        output.script_pubkey == script && output.value == params.funding_amount.into()
    });
    (!pays).then(|| {
        let amount = params.funding_amount;
        format!("funding transaction output {funding} does not pay {amount} to the channel")
    })
}

/// How deep a funding transaction at this place in its block counts as being: the first of a block, which makes new coins, not at all until they
/// can be spent.
// BOLT 2 §The `channel_ready` Message: a coinbase transaction needs a hundred confirmations.
pub(super) fn counted_depth(index: Option<u32>, depth: u32) -> u32 {
    if index == Some(0) && depth < MATURITY {
        0
    } else {
        depth
    }
}

/// Forgets a channel opened to us whose funding does not get into the chain. The wait is counted from when this run of the node first missed it.
pub(super) fn check_patience(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight) {
    let waits = {
        let row = channel.row();
        let state = matches!(
            row.state,
            ChannelState::ChanneldAwaitingLockin | ChannelState::AwaitingUnilateral
        );
        state && row.opener == Side::Remote && row.scid.is_none()
    };
    if !waits {
        channel.unfunded_since.set(None);
        return;
    }
    let since = channel.unfunded_since.get().unwrap_or(height);
    channel.unfunded_since.set(Some(since));
    // BOLT 2 §The `funding_created` Message and after: two weeks, as everybody has it.
    let patience = node.config.dev.max_funding_unconfirmed_blocks;
    if height.0.saturating_sub(since.0) > patience {
        let text = format!("the funding transaction was not confirmed in {patience} blocks");
        give_up(node, channel, &text);
    }
}

/// Forgets a channel that never was.
pub(super) fn give_up(node: &Rc<Node>, channel: &Rc<Channel>, reason: &str) {
    node.log
        .unusual(&channel.origin(), format!("no channel: {reason}"));
    let (node, channel, reason) = (Rc::clone(node), Rc::clone(channel), reason.to_owned());
    tokio::task::spawn_local(async move {
        if let Err(error) = super::forget_unfunded(&node, &channel, &reason).await {
            let text = format!("the channel can't be forgotten: {error}");
            node.log.broken(&channel.origin(), text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_coins_count_once_they_can_be_spent() {
        assert_eq!(counted_depth(Some(0), 99), 0);
        assert_eq!(counted_depth(Some(0), 100), 100);
        assert_eq!(counted_depth(Some(1), 1), 1);
        assert_eq!(counted_depth(None, 0), 0);
    }
}
