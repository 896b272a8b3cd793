//! connectd's side of the conversation.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use ln_codec::Encode as _;
use ln_db::PeerRow;
use ln_ipc::Stream;
use ln_ipc::connectd::{
    ConnectdActivate, ConnectdCustomMessage, ConnectdDev, ConnectdDisconnect, ConnectdInit,
    ConnectdPeerConnected, ConnectdPeerError, ConnectdPeerSpoke, ConnectdRejectSpoke,
    ConnectdSendMessage, FromConnectd, ToConnectd,
};
use ln_types::{ChannelId, Features, NodeId};
use ln_wire::{ErrorMessage, PeerMessage, WarningMessage};

use super::{ConnectError, Connection};
use crate::hsm::capability;
use crate::log::{LogLevel, Origin};
use crate::node::Node;
use crate::subd::{Subd, SubdStart};

/// The type of `open_channel`.
const OPEN_CHANNEL: u16 = 32;
const CHANNEL_REESTABLISH: u16 = 136;

/// Starts connectd and has it listen. Returns it and gossipd's end of the socket between the two.
pub(crate) async fn start_connectd(node: &Rc<Node>) -> anyhow::Result<(Subd, OwnedFd)> {
    let (config, net) = (&node.config, &node.config.net);
    if net.is_only_on_tor() && net.proxy.is_none() {
        let text = "all addresses are onion addresses and there is no proxy: no connection can be made to others until one is given, \
                    such as proxy=127.0.0.1:9050";
        node.log.unusual(&node.origin, text);
    }
    let (for_connectd, for_gossipd) = Stream::pair()?;
    let hsm = node
        .hsm
        .client_fd(node.id(), 0, capability::CONNECTD)
        .await?;
    let start = SubdStart {
        name: "connectd",
        program: node.config.subdaemon("connectd"),
        origin: Origin::of("connectd"),
        fds: vec![hsm, for_connectd],
    };
    let mut subd = Subd::start(&node.log, start)?;
    let dev = &config.dev;
    subd.sender().send(&ToConnectd::Init(ConnectdInit {
        network: config.network,
        node_id: node.id(),
        features: node.features.init.clone(),
        addresses: net.addresses.clone(),
        tor_password: net.tor_password.clone(),
        timeout_secs: dev.timeout_secs.unwrap_or(60),
        proxy: net.proxy.clone(),
        always_use_proxy: net.hides(),
        use_dns: net.use_dns,
        message_padding: net.message_padding,
        log_messages: node.log.may_show(LogLevel::Debug, "connectd"),
        log_io: node.log.may_show(LogLevel::IoOut, "connectd"),
        dev: ConnectdDev {
            disconnect_file: dev.disconnect_file.clone(),
            no_reconnect: dev.no_reconnect,
            fast_reconnect: dev.fast_reconnect,
            no_ping_timer: dev.no_ping_timer,
            fast_gossip: dev.fast_gossip,
            allow_localhost: dev.allow_localhost,
            handshake_no_reply: dev.handshake_no_reply,
            limit_connections_inflight: dev.limit_connections_inflight,
            keep_nagle: dev.keep_nagle,
            throttle_gossip: dev.throttle_gossip,
        },
    }));
    match subd.next::<FromConnectd>().await {
        Ok(FromConnectd::InitReply(reply)) => {
            if let Some(error) = reply.error {
                bail!("{error}");
            }
            node.addresses.settled(reply.bindings, reply.announced);
        }
        Ok(other) => bail!("connectd answered init with {}", other.name()),
        Err(end) => bail!("connectd failed: {end}"),
    }
    node.connectd
        .set(subd.sender())
        .ok()
        .context("connectd was started twice")?;
    node.plugins.offers_changed();
    Ok((subd, for_gossipd))
}

/// Lets peers in and serves connectd until it ends, which ends the node.
pub(crate) async fn run_connectd(node: Rc<Node>, mut subd: Subd) {
    // Plugins may have taken theirs back since it started.
    let features = node.features.init.clone();
    subd.sender()
        .send(&ToConnectd::Activate(ConnectdActivate { features }));
    loop {
        match subd.next::<FromConnectd>().await {
            Ok(message) => on_message(&node, message),
            Err(end) => {
                if node.stop.borrow().is_none() {
                    node.log.broken(
                        &node.origin,
                        format!("connectd ended ({end}): the node stops"),
                    );
                    node.stop(1);
                }
                return;
            }
        }
    }
}

fn on_message(node: &Rc<Node>, message: FromConnectd) {
    let Some(message) = node.peers.arriving.keep(message) else {
        return;
    };
    match message {
        FromConnectd::InitReply(_) => {}
        FromConnectd::PingReply(reply) => {
            node.peers
                .ponged(reply.request, reply.error.map_or(Ok(reply.total_len), Err));
        }
        FromConnectd::PeerConnected(connected) => on_connected(node, connected),
        FromConnectd::PeerDisconnected(gone) => {
            let has_channels = node.channels.of_peer(gone.id).next().is_some();
            if node.peers.disconnected(gone.id, gone.counter, has_channels) {
                node.log.debug(
                    &Origin::of_peer(gone.id, "lightningd"),
                    format!("peer disconnected: {}", gone.reason),
                );
                node.plugins.tell_disconnect(gone.id);
            }
        }
        FromConnectd::ConnectFailed(failed) => {
            let error = ConnectError {
                reason: failed.reason,
                no_address: failed.no_address,
            };
            node.peers.connect_failed(failed.id, &error);
        }
        FromConnectd::PeerSpoke(spoke) => on_spoke(node, &spoke),
        FromConnectd::PeerError(error) => on_error(node, &error),
        FromConnectd::CustomMessage(custom) => on_custom(node, custom),
        FromConnectd::DialUnix(ask) => {
            tokio::task::spawn_local(super::unix_dial::dial(Rc::clone(node), ask));
        }
    }
}

/// A peer sent what the node itself does not know: plugins may.
fn on_custom(node: &Rc<Node>, custom: ConnectdCustomMessage) {
    /// An onion message is no custom one.
    const ONION_MESSAGE: [u8; 2] = 513_u16.to_be_bytes();
    node.log.debug(
        &Origin::of_peer(custom.id, "lightningd"),
        format!("custom message of {} bytes", custom.message.len()),
    );
    if custom.message.starts_with(&ONION_MESSAGE) {
        return;
    }
    let node = Rc::clone(node);
    tokio::task::spawn_local(async move {
        node.plugins
            .custom_message(custom.id, &custom.message)
            .await;
    });
}

fn on_connected(node: &Rc<Node>, connected: ConnectdPeerConnected) {
    let ConnectdPeerConnected {
        id,
        counter,
        address,
        remote_addr,
        incoming,
        features,
    } = connected;
    let origin = Origin::of_peer(id, "lightningd");
    let direction = if incoming { "in" } else { "out" };
    node.log
        .debug(&origin, format!("peer_connected {direction} at {address}"));
    let connection = Connection {
        counter,
        address,
        remote_addr,
        incoming,
    };
    if node.grace.get() && node.is_idle(id) {
        let word = "the node is about to be shut down".to_owned();
        turn_away(node, id, &connection, Some(word));
    } else if node.plugins.judges_peers() {
        node.peers.arriving.begin(id, counter);
        tokio::task::spawn_local(judge(Rc::clone(node), id, connection, features));
    } else {
        admit(node, id, connection, features);
    }
}

/// Asks plugins whether to let a peer in. What it does meanwhile is seen to afterwards.
async fn judge(node: Rc<Node>, id: NodeId, connection: Connection, features: Features) {
    let refused = node.plugins.peer_refused(id, &connection, &features).await;
    let Some(kept) = node.peers.arriving.end(id, connection.counter) else {
        // It is gone, or came anew.
        if !node.peers.arriving.has(id) {
            let error = ConnectError {
                reason: "the peer disconnected".to_owned(),
                no_address: false,
            };
            node.peers.connect_failed(id, &error);
        }
        return;
    };
    match refused {
        None => {
            admit(&node, id, connection, features);
            for message in kept {
                on_message(&node, message);
            }
        }
        Some(word) => turn_away(&node, id, &connection, word),
    }
}

fn turn_away(node: &Node, id: NodeId, connection: &Connection, word: Option<String>) {
    let text = if node.grace.get() {
        "Peer has reconnected, but gracefully shutting down: disconnected"
    } else {
        "a plugin does not want this peer: disconnected"
    };
    node.log.debug(&Origin::of_peer(id, "lightningd"), text);
    match &word {
        Some(word) => {
            let warning = PeerMessage::from(WarningMessage::new(ChannelId::ALL, word));
            node.to_connectd(ConnectdSendMessage {
                id,
                message: warning.to_bytes(),
                then_disconnect: true,
            });
        }
        None => node.to_connectd(ConnectdDisconnect {
            id,
            counter: connection.counter,
        }),
    }
    let error = ConnectError {
        reason: word.unwrap_or_else(|| "a plugin refused the peer".to_owned()),
        no_address: false,
    };
    node.peers.connect_failed(id, &error);
}

/// Lets a peer in.
fn admit(node: &Rc<Node>, id: NodeId, connection: Connection, features: Features) {
    node.peers.connected(id, &connection, features.clone());
    node.plugins.tell_connect(id, &connection);
    super::discovery::heard(node, id, &connection);
    if node.channels.of_peer(id).next().is_some() {
        // Where it was reached is kept for the next start.
        let row = PeerRow {
            id,
            address: (!connection.incoming).then_some(connection.address),
            features,
        };
        drop(node.db.write(move |txn| txn.put_peer(&row)));
    }
    crate::channels::serve_peer(node, id);
}

/// A peer speaks of a channel that nobody serves.
fn on_spoke(node: &Rc<Node>, spoke: &ConnectdPeerSpoke) {
    let ConnectdPeerSpoke {
        id,
        counter,
        channel_id,
        message_type,
    } = *spoke;
    let current = node
        .peers
        .connection(id)
        .is_some_and(|connection| connection.counter == counter);
    if !current {
        return;
    }
    if message_type == OPEN_CHANNEL {
        crate::channels::accept_opening(node, id, channel_id);
        return;
    }
    // The id of somebody else's channel is as unknown as any.
    let known = node.channels.by_channel_id(channel_id);
    let known = known.filter(|channel| channel.peer == id);
    let serving = known
        .as_ref()
        .is_some_and(|channel| channel.row().state.wants_peer());
    if serving {
        crate::channels::serve_peer(node, id);
        return;
    }
    if message_type == CHANNEL_REESTABLISH
        && let Some(channel) = &known
        && crate::channels::close_again(node, channel, counter)
    {
        return;
    }
    node.to_connectd(ConnectdRejectSpoke {
        id,
        counter,
        channel_id,
    });
    // BOLT 2 §Message Retransmission: a peer that wants to go on with a channel we gave up must learn that it is over.
    let text = match known {
        Some(channel) => format!("Channel is being closed ({})", channel.row().state.name()),
        None => "Unknown channel for reestablish".to_owned(),
    };
    node.log.debug(
        &Origin::of_peer(id, "lightningd"),
        format!("message {message_type} for {channel_id}: {text}"),
    );
    send_error(node, id, channel_id, &text);
}

/// Tells a peer that a channel failed.
pub(crate) fn send_error(node: &Node, id: NodeId, channel_id: ChannelId, text: &str) {
    let error = PeerMessage::from(ErrorMessage::new(channel_id, text));
    node.to_peer(id, error.to_bytes());
}

/// Tells a peer that it gets no channel of this id: by a warning if the id means all channels, since nothing else shall end.
pub(crate) fn refuse(node: &Node, id: NodeId, channel_id: ChannelId, text: &str) {
    if channel_id == ChannelId::ALL {
        let warning = PeerMessage::from(WarningMessage::new(channel_id, text));
        node.to_peer(id, warning.to_bytes());
    } else {
        send_error(node, id, channel_id, text);
    }
}

/// A peer failed a channel that nobody serves, or all of them.
fn on_error(node: &Rc<Node>, error: &ConnectdPeerError) {
    let origin = Origin::of_peer(error.id, "lightningd");
    let kind = if error.warning { "warning" } else { "error" };
    node.log.log(
        LogLevel::Info,
        &origin,
        format!("peer sent {kind} for {}: {}", error.channel_id, error.text),
    );
    if error.warning {
        return;
    }
    let hit: Vec<_> = node
        .channels
        .of_peer(error.id)
        .filter(|channel| {
            error.channel_id == ChannelId::ALL || channel.row().channel_id == error.channel_id
        })
        .collect();
    for channel in hit {
        crate::channels::peer_failed(node, &channel, &error.text);
    }
}
