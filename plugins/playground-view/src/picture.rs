//! What is drawn: the nodes' answers put together, and what happened between two of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ask::{Answers, Channel};

/// A node and what is known of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// What it is called here.
    pub(crate) name: Option<String>,
    /// What it said last.
    pub(crate) answers: Option<Answers>,
    /// Whether it answers; `None` before it was asked.
    pub(crate) up: Option<bool>,
    /// Why it does not.
    pub(crate) problem: Option<String>,
}

/// All there is to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Picture<'a> {
    network: &'a str,
    height: u32,
    nodes: Vec<Dot<'a>>,
    channels: Vec<Edge<'a>>,
    /// Connected peers without a channel.
    links: Vec<(&'a str, &'a str)>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Dot<'a> {
    name: &'a str,
    /// Empty if it never answered.
    id: &'a str,
    /// Whether it is one of those to be drawn; others are there as somebody's peers.
    ours: bool,
    up: Option<bool>,
    problem: Option<&'a str>,
    alias: &'a str,
    color: &'a str,
    version: &'a str,
    height: u32,
    address: Option<String>,
    peers: usize,
    onchain_msat: u64,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Edge<'a> {
    id: &'a str,
    short_channel_id: Option<&'a str>,
    a: &'a str,
    b: &'a str,
    a_msat: u64,
    b_msat: u64,
    /// What is on its way from a to b, and back.
    a_to_b_msat: u64,
    b_to_a_msat: u64,
    total_msat: u64,
    state: &'a str,
    /// Both sides are connected.
    connected: bool,
    private: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Happening {
    /// Payments went through a channel.
    Payment {
        channel: String,
        from: String,
        to: String,
        count: u64,
        msat: u64,
    },
    /// Blocks came.
    Block { height: u32, count: u32 },
    /// A node went away or came back.
    Node { name: String, up: bool },
    /// A channel is new, or in another state.
    Channel {
        channel: String,
        a: String,
        b: String,
        state: String,
    },
}

impl<'a> Picture<'a> {
    /// Puts together what the nodes say.
    pub(crate) fn of(all: &'a [Known]) -> Self {
        let answers = || all.iter().filter_map(|known| known.answers.as_ref());
        let mut channels: BTreeMap<&str, Edge<'a>> = BTreeMap::new();
        for known in all {
            let Some(answers) = &known.answers else {
                continue;
            };
            for channel in &answers.channels {
                let own = answers.info.id.as_str();
                let up = known.up == Some(true);
                match channels.get_mut(channel.channel_id.as_str()) {
                    Some(edge) => edge.add_other_side(channel, up),
                    None => {
                        let edge = Edge::of(own, channel, up);
                        channels.insert(&channel.channel_id, edge);
                    }
                }
            }
        }
        let mut nodes: Vec<Dot<'a>> = all.iter().map(Dot::of).collect();
        let known: BTreeSet<&str> = nodes.iter().map(|dot| dot.id).collect();
        let ends = channels.values().flat_map(|edge| [edge.a, edge.b]);
        let strangers: BTreeSet<&str> = ends.filter(|id| !known.contains(id)).collect();
        nodes.extend(strangers.into_iter().map(Dot::stranger));
        let joined: BTreeSet<(&str, &str)> =
            channels.values().map(|edge| pair(edge.a, edge.b)).collect();
        let links = all.iter().filter(|known| known.up == Some(true));
        let links = links.filter_map(|known| known.answers.as_ref());
        let links = links.flat_map(|answers| {
            let peers = answers.peers.iter().map(String::as_str);
            peers.map(|peer| pair(&answers.info.id, peer))
        });
        let links: BTreeSet<(&str, &str)> = links
            .filter(|(a, b)| known.contains(a) && known.contains(b))
            .filter(|link| !joined.contains(link))
            .collect();
        Self {
            network: answers().next().map_or("", |one| &one.info.network),
            height: height(all),
            nodes,
            channels: channels.into_values().collect(),
            links: links.into_iter().collect(),
        }
    }
}

fn pair<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    if a <= b { (a, b) } else { (b, a) }
}

/// The highest block that any node knows.
pub(crate) fn height(all: &[Known]) -> u32 {
    let answers = all.iter().filter_map(|known| known.answers.as_ref());
    answers
        .map(|answers| answers.info.blockheight)
        .max()
        .unwrap_or_default()
}

impl<'a> Dot<'a> {
    fn of(known: &'a Known) -> Self {
        let mut dot = match &known.answers {
            None => Self::stranger(""),
            Some(answers) => {
                let info = &answers.info;
                let bindings = info.binding.iter();
                let address = bindings
                    .filter_map(|one| Some(format!("{}:{}", one.address.as_ref()?, one.port?)));
                Self {
                    alias: &info.alias,
                    color: &info.color,
                    version: &info.version,
                    height: info.blockheight,
                    address: address.take(1).next(),
                    peers: answers.peers.len(),
                    onchain_msat: answers.onchain_msat,
                    ..Self::stranger(&info.id)
                }
            }
        };
        dot.name = known.name.as_deref().unwrap_or(dot.alias);
        dot.ours = true;
        dot.up = known.up;
        dot.problem = known.problem.as_deref();
        dot
    }

    fn stranger(id: &'a str) -> Self {
        Self {
            name: "",
            id,
            ours: false,
            up: None,
            problem: None,
            alias: "",
            color: "",
            version: "",
            height: 0,
            address: None,
            peers: 0,
            onchain_msat: 0,
        }
    }
}

impl<'a> Edge<'a> {
    /// As one side sees it.
    fn of(own: &'a str, channel: &'a Channel, up: bool) -> Self {
        let sum = |direction: &str| {
            let htlcs = channel.htlcs.iter();
            htlcs
                .filter(|htlc| htlc.direction == direction)
                .fold(0_u64, |sum, htlc| sum.saturating_add(htlc.amount_msat))
        };
        Self {
            id: &channel.channel_id,
            short_channel_id: channel.short_channel_id.as_deref(),
            a: own,
            b: &channel.peer_id,
            a_msat: channel.to_us_msat,
            b_msat: channel.total_msat.saturating_sub(channel.to_us_msat),
            a_to_b_msat: sum("out"),
            b_to_a_msat: sum("in"),
            total_msat: channel.total_msat,
            state: &channel.state,
            connected: up && channel.peer_connected,
            private: channel.private.unwrap_or_default(),
        }
    }

    /// What the other side knows better: its own share. Of two states the one that is further is shown.
    fn add_other_side(&mut self, channel: &'a Channel, up: bool) {
        if up {
            self.b_msat = channel.to_us_msat;
        }
        self.connected &= up && channel.peer_connected;
        if rank(&channel.state) > rank(self.state) {
            self.state = &channel.state;
        }
        if self.short_channel_id.is_none() {
            self.short_channel_id = channel.short_channel_id.as_deref();
        }
    }
}

/// How far a channel is, for what concerns the picture. A channel is usable when both sides say so.
fn rank(state: &str) -> u8 {
    match state {
        "CHANNELD_NORMAL" => 0,
        "OPENINGD" | "CHANNELD_AWAITING_LOCKIN" => 1,
        text if text.starts_with("DUALOPEND") => 1,
        "CHANNELD_SHUTTING_DOWN" => 2,
        "CLOSINGD_SIGEXCHANGE" => 3,
        "CLOSINGD_COMPLETE" => 4,
        "AWAITING_UNILATERAL" => 5,
        "FUNDING_SPEND_SEEN" => 6,
        "ONCHAIN" => 7,
        "CLOSED" => 8,
        _ => 0,
    }
}

/// What happened to one node between two answers of its own. `ours` tells whether an id is among the nodes that are asked: then that
/// node tells of the payments to it.
pub(crate) fn happenings(
    before: &Answers,
    after: &Answers,
    ours: impl Fn(&str) -> bool,
) -> Vec<Happening> {
    let mut found = Vec::new();
    let own = &after.info.id;
    for channel in &after.channels {
        let old = before.channels.iter();
        let old = old.clone().find(|old| old.channel_id == channel.channel_id);
        let moved = |from: &String, to: &String, count: u64, msat: u64| Happening::Payment {
            channel: channel.channel_id.clone(),
            from: from.clone(),
            to: to.clone(),
            count,
            msat,
        };
        let (count, msat) = old.map_or((0, 0), |old| {
            (old.in_payments_fulfilled, old.in_fulfilled_msat)
        });
        let count = channel.in_payments_fulfilled.saturating_sub(count);
        if count > 0 {
            let msat = channel.in_fulfilled_msat.saturating_sub(msat);
            found.push(moved(&channel.peer_id, own, count, msat));
        }
        let (count, msat) = old.map_or((0, 0), |old| {
            (old.out_payments_fulfilled, old.out_fulfilled_msat)
        });
        let count = channel.out_payments_fulfilled.saturating_sub(count);
        if count > 0 && !ours(&channel.peer_id) {
            let msat = channel.out_fulfilled_msat.saturating_sub(msat);
            found.push(moved(own, &channel.peer_id, count, msat));
        }
        let tells = *own < channel.peer_id || !ours(&channel.peer_id);
        if tells && old.is_none_or(|old| old.state != channel.state) {
            found.push(Happening::Channel {
                channel: channel.channel_id.clone(),
                a: own.clone(),
                b: channel.peer_id.clone(),
                state: channel.state.clone(),
            });
        }
    }
    found
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
