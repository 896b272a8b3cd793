//! `listchannels`

use std::collections::HashMap;
use std::rc::Rc;

use ln_gossip::{Channel, ChannelAnnouncementView, NodeKey};
use ln_gossipd::GossipMap;
use ln_rpc::RpcError;
use ln_rpc::methods::gossip::listchannels::{
    GossipChannel, Listchannels, ListchannelsParams, ListchannelsResponse,
};
use ln_types::{Features, Msat, NodeId, ShortChannelId};

use super::BATCH;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listchannels {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let given = [
            params.short_channel_id.is_some(),
            params.source.is_some(),
            params.destination.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(RpcError::invalid_params(
                "Can only specify one of `short_channel_id`, `source` or `destination`",
            ));
        }
        let scids = node
            .graph
            .look(|map| candidates(map, &params))
            .map_err(internal)?;
        let mut list = List::new(&params);
        for batch in scids.chunks(BATCH) {
            node.graph
                .look(|map| batch.iter().for_each(|scid| list.add(map, *scid)))
                .map_err(internal)?;
            tokio::task::yield_now().await;
        }
        Ok(ListchannelsResponse {
            channels: list.channels,
        })
    }
}

/// The channels that may be listed.
fn candidates(map: &GossipMap, params: &ListchannelsParams) -> Vec<ShortChannelId> {
    let graph = map.graph();
    if let Some(scid) = params.short_channel_id {
        return vec![scid];
    }
    if let Some(id) = params.source.or(params.destination) {
        let node = graph.node(NodeKey(id.to_bytes()));
        return node.map(|node| node.channels.clone()).unwrap_or_default();
    }
    graph.channels().map(|(scid, _)| scid).collect()
}

/// A list being made.
struct List {
    source: Option<NodeKey>,
    destination: Option<NodeKey>,
    channels: Vec<GossipChannel>,
    /// Keys that were turned into ids: that costs a square root, and nodes come up again and again.
    ids: HashMap<NodeKey, Option<NodeId>>,
}

impl List {
    fn new(params: &ListchannelsParams) -> Self {
        Self {
            source: params.source.map(|id| NodeKey(id.to_bytes())),
            destination: params.destination.map(|id| NodeKey(id.to_bytes())),
            channels: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// Adds the directions of a channel that are wanted and known.
    fn add(&mut self, map: &GossipMap, scid: ShortChannelId) {
        let Some(channel) = map.graph().channel(scid) else {
            return;
        };
        let features = features(map, channel);
        for direction in [0, 1] {
            let source = self
                .source
                .is_none_or(|key| key == channel.source(direction));
            let destination = self
                .destination
                .is_none_or(|key| key == channel.destination(direction));
            if source && destination {
                let entry = self.direction(scid, channel, direction, &features);
                self.channels.extend(entry);
            }
        }
    }

    fn direction(
        &mut self,
        scid: ShortChannelId,
        channel: &Channel,
        direction: u8,
        features: &Features,
    ) -> Option<GossipChannel> {
        let policy = channel.policy(direction)?;
        Some(GossipChannel {
            source: self.id(channel.source(direction))?,
            destination: self.id(channel.destination(direction))?,
            short_channel_id: scid,
            direction: u32::from(direction),
            public: true,
            amount_msat: channel.amount.to_msat_saturating(),
            message_flags: policy.message_flags,
            channel_flags: policy.channel_flags,
            active: policy.is_enabled(),
            last_update: policy.timestamp,
            base_fee_millisatoshi: policy.fee_base_msat,
            fee_per_millionth: policy.fee_proportional_millionths,
            delay: u32::from(policy.cltv_expiry_delta.0),
            htlc_minimum_msat: policy.htlc_minimum_msat,
            htlc_maximum_msat: Some(policy.htlc_maximum_msat).filter(|max| *max > Msat::ZERO),
            features: features.clone(),
        })
    }

    fn id(&mut self, key: NodeKey) -> Option<NodeId> {
        *self.ids.entry(key).or_insert_with(|| key.to_node_id())
    }
}

/// The features a channel was announced with.
fn features(map: &GossipMap, channel: &Channel) -> Features {
    let message = map.message(channel.announcement).unwrap_or_default();
    ChannelAnnouncementView::read(&message)
        .map(|view| view.features())
        .unwrap_or_default()
}
