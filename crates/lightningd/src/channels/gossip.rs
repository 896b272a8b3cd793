//! What we tell the network of our channels and ourselves, and what a peer tells of its side.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bitcoin::secp256k1::ecdsa;
use ln_codec::{Decode as _, Encode as _};
use ln_ipc::channeld::ChanneldAnnouncementSignatures;
use ln_ipc::gossipd::{FromGossipd, GossipdAddGossip, GossipdOutpointsSpent, GossipdPeerPolicy};
use ln_ipc::hsmd::{HsmdCupdateSigReq, HsmdNodeAnnouncementSigReq};
use ln_types::{BlockHeight, ChannelState, Msat, Sat};
use ln_wire::{
    ChannelUpdate, FeatureBytes, NodeAddress, NodeAddresses, NodeAnnouncement, PeerMessage,
};

use super::Channel;
use crate::clock;
use crate::hsm::hsm_reply;
use crate::node::Node;
use crate::payments::Terms;

/// Changes who we are for forwarding over a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) fee_base: Msat,
    pub(crate) fee_ppm: u32,
    pub(crate) htlc_minimum: Msat,
    pub(crate) htlc_maximum: Msat,
}

/// A signature to be replaced: any valid one does.
fn placeholder() -> ecdsa::Signature {
    let mut bytes = [0; 64];
    for last_byte in [31, 63] {
        if let Some(byte) = bytes.get_mut(last_byte) {
            *byte = 1;
        }
    }
    ecdsa::Signature::from_compact(&bytes).expect("r and s of one are in range")
}

/// Our direction of a channel: 0 when our id is the lesser one.
pub(crate) fn our_direction(node: &Node, channel: &Channel) -> u8 {
    u8::from(node.id() > channel.peer)
}

/// Our `channel_update` for a channel, signed; nothing while it has no short id to be known by.
async fn make_update(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    announced: bool,
) -> anyhow::Result<Option<Vec<u8>>> {
    let unsigned = {
        let row = channel.row();
        // An unannounced channel is known to the peer by its own alias for it.
        let scid = if announced {
            row.scid
        } else {
            row.scid.or(row.alias_remote)
        };
        let Some(short_channel_id) = scid else {
            return Ok(None);
        };
        let usable = row.state == ChannelState::ChanneldNormal;
        ChannelUpdate {
            signature: placeholder(),
            chain_hash: node.config.network.chain_hash(),
            short_channel_id,
            timestamp: channel.update_time(clock::now()),
            message_flags: ChannelUpdate::MUST_BE_ONE
                | if announced {
                    0
                } else {
                    ChannelUpdate::DONT_FORWARD
                },
            channel_flags: our_direction(node, channel)
                | if usable { 0 } else { ChannelUpdate::DISABLE },
            cltv_expiry_delta: node.config.cltv_delta,
            htlc_minimum_msat: row.htlc_minimum,
            fee_base_msat: u32::try_from(row.fee_base.as_msat()).unwrap_or(u32::MAX),
            fee_proportional_millionths: row.fee_ppm,
            htlc_maximum_msat: row.htlc_maximum,
            extension: Vec::new(),
        }
    };
    let cu = PeerMessage::from(unsigned).to_bytes();
    let reply = hsm_reply!(
        node.hsm.request(HsmdCupdateSigReq { cu }).await,
        CupdateSigReply
    )?;
    Ok(Some(reply.cu))
}

/// Runs gossip work in the background; a failure is only logged, the next occasion makes up for it.
fn spawn(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    work: impl Future<Output = anyhow::Result<()>> + 'static,
) {
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = work.await {
            node.log.unusual(
                &channel.origin(),
                format!("gossip about the channel: {error:#}"),
            );
        }
    });
}

/// Tells the peer our policy, which it needs before the channel is announced, or ever if it never is.
fn send_private_update(node: &Rc<Node>, channel: &Rc<Channel>) {
    let (node2, channel2) = (Rc::clone(node), Rc::clone(channel));
    spawn(node, channel, async move {
        if let Some(update) = make_update(&node2, &channel2, false).await? {
            node2.to_peer(channel2.peer, update);
        }
        Ok(())
    });
}

/// Publishes our side of an announced channel.
fn publish(node: &Rc<Node>, channel: &Rc<Channel>) {
    let (node2, channel2) = (Rc::clone(node), Rc::clone(channel));
    spawn(node, channel, async move {
        let announcement = channel2.row().announcement.clone();
        let Some(announcement) = announcement else {
            return Ok(());
        };
        let capacity = channel2.row().capacity;
        add_gossip(&node2, announcement, Some(capacity));
        if let Some(update) = make_update(&node2, &channel2, true).await? {
            add_gossip(&node2, update.clone(), None);
            channel2.published.borrow_mut().clone_from(&update);
            if !node2.config.dev.suppress_gossip.get() {
                node2.to_peer(channel2.peer, update);
            }
        }
        announce_node(&node2).await
    });
}

fn add_gossip(node: &Node, message: Vec<u8>, known_amount: Option<Sat>) {
    node.to_gossipd(GossipdAddGossip {
        request: 0,
        message,
        known_amount,
    });
}

/// Both sides sent `channel_ready`.
pub(super) fn channel_ready(node: &Rc<Node>, channel: &Rc<Channel>) {
    send_private_update(node, channel);
}

/// The channel works again on a new connection.
pub(super) fn reestablished(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.row().state != ChannelState::ChanneldNormal {
        return;
    }
    if channel.row().announcement.is_some() {
        publish(node, channel);
    } else {
        send_private_update(node, channel);
    }
}

/// The announcement is signed by both: it is kept, then published.
pub(super) fn announcement_signed(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    signed: ChanneldAnnouncementSignatures,
) {
    channel.change(|row| row.announcement = Some(signed.announcement));
    let saved = channel.save(node);
    let (node2, channel2) = (Rc::clone(node), Rc::clone(channel));
    spawn(node, channel, async move {
        saved.await.context("keeping the announcement")?;
        publish(&node2, &channel2);
        Ok(())
    });
}

/// The channel is being closed: an announced one is switched off.
pub(super) fn channel_closing(node: &Rc<Node>, channel: &Rc<Channel>) {
    if channel.row().announcement.is_none() {
        return;
    }
    let (node2, channel2) = (Rc::clone(node), Rc::clone(channel));
    spawn(node, channel, async move {
        if let Some(update) = make_update(&node2, &channel2, true).await? {
            add_gossip(&node2, update, None);
        }
        Ok(())
    });
}

/// The funding output is spent.
pub(super) fn channel_spent(node: &Rc<Node>, channel: &Rc<Channel>, height: BlockHeight) {
    if let Some(scid) = channel.row().scid {
        node.to_gossipd(GossipdOutpointsSpent {
            height,
            scids: vec![scid],
        });
    }
}

/// The peer's `channel_update` came over the channel.
pub(super) fn remote_update(node: &Rc<Node>, channel: &Rc<Channel>, message: Vec<u8>) {
    let Ok(PeerMessage::ChannelUpdate(update)) = PeerMessage::from_bytes(&message) else {
        return;
    };
    if update.direction() == our_direction(node, channel)
        || ln_gossip::verify::channel_update(&update, channel.peer).is_err()
    {
        node.log.debug(
            &channel.origin(),
            "the peer sent a channel_update that is not its own: ignored",
        );
        return;
    }
    channel.change(|row| row.remote_update = Some(message));
    drop(channel.save(node));
}

/// Sends our policy for all channels anew: after a change of it.
pub(crate) fn refresh_updates(node: &Rc<Node>, channel: &Rc<Channel>) {
    reestablished(node, channel);
}

/// Sets our policy for forwarding over a channel. Who pays by the one before is served for a while.
pub(crate) async fn set_policy(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    policy: Policy,
    grace: Duration,
) -> anyhow::Result<()> {
    let before = Terms::of(&channel.row(), node.config.cltv_delta);
    if let Some(until) = Instant::now().checked_add(grace) {
        channel.keep_terms(before, until);
    }
    channel.change(|row| {
        row.fee_base = policy.fee_base;
        row.fee_ppm = policy.fee_ppm;
        row.htlc_minimum = policy.htlc_minimum;
        row.htlc_maximum = policy.htlc_maximum;
    });
    channel.save(node).await?;
    refresh_updates(node, channel);
    Ok(())
}

/// gossipd says something about channels: what a peer charges us over one.
pub(crate) fn gossip_said(node: &Rc<Node>, message: FromGossipd) {
    match message {
        FromGossipd::PeerPolicy(policy) => peer_policy(node, &policy),
        other => node
            .log
            .debug(&node.origin, format!("gossipd says {}", other.name())),
    }
}

/// Keeps what a peer charges for forwarding to us, in the form of the `channel_update` it came in.
fn peer_policy(node: &Rc<Node>, policy: &GossipdPeerPolicy) {
    let Some(channel) = node.channels.by_scid(policy.scid) else {
        return;
    };
    // Before a channel is public, gossipd knows only that the sender signed it.
    if policy.peer.is_some_and(|sender| sender != channel.peer) {
        return;
    }
    let update = ChannelUpdate {
        signature: placeholder(),
        chain_hash: node.config.network.chain_hash(),
        short_channel_id: policy.scid,
        timestamp: u32::try_from(clock::now()).unwrap_or(u32::MAX),
        message_flags: ChannelUpdate::MUST_BE_ONE,
        channel_flags: 1 - our_direction(node, &channel),
        cltv_expiry_delta: policy.cltv_expiry_delta,
        htlc_minimum_msat: policy.htlc_minimum_msat,
        fee_base_msat: policy.fee_base_msat,
        fee_proportional_millionths: policy.fee_proportional_millionths,
        htlc_maximum_msat: policy.htlc_maximum_msat,
        extension: Vec::new(),
    };
    channel.change(|row| row.remote_update = Some(PeerMessage::from(update).to_bytes()));
    drop(channel.save(node));
}

/// Publishes who we are anew after a change, if we are known at all: before a channel is announced nobody would listen.
pub(crate) async fn announce_again(node: &Rc<Node>) -> anyhow::Result<()> {
    let known = |channel: &Rc<Channel>| {
        let row = channel.row();
        row.announcement.is_some() && row.state == ChannelState::ChanneldNormal
    };
    if node.channels.all().iter().any(known) {
        announce_node(node).await?;
    }
    Ok(())
}

/// Publishes who we are: alias, colour, addresses, features.
pub(crate) async fn announce_node(node: &Rc<Node>) -> anyhow::Result<()> {
    let announced = node.addresses.announced(&node.config.net);
    let announced = announced.iter().filter_map(NodeAddress::from_net_addr);
    let unsigned = NodeAnnouncement {
        signature: placeholder(),
        features: FeatureBytes::from(&node.features.node),
        timestamp: node.addresses.announcement_time(clock::now()),
        node_id: node.id(),
        rgb_color: node.color(),
        alias: node.alias(),
        addresses: announced.collect::<NodeAddresses>(),
        extension: Vec::new(),
    };
    let announcement = PeerMessage::from(unsigned.clone()).to_bytes();
    let request = HsmdNodeAnnouncementSigReq { announcement };
    let reply = hsm_reply!(node.hsm.request(request).await, NodeAnnouncementSigReply)?;
    let signed = NodeAnnouncement {
        signature: reply.signature,
        ..unsigned
    };
    add_gossip(node, PeerMessage::from(signed).to_bytes(), None);
    Ok(())
}
