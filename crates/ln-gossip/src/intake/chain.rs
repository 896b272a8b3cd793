//! Blocks, spent outputs, and channels nobody cares for any more.

use ln_types::{BlockHeight, ShortChannelId};

use super::announce::is_announceable;
use super::{Action, Env, Intake, Severity};
use crate::NodeKey;
use crate::graph::{Channel, Graph};
use crate::store::{ChannelDying, DeleteChannel, RecordFlags, RecordRef, internal_bytes};

/// Blocks between the spending of a funding output and the end of the channel.
// BOLT 7 §The `channel_announcement` Message: 72 blocks, so that a splice has time to be announced.
const FORGET_DELAY: u32 = 72;

impl Intake {
    pub(super) fn on_block(&mut self, height: BlockHeight, env: &Env, out: &mut Vec<Action>) {
        self.height = height;
        let ripe: Vec<ShortChannelId> = self
            .early
            .keys()
            .copied()
            .take_while(|scid| is_announceable(*scid, height))
            .collect();
        for scid in ripe {
            let Some(channel) = self.early.remove(&scid) else {
                continue;
            };
            if self.ask(scid, channel, out).is_err() {
                // Dropped for want of room: a peer will send it again some day.
                self.release_waiting(env, out);
            }
        }
        let over = |channel: &Channel| channel.dying.is_some_and(|dying| dying.deadline <= height);
        let over: Vec<ShortChannelId> = self
            .graph
            .channels()
            .filter(|(_, channel)| over(channel))
            .map(|(scid, _)| scid)
            .collect();
        for scid in over {
            out.push(Action::Log {
                severity: Severity::Debug,
                peer: None,
                text: format!("Deleting channel {scid} due to the funding outpoint being spent"),
            });
            self.remove_channel(scid, out);
        }
    }

    /// A funding output is spent: the channel is no longer passed on, and forgotten later.
    pub(super) fn on_spent(
        &mut self,
        height: BlockHeight,
        scid: ShortChannelId,
        out: &mut Vec<Action>,
    ) {
        // One that is being looked for would be found spent: spare the trouble.
        if self.pending.remove(&scid).is_some() | self.early.remove(&scid).is_some() {
            self.failures.add(scid);
        }
        let Some(channel) = self.graph.channel(scid) else {
            return;
        };
        if channel.dying.is_some() {
            return;
        }
        let nodes = channel.nodes;
        let mut records = vec![channel.announcement];
        records.extend(
            channel
                .policies
                .iter()
                .flatten()
                .map(|policy| policy.update),
        );
        let dying = ChannelDying {
            scid,
            blockheight: height.plus(FORGET_DELAY),
        };
        self.append(internal_bytes(dying), 0, false, out);
        for record in records {
            out.push(Action::SetFlags {
                record,
                flags: RecordFlags::COMPLETED | RecordFlags::DYING,
            });
        }
        for key in nodes {
            let node = self.graph.node(key);
            if node.is_some_and(|node| self.graph.all_channels_dying(node, None)) {
                self.flag_node(key, true, out);
            }
        }
    }

    pub(super) fn on_tick(&mut self, env: &Env, out: &mut Vec<Action>) {
        self.failures.tick(env.now);
        self.budget.tick(env.now, self.limits.update_refill_secs);
        let oldest = env.now.saturating_sub(self.limits.prune_secs);
        let stale: Vec<(ShortChannelId, [Option<u32>; 2])> = self
            .graph
            .channels()
            .filter(|(_, channel)| channel.dying.is_none())
            .map(|(scid, channel)| {
                let [one, two] = &channel.policies;
                let time = |policy: &Option<crate::ChannelPolicy>| policy.map(|p| p.timestamp);
                (scid, [time(one), time(two)])
            })
            // BOLT 7 §Pruning the Network View: both ends must refresh. A direction nobody described yet may still be.
            .filter(|(_, times)| times.iter().flatten().any(|time| *time < oldest))
            .collect();
        for (scid, times) in stale {
            self.log_pruning(scid, times, out);
            self.remove_channel(scid, out);
        }
    }

    fn log_pruning(&self, scid: ShortChannelId, times: [Option<u32>; 2], out: &mut Vec<Action>) {
        let [one, two] = times.map(|time| time.unwrap_or(u32::MAX));
        let ours = |channel: &Channel| channel.nodes.contains(&self.our_id.into());
        let (severity, text) = if self.graph.channel(scid).is_some_and(ours) {
            let text = format!(
                "Pruning local channel {scid} from gossip_store: channel_update times {one}, {two}"
            );
            (Severity::Unusual, text)
        } else {
            let text = format!("Pruning channel {scid} from network view (ages {one} and {two})");
            (Severity::Debug, text)
        };
        out.push(Action::Log {
            severity,
            peer: None,
            text,
        });
    }

    /// Takes a channel out of the store, and with it what its nodes said of themselves when it was their last.
    fn remove_channel(&mut self, scid: ShortChannelId, out: &mut Vec<Action>) {
        // Whoever still has it will offer it again.
        self.failures.add(scid);
        let Some(channel) = self.graph.channel(scid).cloned() else {
            return;
        };
        let [one, two] = channel.nodes;
        let keys = if one == two {
            vec![one]
        } else {
            vec![one, two]
        };
        let last_words: Vec<RecordRef> = keys
            .iter()
            .filter_map(|key| self.graph.node(*key))
            .filter(|node| node.channels == [scid])
            .filter_map(|node| node.announcement)
            .map(|announcement| announcement.record)
            .collect();
        self.append(internal_bytes(DeleteChannel { scid }), 0, false, out);
        let updates = channel
            .policies
            .iter()
            .flatten()
            .map(|policy| policy.update);
        let records = [channel.announcement, channel.amount_record].into_iter();
        let records = records.chain(updates);
        let records = records.chain(channel.dying.map(|dying| dying.record));
        for record in records.chain(last_words) {
            Self::delete(record, out);
        }
        for key in keys {
            self.settle_node(key, &channel, out);
        }
    }

    /// After a channel is gone, for a node that has others: its announcement stays, or moves behind another channel's.
    fn settle_node(&mut self, key: NodeKey, gone: &Channel, out: &mut Vec<Action>) {
        let Some(node) = self.graph.node(key) else {
            return;
        };
        let Some(announcement) = node.announcement else {
            return;
        };
        let dying = self.graph.all_channels_dying(node, None);
        // A reader that starts anew must find a channel of the node before the node itself.
        let follows = |scid: &ShortChannelId| precedes(&self.graph, *scid, announcement.record);
        if gone.announcement < announcement.record && !node.channels.iter().any(follows) {
            self.move_node(key, announcement.timestamp, announcement.record, dying, out);
        } else if dying {
            self.flag_node(key, true, out);
        }
    }

    fn move_node(
        &mut self,
        key: NodeKey,
        timestamp: u32,
        record: RecordRef,
        dying: bool,
        out: &mut Vec<Action>,
    ) {
        let flags = RecordFlags::COMPLETED.with(RecordFlags::DYING, dying);
        out.push(Action::AppendCopy {
            record,
            timestamp,
            flags,
        });
        Self::delete(record, out);
        let copy = RecordRef {
            offset: self.end,
            length: record.length,
        };
        self.end = copy.end();
        self.graph.node_moved(key, copy, dying);
    }
}

/// Whether a channel that is not dying stands before a record.
fn precedes(graph: &Graph, scid: ShortChannelId, record: RecordRef) -> bool {
    graph
        .channel(scid)
        .is_some_and(|channel| channel.dying.is_none() && channel.announcement < record)
}
