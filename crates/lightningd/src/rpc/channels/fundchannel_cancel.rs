//! `fundchannel_cancel`

use std::rc::Rc;

use ln_rpc::methods::channels::fundchannel_cancel::{FundchannelCancel, FundchannelCancelResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{ChannelState, NodeId, Side};

use crate::channels::{Channel, forget_unfunded};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

const NOT_SAFE: &str =
    "Has the funding transaction been broadcast? Please use `close` or `dev-fail` instead.";

impl Handle for FundchannelCancel {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let id = params.id;
        if node.peers.get(id).is_none() {
            return Err(RpcError::new(
                RpcErrorCode::FundingUnknownPeer,
                "Unknown peer",
            ));
        }
        let text = "Channel open canceled by us";
        match node.openings.cancel(id, text).await {
            Some(true) => {
                return Ok(FundchannelCancelResponse {
                    cancelled: text.to_owned(),
                });
            }
            Some(false) => {
                return Err(RpcError::new(RpcErrorCode::FundingCancelNotSafe, NOT_SAFE));
            }
            None => {}
        }
        let channel = unfunded(&node, id)?;
        check_not_sent(&node, &channel).await?;
        let reason = "Cancel channel by our RPC command before funding transaction broadcast.";
        forget_unfunded(&node, &channel, reason)
            .await
            .map_err(internal)?;
        let cancelled = "Channel open canceled by RPC(after fundchannel_complete)".to_owned();
        Ok(FundchannelCancelResponse { cancelled })
    }
}

/// The channel with the peer that waits for its transaction.
fn unfunded(node: &Node, id: NodeId) -> Result<Rc<Channel>, RpcError> {
    let mut channels = node.channels.of_peer(id);
    let channel =
        channels.find(|channel| channel.row().state == ChannelState::ChanneldAwaitingLockin);
    let channel = channel.ok_or_else(|| {
        let text = format!("No channels being opened or awaiting lock-in for peer_id {id}");
        RpcError::new(RpcErrorCode::FundingNothingToCancel, text)
    })?;
    if channel.row().opener == Side::Remote {
        let text = "Cannot cancel channel that was initiated by peer";
        return Err(RpcError::new(RpcErrorCode::FundingCancelNotSafe, text));
    }
    Ok(channel)
}

/// Whether nobody can have the funding transaction, as far as can be known.
async fn check_not_sent(node: &Node, channel: &Channel) -> Result<(), RpcError> {
    let not_safe = |text: String| RpcError::new(RpcErrorCode::FundingCancelNotSafe, text);
    let funding = channel.row().funding;
    let ours = node
        .db
        .read(move |txn| txn.transaction(&funding.txid))
        .await
        .map_err(internal)?;
    if ours.is_some() || channel.row().scid.is_some() {
        return Err(not_safe(NOT_SAFE.to_owned()));
    }
    if !channel.htlcs.borrow().is_empty() {
        let text = "This channel has HTLCs attached and it is not safe to cancel. ".to_owned();
        return Err(not_safe(text + NOT_SAFE));
    }
    match node.backend.utxo(funding).await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(not_safe(
            "The funding transaction has been broadcast, please use `close` or `dev-fail`!"
                .to_owned(),
        )),
        Err(error) => Err(not_safe(format!(
            "The chain backend can't say whether the transaction is out: {error}"
        ))),
    }
}
