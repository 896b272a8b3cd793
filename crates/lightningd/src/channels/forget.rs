//! Forgetting a channel whose funding transaction never left this node.

use std::rc::Rc;

use ln_db::DbError;
use ln_ipc::channeld::{ChanneldSendError, ToChanneld};
use ln_types::ChannelState;

use super::Channel;
use crate::node::Node;

/// Forgets a channel whose funding transaction nobody has but us: durable first, then the peer is told. The transaction, if it was kept, is
/// forgotten too, so that it never goes out.
pub(crate) async fn forget_unfunded(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    reason: &str,
) -> Result<(), DbError> {
    let (dbid, txid) = (channel.dbid, channel.row().funding.txid);
    let forgotten = node.db.write(move |txn| {
        txn.forget_transaction(&txid)?;
        txn.delete_channel(dbid)
    });
    forgotten.await?;
    node.channels.remove(dbid);
    let funding = channel.row().funding;
    node.channels.drop_interest(node, funding);
    node.log.info(
        &channel.origin(),
        format!("the channel is forgotten: {reason}"),
    );
    // Its daemon must not bring it back.
    channel.change(|row| row.state = ChannelState::Closed);
    channel.state.send_replace(ChannelState::Closed);
    if let Some(channeld) = channel.channeld() {
        channeld.send(&ToChanneld::SendError(ChanneldSendError {
            reason: reason.to_owned(),
        }));
    } else if node.peers.is_connected(channel.peer) {
        let channel_id = channel.row().channel_id;
        crate::peers::send_error(node, channel.peer, channel_id, reason);
    }
    super::set_important(node, channel.peer);
    Ok(())
}
