//! What a peer's message means, and who gets it. No socket, no clock: a message and the time go in, one action comes out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use ln_codec::{Decode, DecodeError, Encode};
use ln_ipc::connectd::{
    ConnectdCustomMessage, ConnectdPeerError, ConnectdPeerSpoke, ConnectdPing, FromConnectd,
};
use ln_types::{ChannelId, Network, NodeId};
use ln_wire::{GossipTimestampFilter, PeerMessage, Ping, Pong, WarningMessage};

use crate::limits::{CHATTER_BURST, CHATTER_RATE, KEPT_BYTES, KEPT_CHANNELS, TEXT_CHARS};
use crate::opening::Openings;
use crate::ping::{Check, PingState};
use crate::throttle::Throttle;

/// Names a socket to a channel's daemon within one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LinkId(pub(crate) u64);

//~ 8. connectd reads of a message only what it needs to know whose it is: the type and the channel id. A channel without a daemon has its messages kept,
//~ within bounds, until lightningd has started one. That is the way of a peer's bytes; a user's are shorter: `ln-rpc/src/methods/control/stop.rs`.
/// What is to be done with a message of the peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing more.
    Nothing,
    /// The message goes to a channel's daemon.
    ToLink(LinkId),
    /// The message goes to gossipd.
    ToGossipd,
    /// The message goes to gossipd, and the stream of gossip changes.
    Stream(GossipTimestampFilter),
    /// lightningd hears this.
    ToLightningd(FromConnectd),
    /// The peer gets this answer.
    Reply(Vec<u8>),
    /// The peer failed all channels: lightningd hears this, and the connection ends.
    Failed(FromConnectd),
    /// The peer broke a rule: it gets a warning with this text, and the connection ends.
    Refuse(String),
}

/// The state of one connection that decides where messages go.
#[derive(Debug)]
pub(crate) struct Mux {
    id: NodeId,
    counter: u64,
    network: Network,
    routes: HashMap<ChannelId, LinkId>,
    kept: HashMap<ChannelId, Vec<Vec<u8>>>,
    kept_bytes: usize,
    openings: Openings,
    ping: PingState,
    chatter: Throttle,
    /// The even types that plugins know.
    custom_types: Rc<RefCell<Vec<u16>>>,
}

impl Mux {
    pub(crate) fn new(
        id: NodeId,
        counter: u64,
        network: Network,
        ping_timer: bool,
        now: Instant,
    ) -> Self {
        Self {
            id,
            counter,
            network,
            routes: HashMap::new(),
            kept: HashMap::new(),
            kept_bytes: 0,
            openings: Openings::default(),
            ping: PingState::new(now, ping_timer),
            chatter: Throttle::new(CHATTER_BURST, CHATTER_RATE, now),
            custom_types: Rc::default(),
        }
    }

    /// The same, with the even types that plugins know, now and later.
    pub(crate) fn with_custom_types(self, custom_types: Rc<RefCell<Vec<u16>>>) -> Self {
        Self {
            custom_types,
            ..self
        }
    }

    /// Whether more of the peer's messages can be taken.
    pub(crate) fn has_room(&self) -> bool {
        self.kept_bytes < KEPT_BYTES && self.kept.len() < KEPT_CHANNELS
    }

    /// Until when a peer that says much beside its channels is not read.
    pub(crate) fn paused_until(&mut self, now: Instant) -> Option<Instant> {
        self.chatter.paused_until(now)
    }

    /// Decides about a message of the peer.
    pub(crate) fn on_message(&mut self, message: &[u8], now: Instant) -> Action {
        self.ping.heard(now);
        let Some((number, body)) = split(message) else {
            return Action::Refuse("Message without a type".to_owned());
        };
        let action = self.route(number, body, message);
        if !matches!(action, Action::ToLink(_)) {
            let answer = if let Action::Reply(reply) = &action {
                reply.len()
            } else {
                0
            };
            self.chatter
                .spend(message.len().saturating_add(answer), now);
        }
        action
    }

    fn route(&mut self, number: u16, body: &[u8], message: &[u8]) -> Action {
        match number {
            1 | 17 => self.on_complaint(message),
            16 => Action::Refuse("Unexpected second init".to_owned()),
            18 => match Ping::from_bytes(body) {
                Ok(ping) => ping.pong().map_or(Action::Nothing, |pong| {
                    Action::Reply(PeerMessage::from(pong).to_bytes())
                }),
                Err(error) => malformed("ping", &error),
            },
            19 => match Pong::from_bytes(body) {
                Ok(pong) => self.ping.on_pong(&pong).map_or(Action::Nothing, |reply| {
                    Action::ToLightningd(FromConnectd::PingReply(reply))
                }),
                Err(error) => malformed("pong", &error),
            },
            265 => self.on_filter(body),
            _ if PeerMessage::is_gossip_number(number) || PeerMessage::is_query_number(number) => {
                Action::ToGossipd
            }
            _ if !PeerMessage::knows(number) => self.on_unknown(number, message),
            _ => match channel_id_at(number) {
                Some(at) => self.on_channel_message(number, at, body, message),
                // Peer storage and onion messages.
                None => match PeerMessage::from_bytes(message) {
                    Ok(_) => Action::ToLightningd(self.custom(message)),
                    Err(error) => malformed("message", &error),
                },
            },
        }
    }

    // BOLT 1 §Lightning Message Format: an unknown odd type is ignored, an unknown even one ends the connection. lightningd hears of
    // the odd ones, since a plugin may know them, and of the even ones that a plugin says it knows.
    fn on_unknown(&self, number: u16, message: &[u8]) -> Action {
        if PeerMessage::may_ignore(number) || self.custom_types.borrow().contains(&number) {
            Action::ToLightningd(self.custom(message))
        } else {
            Action::Refuse(format!("Invalid unknown even msg {number}"))
        }
    }

    fn custom(&self, message: &[u8]) -> FromConnectd {
        FromConnectd::CustomMessage(ConnectdCustomMessage {
            id: self.id,
            message: message.to_vec(),
        })
    }

    fn on_filter(&self, body: &[u8]) -> Action {
        match GossipTimestampFilter::from_bytes(body) {
            Ok(filter) if filter.chain_hash == self.network.chain_hash() => Action::Stream(filter),
            Ok(_) => Action::Refuse("gossip_timestamp_filter for bad chain".to_owned()),
            Err(error) => malformed("gossip_timestamp_filter", &error),
        }
    }

    // BOLT 1 §The `error` and `warning` Messages: whoever serves the channel hears it; for all channels, or one nobody serves,
    // lightningd does.
    fn on_complaint(&mut self, message: &[u8]) -> Action {
        let (channel_id, warning, text) = match PeerMessage::from_bytes(message) {
            Ok(PeerMessage::Error(error)) => (error.channel_id, false, error.text()),
            Ok(PeerMessage::Warning(warning)) => (warning.channel_id, true, warning.text()),
            Ok(_) => return Action::Nothing,
            Err(error) => return malformed("error or warning", &error),
        };
        if let Some(link) = self.routes.get(&channel_id) {
            return Action::ToLink(*link);
        }
        let report = FromConnectd::PeerError(ConnectdPeerError {
            id: self.id,
            counter: self.counter,
            channel_id,
            warning,
            text: text.chars().take(TEXT_CHARS).collect(),
        });
        if channel_id == ChannelId::ALL && !warning {
            Action::Failed(report)
        } else {
            Action::ToLightningd(report)
        }
    }

    fn on_channel_message(
        &mut self,
        number: u16,
        at: usize,
        body: &[u8],
        message: &[u8],
    ) -> Action {
        let Some(channel_id) = channel_id(body, at) else {
            return Action::Refuse(format!("Message of type {number} is too short"));
        };
        let link = self.routes.get(&channel_id).copied();
        let learnt = self.openings.see(number, channel_id, body);
        if let Some(link) = link {
            if let Some(renamed) = learnt {
                self.routes.entry(renamed).or_insert(link);
            }
            return Action::ToLink(link);
        }
        let queue = self.kept.entry(channel_id).or_default();
        let first = queue.is_empty();
        queue.push(message.to_vec());
        self.kept_bytes = self.kept_bytes.saturating_add(message.len());
        if !first {
            return Action::Nothing;
        }
        Action::ToLightningd(FromConnectd::PeerSpoke(ConnectdPeerSpoke {
            id: self.id,
            counter: self.counter,
            channel_id,
            message_type: number,
        }))
    }

    /// A channel has a daemon now. Returns what was kept for it, in order.
    pub(crate) fn attach(&mut self, channel_id: ChannelId, link: LinkId) -> Vec<Vec<u8>> {
        self.routes.insert(channel_id, link);
        let kept = self.drop_kept(&channel_id);
        for message in &kept {
            if let Some((number, body)) = split(message) {
                self.learn(number, body, link);
            }
        }
        kept
    }

    /// Whoever serves `from` serves `to` as well. Returns who that is and what was kept for `to`.
    pub(crate) fn add_channel_id(
        &mut self,
        from: ChannelId,
        to: ChannelId,
    ) -> Option<(LinkId, Vec<Vec<u8>>)> {
        let link = *self.routes.get(&from)?;
        Some((link, self.attach(to, link)))
    }

    /// No daemon will come for a channel.
    pub(crate) fn reject(&mut self, channel_id: &ChannelId) {
        self.drop_kept(channel_id);
        self.openings.forget(channel_id);
    }

    fn drop_kept(&mut self, channel_id: &ChannelId) -> Vec<Vec<u8>> {
        let kept = self.kept.remove(channel_id).unwrap_or_default();
        let bytes = kept.iter().map(Vec::len).sum();
        self.kept_bytes = self.kept_bytes.saturating_sub(bytes);
        kept
    }

    /// A daemon's socket is closed.
    pub(crate) fn detach(&mut self, link: LinkId) {
        self.routes.retain(|_, served_by| *served_by != link);
    }

    /// A daemon sends this to the peer.
    pub(crate) fn on_sent(&mut self, message: &[u8], link: LinkId) {
        if let Some((number @ (34 | 64 | 65), body)) = split(message) {
            self.learn(number, body, link);
        }
    }

    fn learn(&mut self, number: u16, body: &[u8], link: LinkId) {
        let at = channel_id_at(number);
        let Some(temporary) = at.and_then(|at| channel_id(body, at)) else {
            return;
        };
        if let Some(renamed) = self.openings.see(number, temporary, body) {
            self.routes.entry(renamed).or_insert(link);
        }
    }

    /// See [`PingState::command`].
    pub(crate) fn on_ping_command(
        &mut self,
        command: &ConnectdPing,
    ) -> (Option<Vec<u8>>, Option<FromConnectd>) {
        let (message, reply) = self.ping.command(command);
        (message, reply.map(FromConnectd::PingReply))
    }

    /// When [`Self::check`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ping.deadline()
    }

    /// See [`PingState::check`].
    pub(crate) fn check(&mut self, now: Instant, luck: u8) -> Check {
        // A peer that we don't read can't show that it is alive.
        if !self.has_room() || self.paused_until(now).is_some() {
            self.ping.heard(now);
        }
        self.ping.check(now, luck)
    }

    /// The connection ends: what lightningd still has to hear.
    pub(crate) fn ended(&mut self) -> Option<FromConnectd> {
        self.ping.ended().map(FromConnectd::PingReply)
    }
}

fn split(message: &[u8]) -> Option<(u16, &[u8])> {
    let (number, body) = message.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), body))
}

// BOLT 1 §Lightning Message Format: a known message that is too short, or whose extension is invalid, ends the connection.
fn malformed(what: &str, error: &DecodeError) -> Action {
    Action::Refuse(format!("Invalid {what}: {error}"))
}

/// Where the channel's id stands in a known message, after the type; `None` for messages that are not about one channel.
fn channel_id_at(number: u16) -> Option<usize> {
    match number {
        // After the chain hash.
        32 | 64 => Some(32),
        2 | 33..=255 | 259 => Some(0),
        _ => None,
    }
}

fn channel_id(body: &[u8], at: usize) -> Option<ChannelId> {
    body.get(at..)?.first_chunk::<32>().map(|id| ChannelId(*id))
}

/// A warning about the connection as a whole.
pub(crate) fn warning(text: &str) -> Vec<u8> {
    PeerMessage::from(WarningMessage::new(ChannelId::ALL, text)).to_bytes()
}

#[cfg(test)]
mod tests;
