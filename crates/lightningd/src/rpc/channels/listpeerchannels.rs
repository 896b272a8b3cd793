//! `listpeerchannels`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::channels::listpeerchannels::{
    Listpeerchannels, ListpeerchannelsParams, ListpeerchannelsResponse, PeerChannel,
};

use super::peer_channel::{opening, peer_channel};
use crate::channels::{Channel, scratch};
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Listpeerchannels {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let filters = [
            params.id.is_some(),
            params.short_channel_id.is_some(),
            params.channel_id.is_some(),
        ];
        if filters.iter().filter(|given| **given).count() > 1 {
            let text = "Must not specify more than one of short_channel_id, channel_id or id";
            return Err(RpcError::invalid_params(text));
        }
        let mut channels = Vec::new();
        if params.short_channel_id.is_none() && params.channel_id.is_none() {
            let openings = node.openings.all();
            let openings = openings
                .iter()
                .filter(|one| params.id.is_none_or(|id| id == one.peer));
            channels.extend(openings.map(|one| opening(&node, one)));
        }
        for channel in wanted(&node, &params) {
            // Building commitments takes a while where there are many: others get their turn.
            tokio::task::yield_now().await;
            let scratch = scratch(&channel);
            channels.extend(peer_channel(&node, &channel)?.map(|shown| PeerChannel {
                scratch_txid: scratch.map(|(txid, _)| txid),
                last_tx_fee_msat: scratch.map(|(_, fee)| fee.to_msat_saturating()),
                ..shown
            }));
        }
        Ok(ListpeerchannelsResponse { channels })
    }
}

fn wanted(node: &Node, params: &ListpeerchannelsParams) -> Vec<Rc<Channel>> {
    if let Some(peer) = params.id {
        return node.channels.of_peer(peer).collect();
    }
    if let Some(scid) = params.short_channel_id {
        return node.channels.by_scid(scid).into_iter().collect();
    }
    if let Some(id) = params.channel_id {
        return node.channels.by_channel_id(id).into_iter().collect();
    }
    let mut all = node.channels.all();
    all.sort_by_key(|channel| (channel.peer, channel.dbid));
    all
}
