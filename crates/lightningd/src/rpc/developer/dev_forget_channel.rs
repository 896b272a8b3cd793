//! `dev-forget-channel`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_forget_channel::{
    DevForgetChannel, DevForgetChannelParams, DevForgetChannelResponse,
};

use crate::channels::{Channel, forget_unfunded};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for DevForgetChannel {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let id = params.id;
        if node.peers.get(id).is_none() {
            return Err(RpcError::invalid_params(format!("Unknown peer '{id}'")));
        }
        let channel = find(&node, &params)?;
        if !channel.htlcs.borrow().is_empty() {
            return Err(RpcError::lightningd(
                "This channel has HTLCs attached and it is not safe to forget it. Please use `close` or `dev-fail` instead.",
            ));
        }
        let funding = channel.row().funding;
        let funding_unspent = node
            .backend
            .utxo(funding)
            .await
            .map_err(internal)?
            .is_some();
        if funding_unspent && !params.force {
            return Err(RpcError::lightningd(
                "Cowardly refusing to forget channel with an unspent funding output, if you know what you're doing you can override \
                 with `force=true`, otherwise consider `close` or `dev-fail`! If you force and the channel confirms we will not \
                 track the funds in the channel",
            ));
        }
        forget_unfunded(&node, &channel, "dev_forget_channel")
            .await
            .map_err(internal)?;
        Ok(DevForgetChannelResponse {
            forced: params.force,
            funding_unspent,
            funding_txid: funding.txid,
        })
    }
}

/// The one channel that is meant.
fn find(node: &Node, params: &DevForgetChannelParams) -> Result<Rc<Channel>, RpcError> {
    let mut found = node.channels.of_peer(params.id).filter(|channel| {
        let row = channel.row();
        let same_id = params.channel_id.is_none_or(|id| id == row.channel_id);
        let scid = params.short_channel_id;
        same_id && scid.is_none_or(|scid| row.scid == Some(scid))
    });
    let Some(channel) = found.next() else {
        let and = match params.short_channel_id {
            Some(_) => " and that short_channel_id",
            None => "",
        };
        let text = format!("No channels matching that peer_id{and}");
        return Err(RpcError::lightningd(text));
    };
    if found.next().is_some() {
        return Err(RpcError::lightningd(
            "Multiple channels: please specify short_channel_id",
        ));
    }
    Ok(channel)
}
